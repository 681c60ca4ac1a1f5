"""A small painter on Pillow: splines, gradients, soft light and grain. Knows nothing of what is drawn.

Coordinates are pixels of the finished picture. Everything is drawn SCALE times larger and reduced at the end, which is
where the smooth edges come from. All randomness comes from seeds, so the same code gives the same pixels.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SCALE = 2

Point = tuple[float, float]
Knot = tuple[float, float] | tuple[float, float, str]
Rgb = tuple[int, int, int]
Box = tuple[int, int, int, int]
Paint = Callable[["Canvas", Box], Image.Image]
Affine = tuple[float, float, float, float, float, float]


def rgb(hexa: str) -> Rgb:
    """'#1b2a41' as three numbers."""
    value = int(hexa.lstrip("#"), 16)
    return (value >> 16, (value >> 8) & 255, value & 255)


def mix(one: str, other: str, share: float) -> str:
    """The colour `share` of the way from one to the other."""
    a, b = rgb(one), rgb(other)
    return "#{:02x}{:02x}{:02x}".format(*(round(p + (q - p) * share) for p, q in zip(a, b, strict=True)))


def spline(knots: Sequence[Knot], *, closed: bool = True, tension: float = 0.5) -> list[Point]:
    """A smooth line through the knots; a knot written (x, y, "c") is a corner."""
    n = len(knots)
    out: list[Point] = []
    for i in range(n if closed else n - 1):
        prev, here, after, far = (knots[j % n] if closed else knots[min(max(j, 0), n - 1)] for j in range(i - 1, i + 3))
        k = tension / 3 * 2
        t0 = (0.0, 0.0) if len(here) == 3 else ((after[0] - prev[0]) * k / 2, (after[1] - prev[1]) * k / 2)
        t1 = (0.0, 0.0) if len(after) == 3 else ((far[0] - here[0]) * k / 2, (far[1] - here[1]) * k / 2)
        a, d = (here[0], here[1]), (after[0], after[1])
        b, c = (a[0] + t0[0], a[1] + t0[1]), (d[0] - t1[0], d[1] - t1[1])
        steps = 14
        for s in range(steps):
            t = s / steps
            u = 1 - t
            w = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
            out.append(
                (
                    w[0] * a[0] + w[1] * b[0] + w[2] * c[0] + w[3] * d[0],
                    w[0] * a[1] + w[1] * b[1] + w[2] * c[1] + w[3] * d[1],
                )
            )
    if not closed:
        out.append((knots[-1][0], knots[-1][1]))
    return out


def ellipse(cx: float, cy: float, rx: float, ry: float, turn: float = 0.0) -> list[Point]:
    """An ellipse, `turn` degrees round its centre."""
    co, si = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    points = []
    for i in range(96):
        x, y = rx * math.cos(i * math.tau / 96), ry * math.sin(i * math.tau / 96)
        points.append((cx + x * co - y * si, cy + x * si + y * co))
    return points


def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> list[Point]:
    """A rectangle, its corners rounded."""
    if radius <= 0:
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    out: list[Point] = []
    left, right, top, bottom = x0 + radius, x1 - radius, y0 + radius, y1 - radius
    corners = ((right, top), (right, bottom), (left, bottom), (left, top))
    for start, (cx, cy) in zip((-90, 0, 90, 180), corners, strict=True):
        for step in range(13):
            a = math.radians(start + step * 7.5)
            out.append((cx + radius * math.cos(a), cy + radius * math.sin(a)))
    return out


def ribbon(line: Sequence[Point], width: float | Callable[[float], float]) -> list[Point]:
    """The outline of a stroke; a line that ends where it began is a ring, width may be a function of 0..1 along it."""
    left: list[Point] = []
    right: list[Point] = []
    last = len(line) - 1
    ring = line[0] == line[-1] and last > 2
    for i, (x, y) in enumerate(line):
        ax, ay = line[last - 1] if ring and i == 0 else line[max(i - 1, 0)]
        bx, by = line[1] if ring and i == last else line[min(i + 1, last)]
        length = math.hypot(bx - ax, by - ay) or 1.0
        w = (width(i / last) if callable(width) else width) / 2
        nx, ny = -(by - ay) / length * w, (bx - ax) / length * w
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return left + right[::-1]


def taper(width: float) -> Callable[[float], float]:
    """A brush stroke's width: thin at both ends."""
    return lambda t: width * (0.12 + 0.88 * math.sin(math.pi * min(max(t, 0.0), 1.0)))


def _ramp(stops: Sequence[tuple[float, str]]) -> list[list[int]]:
    tables: list[list[int]] = [[], [], []]
    for i in range(256):
        t = i / 255
        low = max((s for s in stops if s[0] <= t), key=lambda s: s[0], default=stops[0])
        high = min((s for s in stops if s[0] >= t), key=lambda s: s[0], default=stops[-1])
        span = high[0] - low[0]
        colour = rgb(mix(low[1], high[1], (t - low[0]) / span if span else 0.0))
        for table, value in zip(tables, colour, strict=True):
            table.append(value)
    return tables


def _coloured(grey: Image.Image, stops: Sequence[tuple[float, str]]) -> Image.Image:
    return Image.merge("RGB", [grey.point(table) for table in _ramp(stops)])


def flat(colour: str) -> Paint:
    """One colour."""
    return lambda _canvas, area: Image.new("RGB", (area[2] - area[0], area[3] - area[1]), rgb(colour))


def linear(start: Point, end: Point, *colours: str | tuple[float, str]) -> Paint:
    """A gradient from start to end; colours are spread evenly unless they bring their place (0..1)."""
    stops = [c if isinstance(c, tuple) else (i / max(len(colours) - 1, 1), c) for i, c in enumerate(colours)]

    def paint(canvas: Canvas, area: Box) -> Image.Image:
        (x0, y0), (x1, y1) = canvas.place([start, end])
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy or 1.0
        corners = [(area[i], area[j]) for i in (0, 2) for j in (1, 3)]
        ts = [((x - x0) * dx + (y - y0) * dy) / square for x, y in corners]
        low, high = min(*ts, 0.0) - 0.01, max(*ts, 1.0) + 0.01
        width = 1024
        strip = Image.new("L", (width, 3))
        row = [round(255 * min(max(low + (high - low) * i / (width - 1), 0.0), 1.0)) for i in range(width)]
        strip.putdata(row * 3)
        gain = (width - 1) / (high - low)
        a, b = dx / square * gain, dy / square * gain
        c = (((area[0] - x0) * dx + (area[1] - y0) * dy) / square - low) * gain
        size = (area[2] - area[0], area[3] - area[1])
        grey = strip.transform(size, Image.Transform.AFFINE, (a, b, c, 0, 0, 1), Image.Resampling.BILINEAR)
        return _coloured(grey, stops)

    return paint


def radial(centre: Point, radius: float, *colours: str | tuple[float, str]) -> Paint:
    """A round gradient from the centre outwards."""
    stops = [c if isinstance(c, tuple) else (i / max(len(colours) - 1, 1), c) for i, c in enumerate(colours)]

    def paint(canvas: Canvas, area: Box) -> Image.Image:
        (cx, cy), (ex, ey) = canvas.place([centre, (centre[0] + radius, centre[1])])
        r = math.hypot(ex - cx, ey - cy)
        disc = Image.radial_gradient("L")  # 256 wide; 0 in the middle, 255 in the corners, 181 at 128 from the middle
        disc = disc.point([min(255, round(i * 255 / 179)) for i in range(256)])
        k = 127 / r
        size = (area[2] - area[0], area[3] - area[1])
        shift = (k, 0, (area[0] - cx) * k + 128, 0, k, (area[1] - cy) * k + 128)
        grey = disc.transform(size, Image.Transform.AFFINE, shift, Image.Resampling.BICUBIC, fillcolor=255)
        return _coloured(grey, stops)

    return paint


def noise(size: tuple[int, int], seed: int, cell: float = 1.0, low: int = 0, high: int = 255) -> Image.Image:
    """Grey noise of that size; cell is the size of a speck in pixels."""
    small = (max(2, round(size[0] / cell)), max(2, round(size[1] / cell)))
    raw = Image.frombytes("L", small, random.Random(seed).randbytes(small[0] * small[1]))
    raw = raw.point([round(low + (high - low) * i / 255) for i in range(256)])
    return raw if small == size else raw.resize(size, Image.Resampling.BICUBIC)


class Canvas:
    """A picture in the making, or a transparent layer of one."""

    def __init__(self, width: int, height: int, ground: str | None = None) -> None:
        self.width, self.height = width, height
        size = (width * SCALE, height * SCALE)
        self.image = Image.new("RGBA", size, (*rgb(ground), 255) if ground else (0, 0, 0, 0))
        self._affine: Affine = (SCALE, 0, 0, 0, SCALE, 0)

    # -- where ------------------------------------------------------------------------------------

    def place(self, points: Sequence[Point]) -> list[Point]:
        """Local coordinates as pixels of the large picture."""
        a, b, c, d, e, f = self._affine
        return [(a * x + b * y + c, d * x + e * y + f) for x, y in points]

    @contextmanager
    def at(
        self, x: float = 0, y: float = 0, *, size: float = 1, turn: float = 0, flip: bool = False, squash: float = 1
    ) -> Iterator[None]:
        """Draw within: moved to (x, y), then turned, sized, mirrored, squashed in height."""
        saved = self._affine
        a, b, c, d, e, f = saved
        co, si = math.cos(math.radians(turn)) * size, math.sin(math.radians(turn)) * size
        m = -1 if flip else 1
        la, lb, ld, le = co * m, -si * squash, si * m, co * squash
        self._affine = (
            a * la + b * ld, a * lb + b * le, a * x + b * y + c,
            d * la + e * ld, d * lb + e * le, d * x + e * y + f,
        )  # fmt: skip
        try:
            yield
        finally:
            self._affine = saved

    @property
    def unit(self) -> float:
        """How many large pixels a local unit is."""
        a, b, _c, d, e, _f = self._affine
        return math.sqrt(abs(a * e - b * d))

    def layer(self) -> Canvas:
        """An empty layer of the same size and place."""
        other = Canvas(self.width, self.height)
        other._affine = self._affine
        return other

    # -- what -------------------------------------------------------------------------------------

    def fill(
        self,
        shape: Sequence[Point],
        paint: Paint | str,
        *,
        opacity: float = 1.0,
        blur: float = 0.0,
        clip: Sequence[Point] | None = None,
        mode: str = "normal",
    ) -> None:
        """Fill a shape. mode: normal, multiply, screen, overlay or soft; all but normal keep to what is drawn."""
        points = self.place(shape)
        reach = blur * self.unit
        area = self._area(points, reach * 3 + 2)
        if area is None:
            return
        mask = self._mask(points, area)
        if reach:
            mask = mask.filter(ImageFilter.GaussianBlur(reach))
        if clip is not None:
            mask = ImageChops.multiply(mask, self._mask(self.place(clip), area))
        if opacity < 1:
            mask = mask.point([round(i * opacity) for i in range(256)])
        colour = (flat(paint) if isinstance(paint, str) else paint)(self, area)
        self._lay(colour, mask, area, mode)

    def stroke(
        self, line: Sequence[Point], width: float | Callable[[float], float], paint: Paint | str, **how: object
    ) -> None:
        """A line of that width."""
        self.fill(ribbon(line, width), paint, **how)  # type: ignore[arg-type]  # the same keywords as fill

    def wash(self, paint: Paint | str, *, opacity: float = 1.0, mode: str = "normal") -> None:
        """The whole canvas; on a layer everything but normal keeps to what is drawn."""
        area = (0, 0, *self.image.size)
        mask = Image.new("L", self.image.size, round(255 * opacity))
        self._lay((flat(paint) if isinstance(paint, str) else paint)(self, area), mask, area, mode)

    def put(self, layer: Canvas, opacity: float = 1.0) -> None:
        """Lay a layer over this picture."""
        top = layer.image
        if opacity < 1:
            top = top.copy()
            top.putalpha(top.getchannel("A").point([round(i * opacity) for i in range(256)]))
        self.image.alpha_composite(top)

    def rim(self, dx: float, dy: float, colour: str, *, opacity: float = 0.8, soft: float = 2.0) -> None:
        """Light along the edges that look towards (-dx, -dy): the layer's outline without itself moved by (dx, dy)."""
        alpha = self.image.getchannel("A")
        moved = ImageChops.offset(alpha, round(dx * SCALE), round(dy * SCALE))
        edge = ImageChops.subtract(alpha, moved).filter(ImageFilter.GaussianBlur(soft * SCALE))
        edge = ImageChops.multiply(edge, alpha).point([round(i * opacity) for i in range(256)])
        area = (0, 0, *self.image.size)
        self._lay(Image.new("RGB", self.image.size, rgb(colour)), edge, area, "screen")

    def outlined(self, colour: str, width: float) -> Canvas:
        """A layer with this layer's silhouette grown by width: what goes behind it as an outline."""
        alpha = self.image.getchannel("A").point([255 if i > 127 else 0 for i in range(256)])
        radius = width * SCALE
        grown = alpha.filter(ImageFilter.GaussianBlur(radius * 0.75)).point([255 if i > 26 else 0 for i in range(256)])
        other = self.layer()
        other.image.paste((*rgb(colour), 255), mask=grown)
        return other

    def shadow(self, colour: str, dx: float, dy: float, blur: float, opacity: float) -> Canvas:
        """A soft shadow of this layer, to be put below it."""
        alpha = ImageChops.offset(self.image.getchannel("A"), round(dx * SCALE), round(dy * SCALE))
        alpha = alpha.filter(ImageFilter.GaussianBlur(blur * SCALE)).point([round(i * opacity) for i in range(256)])
        other = self.layer()
        other.image.paste(Image.new("RGBA", self.image.size, (*rgb(colour), 255)), (0, 0))
        other.image.putalpha(alpha)
        return other

    def mottle(self, seed: int, cell: float, strength: float) -> None:
        """Uneven paint: large soft specks, kept to what is drawn."""
        specks = noise(self.image.size, seed, cell * SCALE, round(128 - 127 * strength), round(128 + 127 * strength))
        area = (0, 0, *self.image.size)
        self._lay(Image.merge("RGB", [specks] * 3), Image.new("L", self.image.size, 255), area, "overlay")

    def finished(self, *, grain: float = 0.0, seed: int = 0) -> Image.Image:
        """The picture at its real size, without alpha, with a little film grain when asked for."""
        picture = self.image.convert("RGB").resize((self.width, self.height), Image.Resampling.LANCZOS)
        if grain:
            specks = noise(picture.size, seed, 1.0, round(128 - grain), round(128 + grain))
            picture = ImageChops.add(picture, Image.merge("RGB", [specks] * 3), 1, -128)
        return picture

    # -- how --------------------------------------------------------------------------------------

    def _area(self, points: Sequence[Point], margin: float) -> Box | None:
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        x0, y0 = max(0, math.floor(min(xs) - margin)), max(0, math.floor(min(ys) - margin))
        x1 = min(self.image.width, math.ceil(max(xs) + margin))
        y1 = min(self.image.height, math.ceil(max(ys) + margin))
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None

    @staticmethod
    def _mask(points: Sequence[Point], area: Box) -> Image.Image:
        mask = Image.new("L", (area[2] - area[0], area[3] - area[1]))
        ImageDraw.Draw(mask).polygon([(x - area[0], y - area[1]) for x, y in points], fill=255)
        return mask

    def _lay(self, colour: Image.Image, mask: Image.Image, area: Box, mode: str) -> None:
        below = self.image.crop(area)
        if mode == "normal":
            top = colour.convert("RGBA")
            top.putalpha(mask)
            below.alpha_composite(top)
        else:
            alpha = below.getchannel("A")
            base = below.convert("RGB")
            blend = {
                "multiply": ImageChops.multiply,
                "screen": ImageChops.screen,
                "overlay": ImageChops.overlay,
                "soft": ImageChops.soft_light,
            }[mode]
            below = Image.composite(blend(base, colour), base, mask).convert("RGBA")
            below.putalpha(alpha)
        self.image.paste(below, area)
