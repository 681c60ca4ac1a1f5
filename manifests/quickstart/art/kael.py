"""The eight pictures of Kael: where, in which light, doing what."""

# A line is a stroke: broken up, a drawing cannot be read any more.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from PIL import Image

from art import land, poses, ranger
from art.brush import Canvas, Point, ellipse, linear, mix, radial, ribbon, spline, taper


def _lit(c: Canvas, ambient: str, share: float, rim: tuple[float, float, str], seed: int, *, soft: float = 2.5) -> None:
    """Sit a finished figure in its scene: the colour of the air, light along one edge, uneven paint."""
    c.mottle(seed, 26, 0.05)
    c.wash(ambient, mode="multiply", opacity=share)
    c.rim(*rim, soft=soft)


def _flare(width: float) -> Callable[[float], float]:
    """A trunk's width: wider towards the ground."""
    return lambda t: width * (0.8 + 0.5 * t * t)


def _at_height(line: Sequence[Point], y: float) -> Point:
    """The point of the line nearest to that height."""
    return min(line, key=lambda point: abs(point[1] - y))


def dusk_portrait() -> Image.Image:
    c = Canvas(1024, 1280, "#ffffff")
    c.wash(linear((0, 0), (0, 1100), "#f8cf86", "#e8835a", "#7a3e50"))
    land.clouds(c, 11, 210, "#fff0cf", 5, 0.5)
    land.disc(c, 730, 330, 104, "#fff3cf", "#ffb25e")
    land.ridge(c, 3, 640, 260, "#b45c48", "#eaa06a")
    land.ridge(c, 8, 790, 200, "#79405a", "#c7705f")
    land.forest(c, 5, 960, (300, 460), 15, "#3c2547", "#8a4654", sun=1)
    land.mist(c, 960, 60, "#e98f68", 0.5)
    land.forest(c, 6, 1230, (460, 700), 9, "#21183a", "#5a2f4c", sun=1)
    figure = c.layer()
    with figure.at(470, 600, size=1.16):
        ranger.bust(figure, light=1, turn=0.12)
    _lit(figure, "#f0bd9c", 0.55, (-8, 6, "#ffc884"), 1)
    c.put(figure)
    land.flakes(c, 4, 60, "#ffe2a6", size=(1.5, 5))
    land.vignette(c, "#3a1530", 0.5)
    return c.finished(grain=5, seed=1)


def winter_night() -> Image.Image:
    c = Canvas(1024, 1280, "#ffffff")
    c.wash(linear((0, 0), (0, 1200), "#0f1f45", "#2b5488", "#9cc6de"))
    land.stars(c, 21, 240, 640)
    land.disc(c, 260, 270, 84, "#fdfbe8", "#8fb6dc")
    land.ridge(c, 31, 700, 330, "#dbe9f4", "#7ba6c9", rough=0.56, depth=300)
    land.ridge(c, 34, 830, 190, "#5d8ab2", "#a9cfe4")
    land.forest(c, 25, 1040, (320, 520), 12, "#1d3f63", "#3f74a0", snow=True)
    land.mist(c, 1060, 70, "#d6ecf7", 0.6)
    figure = c.layer()
    with figure.at(560, 650, size=1.24):
        ranger.bust(figure, turn=-0.85, light=-1, look=-0.6, strap=False)
    _lit(figure, "#9fbfe6", 0.72, (9, 5, "#d9efff"), 2)
    with figure.at(560, 650, size=1.24):
        for x, y, w in ((-286, 318, 74), (290, 322, 66), (-40, -270, 44), (80, -246, 30)):  # snow that stays on him
            figure.fill(ellipse(x, y, w, 13, -26 if x < -100 else 26 if x > 200 else -8), "#eef7ff", opacity=0.85, blur=4)
    c.put(figure)
    land.flakes(c, 41, 260, "#ffffff", size=(1.5, 6), keep_out=(530, 630, 120))
    land.flakes(c, 42, 16, "#ffffff", size=(9, 17), blur=5, keep_out=(530, 640, 260))
    land.vignette(c, "#081230", 0.55)
    return c.finished(grain=4, seed=2)


def full_draw() -> Image.Image:
    c = Canvas(1280, 1024, "#ffffff")
    c.wash(linear((0, 0), (0, 900), "#7fc4cf", "#f5e2a8", "#f2b45f"))
    land.disc(c, 1010, 420, 92, "#fffbe2", "#ffd27a")
    land.clouds(c, 51, 190, "#ffffff", 7, 0.55, 18)
    land.ridge(c, 52, 600, 220, "#7ba7a0", "#e6cf92")
    land.ridge(c, 57, 700, 150, "#5d8a68", "#c7bd6d")
    land.forest(c, 53, 800, (150, 260), 22, "#3f6b4a", "#7f9a52", sun=1)
    c.fill(spline([(-40, 800), (300, 770), (700, 800), (1320, 760), (1320, 1100), (-40, 1100)]), linear((0, 780), (0, 1024), "#c9b64f", "#7d7d30", "#3f4a1e"))
    land.grass(c, 54, 900, 260, "#8a8a32", "#f0d777", (60, 150))
    figure = c.layer()
    with figure.at(470, 400, size=0.82):
        poses.archer(figure)
    _lit(figure, "#ffe3b0", 0.5, (-7, 5, "#fff0b8"), 3)
    c.put(figure)
    land.grass(c, 55, 1000, 210, "#4a5220", "#c9b34a", (80, 190))
    land.flakes(c, 56, 70, "#fff6cf", size=(1.5, 5))
    land.vignette(c, "#3a3010", 0.4)
    return c.finished(grain=5, seed=3)


def cliff_edge() -> Image.Image:
    c = Canvas(1024, 1280, "#ffffff")
    c.wash(linear((0, 0), (0, 1000), "#3f2a63", "#b8487a", "#ff9a6b", "#ffd98f"))
    land.disc(c, 512, 640, 250, "#fff1c4", "#ff9f5c")
    land.clouds(c, 61, 330, "#ffc2a0", 7, 0.5, 20)
    land.ridge(c, 62, 800, 200, "#c25b78", "#ffb98a")
    land.ridge(c, 66, 910, 190, "#7d3d6e", "#e07f7a")
    land.mist(c, 960, 60, "#ffc08f", 0.6)
    land.ridge(c, 64, 1060, 170, "#4a2a5a", "#a9526f")
    for i, (x, y) in enumerate(((170, 300), (230, 270), (290, 320), (800, 210), (850, 240))):  # birds
        with c.at(x, y, size=0.9 + 0.1 * i):
            c.stroke(spline([(-22, -8), (-8, -12), (0, 0), (8, -12), (22, -8)], closed=False), taper(5), "#3a1f4a")
    rock = [(0, 1050), (90, 1034), (160, 1062), (300, 1054), (420, 1070), (560, 1062), (706, 1066), (742, 1084), (716, 1116), (660, 1140), (640, 1186), (600, 1210), (590, 1280), (0, 1280)]
    c.fill(rock, linear((700, 1050), (120, 1280), "#8a4a64", "#3f2348", "#1c1029"))
    for x0, y0, x1, y1, w in ((90, 1034, 150, 1280, 90), (300, 1054, 330, 1280, 120), (560, 1062, 500, 1280, 80), (160, 1062, 230, 1190, 50), (706, 1066, 600, 1210, 60)):
        c.fill([(x0, y0), (x1 + w / 2, y1), (x1 - w / 2, y1)], "#180c22", opacity=0.55, clip=rock)
    c.stroke([p for p in rock if p[1] < 1090], 5, "#ffb98a", opacity=0.75, blur=1)
    figure = c.layer()
    with figure.at(410, 440, size=0.43):
        poses.from_behind(figure, sway=240)
    _lit(figure, "#a5668a", 0.62, (-5, 3, "#ffcf95"), 4, soft=2)
    c.put(figure)
    land.vignette(c, "#1c0a2c", 0.5)
    return c.finished(grain=5, seed=4)


def campfire() -> Image.Image:
    c = Canvas(1280, 1024, "#ffffff")
    c.wash(linear((0, 0), (0, 900), "#081226", "#12294a", "#1f3f4c"))
    land.stars(c, 71, 200, 460)
    land.forest(c, 72, 720, (380, 620), 14, "#0a1a2c", "#16344a", sun=-1)
    c.fill(ellipse(400, 800, 900, 330), "#ff8a3a", opacity=0.34, blur=120, mode="screen")
    land.forest(c, 73, 800, (520, 820), 7, "#060f1c", "#3a2c2c", sun=1)
    c.fill(spline([(-40, 800), (400, 770), (900, 790), (1320, 770), (1320, 1100), (-40, 1100)]), radial((390, 880), 800, "#8a5230", "#3a2a26", "#10141c"))
    c.fill(spline([(560, 770), (1180, 760), (1214, 800), (1190, 850), (560, 860), (540, 812)]), linear((560, 760), (560, 860), "#7d5236", "#3c2619", "#1a100c"))
    figure = c.layer()
    with figure.at(850, 360, size=0.5):
        poses.by_the_fire(figure)
    figure.mottle(5, 26, 0.05)
    figure.wash(radial((400, 760), 1150, "#fff3d6", (0.35, "#ffd39a"), (0.6, "#c98a6a"), (0.85, "#4a5488"), (1.0, "#2c3a6a")), mode="multiply")
    figure.wash(radial((400, 760), 620, "#ff9a3c", "#000000"), mode="screen", opacity=0.28)
    figure.rim(6, 2, "#ffb25e", soft=4)
    figure.rim(-4, 3, "#5f86c9", opacity=0.6, soft=2)
    c.put(figure)
    for turn in (-24, 18, 64, 118):  # logs and flames
        with c.at(390, 900, turn=turn, squash=1):
            c.stroke([(-130, 0), (130, 0)], 30, linear((-130, 0), (130, 0), "#4a2a1a", "#1c100b"))
    c.fill(ellipse(390, 800, 300, 300), "#ff7a2a", opacity=0.5, blur=80, mode="screen")
    for w, h, lean, colour, o in ((150, 330, -18, "#e2491f", 0.95), (118, 270, 22, "#ff7a24", 1), (84, 206, -10, "#ffb13a", 1), (50, 132, 8, "#fff0a8", 1)):
        flame = spline([(lean, -h, "c"), (w * 0.32, -h * 0.55), (w * 0.86, -h * 0.3), (w * 0.7, 4), (0, 26), (-w * 0.72, 4), (-w * 0.9, -h * 0.34), (-w * 0.34, -h * 0.5)])
        with c.at(390, 896):
            c.fill(flame, linear((0, -h), (0, 20), mix(colour, "#ff3a10", 0.25), colour), opacity=o, blur=2.2)
    land.flakes(c, 76, 70, "#ffb45a", size=(1.4, 4.5))
    for i, x in enumerate(range(180, 640, 52)):
        c.fill(ellipse(x, 940 + 26 * ((i % 3) - 1) * 0.4 + (30 if 250 < x < 530 else 0), 34, 22), linear((x - 20, 900), (x + 30, 970), "#8d7a6d", "#2a2628"))
    land.vignette(c, "#02040c", 0.6)
    return c.finished(grain=4, seed=5)


def autumn_path() -> Image.Image:
    c = Canvas(1024, 1280, "#ffffff")
    c.wash(linear((0, 0), (0, 1280), "#ffe9b0", "#f4c06a", "#c9783a"))
    land.disc(c, 240, 250, 130, "#fffdf0", "#ffe39a")
    for row, (dark, light, w, step, off) in enumerate((("#d9a35c", "#eec07c", 44, 128, 20), ("#a86a3c", "#cf9150", 66, 190, 90), ("#5c3426", "#8f5432", 112, 470, -30))):
        for i in range(9):
            x = off + i * step
            if row == 2 and 200 < x < 800:
                continue
            trunk = spline([(x, -20), (x + 14 - 9 * (i % 3), 500), (x - 6, 1060 + row * 60)], closed=False)
            c.fill(ribbon(trunk, _flare(w)), linear((x - w / 2, 0), (x + w / 2, 0), light, dark))
            if row:
                for y in range(120, 1000, 170):
                    c.stroke(spline([(x - w * 0.2, y + i * 13), (x - w * 0.1, y + 60 + i * 13)], closed=False), taper(w * 0.1), mix(dark, "#000000", 0.3), opacity=0.6)
        land.leaves(c, 80 + row, 260 - row * 60, (("#f2b950", "#f7d27c", "#e39a4a"), ("#e88a2e", "#d9601f", "#f2b13e"), ("#a83a1c", "#d2561c", "#7d2a1a"))[row],
                    (14 + row * 7, 30 + row * 10), (-20, -40, 1044, 300 - row * 50))
        land.mist(c, 980 + row * 30, 70, "#ffe2a0", 0.35)
    c.fill(spline([(-40, 1090), (300, 1060), (760, 1070), (1070, 1050), (1070, 1320), (-40, 1320)]), linear((0, 1060), (0, 1280), "#b8662c", "#6b3219"))
    c.fill(spline([(430, 1066), (600, 1066), (820, 1300, "c"), (180, 1300, "c")]), linear((0, 1060), (0, 1290), "#eec586", "#b07a44"), blur=3)
    land.leaves(c, 90, 240, ("#e88a2e", "#c9481c", "#f2c04e", "#8f2f1c"), (8, 20), (-10, 1080, 1034, 1280))
    c.fill(ellipse(560, 1180, 250, 30), "#4a2412", opacity=0.6, blur=16)
    figure = c.layer()
    with figure.at(508, 390, size=0.52):
        poses.standing(figure, turn=-0.35, light=-1, sway=60, stride=40)
    _lit(figure, "#ffd9a0", 0.5, (6, 5, "#fff0bf"), 6, soft=2.2)
    c.put(figure)
    land.rays(c, 180, -60, "#fff2c4", ((48, 5), (58, 7), (70, 4), (80, 6)), 1500, 0.3)
    land.leaves(c, 91, 26, ("#f2a23a", "#d9541f", "#f7d05e"), (12, 24), (0, 200, 1024, 1100))
    land.vignette(c, "#3a1806", 0.45)
    return c.finished(grain=5, seed=6)


def lantern_rain() -> Image.Image:
    c = Canvas(1024, 1280, "#ffffff")
    c.wash(linear((0, 0), (0, 1280), "#0c1622", "#1c3644", "#2b4a4c"))
    for x, w, top, tone in ((-20, 230, 140, "#14232f"), (180, 190, 330, "#1c303b"), (660, 200, 300, "#1c303b"), (820, 240, 90, "#14232f"), (350, 150, 480, "#27424a"), (510, 170, 430, "#27424a")):
        c.fill([(x, top + 110), (x + w / 2, top), (x + w, top + 110), (x + w, 1280), (x, 1280)], linear((0, top), (0, 1000), mix(tone, "#4a6a70", 0.18), tone))
        for wy in range(top + 170, 900, 150):
            for wx in (x + w * 0.3, x + w * 0.68):
                if (int(wx) * 7 + wy) % 3:
                    c.fill(ellipse(wx, wy, 46, 52), "#ffb545", opacity=0.25, blur=18, mode="screen")
                    c.fill([(wx - 17, wy - 26), (wx + 17, wy - 26), (wx + 17, wy + 28), (wx - 17, wy + 28)], linear((0, wy - 26), (0, wy + 28), "#ffe29a", "#e9913a"))
                    c.stroke([(wx, wy - 26), (wx, wy + 28)], 3, "#2a1c14")
                    c.stroke([(wx - 17, wy), (wx + 17, wy)], 3, "#2a1c14")
    land.mist(c, 900, 120, "#5d8a8a", 0.35)
    figure = c.layer()
    with figure.at(580, 590, size=1.14):
        ranger.bust(figure, turn=-0.4, light=-1, look=-0.8)
    figure.mottle(7, 26, 0.05)
    figure.wash(radial((150, 680), 1000, "#fff6dc", (0.3, "#ffe0a8"), (0.55, "#dba878"), (0.8, "#4f6488"), (1.0, "#34496e")), mode="multiply")
    figure.wash(radial((150, 680), 620, "#ff9a3c", "#000000"), mode="screen", opacity=0.25)
    figure.rim(8, 4, "#ffc277", soft=4)
    figure.rim(-5, 3, "#6fb6c9", opacity=0.7, soft=2)
    c.put(figure)
    c.fill(ellipse(190, 680, 330, 330), "#ffab4a", opacity=0.42, blur=90, mode="screen")
    hand = c.layer()
    with hand.at(190, 0):
        poses.sleeve(hand, [(150, 1380), (70, 1060), (20, 780), (2, 540)], 150)
        with hand.at(0, 496, turn=-90, size=1.05):
            ranger.fist(hand, light=1)
    hand.wash("#8a6a5a", mode="multiply", opacity=0.5)
    hand.rim(6, 4, "#ffcf8a", soft=3)
    c.put(hand)
    with c.at(106, 520, size=1.12):
        poses.lantern(c)
    c.fill(ellipse(106, 750, 190, 190), "#ffd27a", opacity=0.5, blur=60, mode="screen")
    rnd = random.Random(77)
    for _ in range(230):
        start, high, length = rnd.uniform(-60, 1040), rnd.uniform(-40, 1280), rnd.uniform(30, 90)
        c.stroke([(start, high), (start - length * 0.16, high + length)], 1.7, "#cfe6ee", opacity=rnd.uniform(0.15, 0.5))
    land.vignette(c, "#02070c", 0.55)
    return c.finished(grain=5, seed=7)


def taking_aim() -> Image.Image:
    c = Canvas(1024, 1280, "#ffffff")
    c.wash(radial((512, 540), 960, "#c4ecd0", "#3f9a86", "#0f4a52", "#062832"))
    land.rays(c, 512, -160, "#dfffd8", ((66, 6), (80, 5), (94, 8), (110, 6), (122, 4)), 1500, 0.3)
    land.forest(c, 101, 1080, (620, 900), 9, "#145056", "#2f8a7a", sun=1)
    land.mist(c, 1080, 90, "#8fd6bc", 0.4)
    figure = c.layer()
    with figure.at(524, 600, size=1.16):
        ranger.bust(figure, light=1, brow=1.0, turn=0.05)
    _lit(figure, "#a9dcc4", 0.55, (-7, 7, "#d8ffe0"), 8)
    c.put(figure)
    front = c.layer()
    with front.at(366, 700, size=1.16):  # the bow, edge on, and the arrow that looks at us
        c_limb = spline([(30, -620), (6, -420), (-16, -180), (-20, 0), (-16, 180), (6, 420), (30, 620)], closed=False)
        front.stroke([(48, -660), (110, 10), (54, 620)], 4, "#f3ead6")
        front.fill(ribbon(c_limb, lambda t: 24 + 40 * (1 - abs(2 * t - 1))), linear((-50, 0), (40, 0), ranger.WOOD_LIGHT, ranger.WOOD, ranger.WOOD_DARK))
        front.stroke([(x - 12, y) for x, y in c_limb], taper(8), "#ffdca6", opacity=0.6)
        for y in (-330, -150, 150, 330):
            near = _at_height(c_limb, y)
            front.stroke([(near[0] - 34, y), (near[0] + 34, y)], 22, linear((near[0] - 30, 0), (near[0] + 30, 0), ranger.COPPER_LIGHT, ranger.COPPER, "#6f3517"))
        with front.at(70, 6):
            front.fill([(40, 8), (-42, -20), (-66, 20), (30, 26)], linear((40, 0), (-60, 0), ranger.WOOD, ranger.WOOD_LIGHT))
        with front.at(-16, 70, size=1.6):
            ranger.fist(front, light=1)
        with front.at(-10, -14):
            front.fill(spline([(0, -66, "c"), (34, 0), (0, 50, "c"), (-34, 0)]), "#0a1a1c", opacity=0.5, blur=8)
            front.fill([(0, -72), (36, 4), (0, 26)], linear((0, -60), (36, 20), "#c9d6d8", "#6a7d84"))
            front.fill([(0, -72), (-36, 4), (0, 26)], linear((-36, -30), (0, 20), "#ffffff", "#a9bcc0"))
            front.fill([(-36, 4), (0, 26), (36, 4), (0, 58)], linear((-30, 0), (30, 50), "#8fa3a8", "#39474c"))
    front.wash("#c9e6d2", mode="multiply", opacity=0.4)
    front.rim(-5, 5, "#e8ffe8", soft=2)
    c.put(front.shadow("#04201c", 14, 10, 12, 0.5))
    c.put(front)
    land.flakes(c, 104, 60, "#e8ffd0", size=(1.5, 5))
    land.vignette(c, "#02181c", 0.5)
    return c.finished(grain=5, seed=8)


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "01_dusk_portrait": dusk_portrait,
    "02_winter_night": winter_night,
    "03_full_draw": full_draw,
    "04_cliff_edge": cliff_edge,
    "05_campfire": campfire,
    "06_autumn_path": autumn_path,
    "07_lantern_rain": lantern_rain,
    "08_taking_aim": taking_aim,
}
