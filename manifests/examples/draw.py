"""Draws the small flat pictures of the examples: `python draw.py` here. Seedless and CC0, as those of the quickstart.

pictures/ holds five subjects; pairs/ holds them once more with their linocut prints, as two folders and as one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter, ImageOps

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "quickstart"))

from art.brush import Canvas, box, ellipse, ribbon, spline, taper  # noqa: E402  # its folder has to be importable first


def _eyes(c: Canvas, apart: float, y: float, size: float, ring: str | None = None) -> None:
    for side in (-1, 1):
        if ring:
            c.fill(ellipse(512 + apart * side, y, size * 1.9, size * 1.9), ring)
        c.fill(ellipse(512 + apart * side, y, size, size * 1.08), "#2a2030")
        c.fill(ellipse(512 + apart * side - size * 0.3, y - size * 0.35, size * 0.32, size * 0.32), "#ffffff")


def fox() -> Image.Image:
    c = Canvas(1024, 1024, "#f7e3c4")
    c.fill(ellipse(512, 560, 420, 420), "#f0cf98")
    for side in (-1, 1):
        with c.at(512, 0, flip=side < 0):
            c.fill(spline([(70, 380, "c"), (220, 130, "c"), (320, 460, "c"), (200, 520)]), "#d9622b")
            c.fill(spline([(150, 380, "c"), (222, 210, "c"), (268, 430, "c")]), "#4a2a30")
    c.fill(
        spline(
            [(512, 330), (760, 420), (820, 600, "c"), (640, 740), (512, 880), (384, 740), (204, 600, "c"), (264, 420)]
        ),
        "#e87a35",
    )
    for side in (-1, 1):
        with c.at(512, 0, flip=side < 0):
            c.fill(
                spline([(0, 880, "c"), (128, 740), (308, 600, "c"), (190, 560), (70, 610), (0, 730, "c")]), "#fff4e2"
            )
    _eyes(c, 128, 540, 34)
    c.fill(spline([(470, 800), (512, 786), (554, 800), (512, 862)]), "#2a2030")
    return c.finished()


def owl() -> Image.Image:
    c = Canvas(1024, 1024, "#28365e")
    c.fill(ellipse(760, 260, 130, 130), "#f6e7b0")
    c.fill(ellipse(714, 232, 116, 116), "#28365e")
    c.fill(
        spline(
            [
                (280, 250, "c"),
                (400, 300),
                (512, 310),
                (624, 300),
                (744, 250, "c"),
                (760, 520),
                (700, 820),
                (512, 890),
                (324, 820),
                (264, 520),
            ]
        ),
        "#8a6248",
    )
    c.fill(spline([(512, 520), (640, 620), (620, 800), (512, 856), (404, 800), (384, 620)]), "#d9b98a")
    for row, y in enumerate((640, 710, 780)):
        for k in range(-2 + row // 2, 3 - row // 2):
            x = 512 + k * 62
            c.stroke(spline([(x - 24, y - 14), (x, y + 14), (x + 24, y - 14)], closed=False), taper(14), "#8a6248")
    _eyes(c, 106, 430, 52, ring="#f7e8cc")
    c.fill(spline([(476, 470, "c"), (548, 470, "c"), (512, 560, "c")]), "#f0a53a")
    c.fill(box(120, 880, 904, 924, 20), "#5b3a2a")
    for x in (430, 470, 554, 594):
        c.fill(ellipse(x, 884, 17, 34), "#f0a53a")
    return c.finished()


def whale() -> Image.Image:
    c = Canvas(1024, 1024, "#bfe6ea")
    c.fill(box(0, 560, 1024, 1024), "#3f97b5")
    body = spline(
        [
            (120, 560),
            (240, 380),
            (520, 330),
            (760, 420),
            (820, 560),
            (860, 470),
            (800, 330),
            (880, 370),
            (920, 300),
            (950, 400),
            (920, 560),
            (820, 730),
            (560, 800),
            (260, 760),
        ]
    )
    c.fill(body, "#27527a")
    c.fill(spline([(130, 600), (300, 650), (520, 670), (700, 640), (600, 780), (320, 770)]), "#e6f3f2", clip=body)
    for k in range(5):
        c.stroke(
            spline([(190 + k * 40, 650 + k * 14), (330 + k * 40, 690 + k * 8), (470 + k * 34, 700)], closed=False),
            7,
            "#9fc4cf",
            clip=body,
        )
    c.fill(ellipse(310, 540, 26, 30), "#10202e")
    c.fill(ellipse(302, 530, 8, 8), "#ffffff")
    for lean in (-90, -30, 30, 90):
        c.fill(
            ribbon(
                spline([(440, 330), (440 + lean * 0.5, 210), (440 + lean * 1.5, 190 + abs(lean))], closed=False),
                taper(26),
            ),
            "#ffffff",
        )
    for k in range(5):
        x = 40 + k * 230
        c.fill(ribbon(spline([(x - 90, 900), (x, 870), (x + 90, 900)], closed=False), taper(26)), "#7cc3d4")
    return c.finished()


def bear() -> Image.Image:
    c = Canvas(1024, 1024, "#cfe0b8")
    for x, h in ((110, 520), (240, 400), (800, 420), (920, 560)):
        c.fill([(x, 900 - h), (x + 120, 900), (x - 120, 900)], "#7fa86e")
    c.fill(box(0, 880, 1024, 1024), "#5f8a56")
    c.fill(spline([(512, 620), (760, 760), (800, 1060), (224, 1060), (264, 760)]), "#5a3d30")
    for side in (-1, 1):
        c.fill(ellipse(512 + 190 * side, 300, 84, 84), "#6f4c3a")
        c.fill(ellipse(512 + 190 * side, 306, 46, 46), "#c99a78")
    c.fill(ellipse(512, 480, 262, 240), "#6f4c3a")
    c.fill(ellipse(512, 560, 128, 104), "#d9b08c")
    _eyes(c, 106, 440, 26)
    c.fill(spline([(460, 516), (512, 500), (564, 516), (512, 566)]), "#2a2030")
    c.stroke(spline([(462, 604), (512, 632), (562, 604)], closed=False), 10, "#2a2030")
    return c.finished()


def cactus() -> Image.Image:
    c = Canvas(1024, 1024, "#f6b98a")
    c.fill(ellipse(270, 270, 120, 120), "#fff0c0")
    c.fill(
        spline([(0, 640), (260, 560), (520, 640), (800, 570), (1024, 640), (1024, 1060, "c"), (0, 1060, "c")]),
        "#d9824f",
    )
    for line, w in (
        ([(520, 800), (520, 560), (520, 330)], 170),
        ([(520, 640), (360, 640), (330, 470)], 96),
        ([(520, 560), (690, 560), (720, 380)], 96),
    ):
        path = spline(line, closed=False)
        c.stroke(path, w, "#3f7d58")
        c.fill(ellipse(*line[-1], w / 2, w / 2), "#3f7d58")
    for x in (470, 520, 570):
        c.stroke([(x, 320), (x, 800)], 9, "#6fae7c")
    for x, y in ((520, 232), (330, 412), (720, 322)):
        for k in range(5):
            with c.at(x, y, turn=k * 72):
                c.fill(ellipse(0, -26, 16, 26), "#f0507a")
        c.fill(ellipse(x, y, 14, 14), "#ffe08a")
    c.fill([(340, 740), (700, 740), (650, 960), (390, 960)], "#a8452e")
    c.fill(box(316, 716, 724, 786, 12), "#c95c3e")
    return c.finished()


SUBJECTS: dict[str, Callable[[], Image.Image]] = {
    "bear": bear,
    "cactus": cactus,
    "fox": fox,
    "owl": owl,
    "whale": whale,
}


def linocut(picture: Image.Image) -> Image.Image:
    """Two inks on paper: dark parts solid, middle tones cut into lines."""
    grey = ImageOps.autocontrast(ImageOps.grayscale(picture).filter(ImageFilter.GaussianBlur(2)))
    lines = Image.new("L", (8, 18), 0)
    lines.paste(90, (0, 0, 8, 9))
    field = Image.new("L", grey.size)
    for y in range(0, grey.height, 18):
        for x in range(0, grey.width, 8):
            field.paste(lines, (x, y))
    cut = (
        ImageChops.add(grey, field)
        .point([0 if i < 132 else 255 for i in range(256)])
        .filter(ImageFilter.GaussianBlur(1))
    )
    return ImageOps.colorize(cut, "#1f2b4d", "#f4ead2")


def main() -> None:
    """Write pictures/*.webp and the pairs."""
    for name, draw in SUBJECTS.items():
        before = draw()
        after = linocut(before)
        for target, picture in (
            (f"pictures/{name}.webp", before),
            (f"pairs/before/{name}.webp", before),
            (f"pairs/after/{name}.png", after.quantize(8).convert("RGB")),
            (f"pairs/mixed/{name}_start.webp", before),
            (f"pairs/mixed/{name}_end.webp", after),
        ):
            (HERE / target).parent.mkdir(parents=True, exist_ok=True)
            picture.save(HERE / target, quality=80, method=6)
            print(f"{target}  {(HERE / target).stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
