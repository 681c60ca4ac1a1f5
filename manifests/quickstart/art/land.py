"""Where he is seen: skies, mountains, trees, fire, snow. Picture coordinates; everything seeded."""

# A line is a stroke: broken up, a drawing cannot be read any more.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import math
import random
from itertools import pairwise

from art.brush import Canvas, Point, ellipse, linear, mix, radial, ribbon, spline, taper


def ridge(c: Canvas, seed: int, base: float, rise: float, paint_top: str, paint_foot: str, *, rough: float = 0.5, depth: float = 420) -> None:
    """A mountain line across the picture, lighter at its foot where the mist lies."""
    rnd = random.Random(seed)
    heights = [0.5, 0.5]
    spread = 1.0
    for _ in range(7):  # midpoint displacement
        out: list[float] = []
        for a, b in pairwise(heights):
            out += [a, (a + b) / 2 + rnd.uniform(-spread, spread) * 0.5]
        heights = [*out, heights[-1]]
        spread *= rough
    low, high = min(heights), max(heights)
    n = len(heights) - 1
    line = [(c.width * i / n, base - rise * (h - low) / ((high - low) or 1)) for i, h in enumerate(heights)]
    shape: list[Point] = [(0, c.height), *line, (c.width, c.height)]
    c.fill(shape, linear((0, base - rise), (0, base - rise + depth), paint_top, paint_foot))


def pine(c: Canvas, x: float, foot: float, height: float, dark: str, light: str, seed: int, *, sun: int = -1, snow: bool = False) -> None:
    """One pine: ragged boughs, lit from the side of the sun."""
    rnd = random.Random(seed)
    c.stroke([(x, foot), (x, foot - height * 0.5)], height * 0.035, mix(dark, "#000000", 0.4))
    tiers = 10
    for i in range(tiers):
        t = i / (tiers - 1)
        y = foot - height * (0.08 + 0.8 * t)
        half = height * 0.17 * (1 - t) ** 0.9 + height * 0.024
        drop, top = height * 0.05, y - height * (0.26 - 0.12 * t)
        left: list[Point] = []
        teeth = 5
        for k in range(teeth + 1):
            u = -1 + 2 * k / teeth
            left.append((x + half * u, y + drop * (abs(u) - 0.4) + rnd.uniform(-1, 1) * height * 0.008))
            if k < teeth:
                left.append((x + half * (u + 1 / teeth), y - height * 0.012 + rnd.uniform(-1, 1) * height * 0.006))
        bough = [(x, top), *left[::-1]]
        c.fill(bough, linear((x + half * sun, y), (x - half * sun, y), light, dark))
        if snow:
            c.fill([(x, top), (x + half * 0.5 * sun, y - height * 0.035), (x + half * 0.9 * sun, y + drop * 0.35), (x + half * 0.2 * sun, y - height * 0.03)],
                   "#eaf3fb", opacity=0.85)


def forest(c: Canvas, seed: int, foot: float, height: tuple[float, float], count: int, dark: str, light: str, *, sun: int = -1, snow: bool = False) -> None:
    """A row of pines."""
    rnd = random.Random(seed)
    spots = [c.width * (i + rnd.uniform(-0.4, 0.4)) / (count - 1) for i in range(count)]
    for i, x in enumerate(spots):
        pine(c, x, foot + rnd.uniform(-12, 12), rnd.uniform(*height), dark, light, seed * 97 + i, sun=sun, snow=snow)


def stars(c: Canvas, seed: int, count: int, below: float) -> None:
    """Stars down to that height."""
    rnd = random.Random(seed)
    for _ in range(count):
        x, y, r = rnd.uniform(0, c.width), rnd.uniform(0, below), rnd.choice((0.9, 1.2, 1.6, 2.4))
        c.fill(ellipse(x, y, r, r), "#fdf6e3", opacity=rnd.uniform(0.35, 0.95) * (1 - y / below * 0.6))
        if r > 2:
            c.fill(ellipse(x, y, 9, 9), "#cfe3ff", opacity=0.25, blur=4)


def disc(c: Canvas, x: float, y: float, r: float, colour: str, halo: str) -> None:
    """Sun or moon with its glow."""
    for k, o in ((4.2, 0.20), (2.5, 0.28), (1.6, 0.38)):
        c.fill(ellipse(x, y, r * k, r * k), halo, opacity=o, blur=r * k * 0.35, mode="screen")
    c.fill(ellipse(x, y, r, r), radial((x - r * 0.3, y - r * 0.3), r * 1.5, "#ffffff", colour, halo))


def clouds(c: Canvas, seed: int, y: float, colour: str, count: int, opacity: float, thick: float = 14) -> None:
    """Long thin clouds."""
    rnd = random.Random(seed)
    for _ in range(count):
        x, yy, w = rnd.uniform(-100, c.width), y + rnd.uniform(-90, 90), rnd.uniform(160, 520)
        for k in range(3):
            line = spline([(x + k * 40, yy + k * 9), (x + w * 0.4, yy - 6 + k * 7), (x + w, yy + k * 6)], closed=False)
            c.fill(ribbon(line, taper(thick * rnd.uniform(0.5, 1.3))), colour, opacity=opacity, blur=3)


def mist(c: Canvas, y: float, height: float, colour: str, opacity: float) -> None:
    """A soft band of mist."""
    c.fill(ellipse(c.width / 2, y, c.width * 0.8, height), colour, opacity=opacity, blur=height * 0.45)


def rays(c: Canvas, x: float, y: float, colour: str, angles: tuple[tuple[float, float], ...], length: float, opacity: float) -> None:
    """Shafts of light from a point; angles in degrees, 90 is straight down, with a width each."""
    for angle, width in angles:
        a, b = math.radians(angle - width / 2), math.radians(angle + width / 2)
        c.fill([(x, y), (x + length * math.cos(a), y + length * math.sin(a)), (x + length * math.cos(b), y + length * math.sin(b))],
               radial((x, y), length, colour, "#000000"), opacity=opacity, blur=9, mode="screen")


def flakes(c: Canvas, seed: int, count: int, colour: str, *, size: tuple[float, float] = (1.5, 6), blur: float = 1.2, keep_out: tuple[float, float, float] | None = None) -> None:
    """Snow, sparks or dust; keep_out is a circle (x, y, r) left free."""
    rnd = random.Random(seed)
    for _ in range(count):
        x, y, r = rnd.uniform(0, c.width), rnd.uniform(0, c.height), rnd.uniform(*size)
        if keep_out and math.hypot(x - keep_out[0], y - keep_out[1]) < keep_out[2]:
            continue
        c.fill(ellipse(x, y, r, r * rnd.uniform(0.7, 1)), colour, opacity=rnd.uniform(0.35, 0.95), blur=blur)


def leaves(c: Canvas, seed: int, count: int, colours: tuple[str, ...], size: tuple[float, float], area: tuple[float, float, float, float]) -> None:
    """Scattered leaves within an area."""
    rnd = random.Random(seed)
    for _ in range(count):
        x, y = rnd.uniform(area[0], area[2]), rnd.uniform(area[1], area[3])
        s = rnd.uniform(*size)
        with c.at(x, y, size=s, turn=rnd.uniform(0, 360)):
            tone = rnd.choice(colours)
            c.fill(spline([(0, -1, "c"), (0.5, -0.2), (0.35, 0.5), (0, 1, "c"), (-0.35, 0.5), (-0.5, -0.2)]), tone, opacity=rnd.uniform(0.6, 1))
            c.stroke([(0, -0.9), (0, 0.9)], 0.06, mix(tone, "#000000", 0.35), opacity=0.8)


def grass(c: Canvas, seed: int, foot: float, count: int, dark: str, light: str, height: tuple[float, float] = (40, 130)) -> None:
    """Blades along the lower edge."""
    rnd = random.Random(seed)
    for _ in range(count):
        x, h, lean = rnd.uniform(-20, c.width + 20), rnd.uniform(*height), rnd.uniform(-45, 45)
        y = foot + rnd.uniform(0, 50)
        line = spline([(x, y), (x + lean * 0.3, y - h * 0.6), (x + lean, y - h)], closed=False)
        c.fill(ribbon(line, lambda t: 7 * (1 - t) + 0.6), mix(dark, light, rnd.random() ** 1.5))


def vignette(c: Canvas, colour: str = "#000000", strength: float = 0.45) -> None:
    """Darker corners."""
    middle = (c.width / 2, c.height * 0.46)
    c.wash(radial(middle, max(c.width, c.height) * 0.86, (0.0, "#ffffff"), (0.52, "#ffffff"), (1.0, mix("#ffffff", colour, strength))), mode="multiply")
