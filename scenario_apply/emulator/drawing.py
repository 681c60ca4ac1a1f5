"""Stand-ins for generated pictures: drawn from a prompt, a seed and what models were trained on, and marked as such.

The words of the prompt are the shapes, the seed places them, and the training pictures give colours and light. So two
versions of a model are drawn alike for the same prompt and seed, and differ where their images or parameters differ.
The same sketch always gives the same bytes. A picture of 512 x 512 pixels takes a few milliseconds.
"""

from __future__ import annotations

import colorsys
import hashlib
import io
import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scenario_apply.emulator.grids import TONES

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

MIME = "image/jpeg"
_MOST_SHAPES = 9
_BAND_BACK, _BAND_MARK, _BAND_TEXT = (16, 16, 20), (255, 196, 60), (240, 240, 240)
_GRAIN = 48
"""Side of the noise over a picture of an early epoch."""
_PLAIN = 0.3
"""How much of a reference picture the colours of a LoRA of strength 1 replace; without one it is `_FULL`."""
_FULL = 0.72

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """One LoRA in a picture. key: of its dataset and parameters; strength: its scale; learned: 0..1, by its epoch.

    tones: grids of colours of training pictures, TONES x TONES of three bytes each.
    """

    key: str
    tones: tuple[bytes, ...]
    strength: float
    learned: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What is to be drawn. width, height: pixels; reference: the bytes of the picture that an edit starts from."""

    prompt: str
    seed: str
    title: str
    width: int
    height: int
    influences: tuple[Influence, ...] = ()
    reference: bytes | None = None


def draw(sketch: Sketch) -> bytes:
    """A JPEG with the band `simulated` at its foot."""
    from PIL import Image, ImageDraw

    dice = random.Random(_digest(sketch.prompt, sketch.seed))  # noqa: S311 -- repeatable pictures, not secrets
    size = (sketch.width, sketch.height)
    light = _lit(dice, sketch.influences, _PLAIN if sketch.reference else _FULL)
    if sketch.reference is None:
        image = light.resize(size, Image.Resampling.BICUBIC)
    else:
        image = Image.blend(_opened(sketch.reference, size), light.resize(size, Image.Resampling.BICUBIC), _PLAIN)
    pen = ImageDraw.Draw(image, "RGBA")
    learned = min((one.learned for one in sketch.influences), default=1.0)
    words = _words(sketch.prompt)
    for word in words[: max(1, math.ceil(len(words) * learned))]:
        _draw_word(pen, word, sketch, light)
    if learned < 1:
        image = _grainy(image, sketch, 1 - learned)
    _draw_band(image, sketch.title)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def _lit(dice: random.Random, influences: Sequence[Influence], share: float) -> Image.Image:
    """TONES x TONES colours: those of the prompt and the seed, over which each LoRA lays those of its pictures."""
    from PIL import Image

    hue = dice.random()
    sky, ground = _colour(hue, 0.35, 0.75), _colour(hue + 0.08 + 0.2 * dice.random(), 0.5, 0.35)
    light = Image.new("RGB", (2, 2))
    light.putdata([sky, _colour(hue + 0.05, 0.3, 0.85), ground, ground])
    light = light.resize((TONES, TONES), Image.Resampling.BICUBIC)
    for one in influences:
        tones = _blended(one, dice)
        detail = max(3, round(TONES * one.learned))
        if detail < TONES:
            tones = tones.resize((detail, detail), Image.Resampling.BOX).resize(light.size, Image.Resampling.BICUBIC)
        light = Image.blend(light, tones, max(-0.5, min(0.95, share * one.strength * (0.4 + 0.6 * one.learned))))
    return light


def _blended(one: Influence, dice: random.Random) -> Image.Image:
    """The training pictures of a LoRA over each other; without any, two colours of its own."""
    from PIL import Image

    own = random.Random(one.key)  # noqa: S311 -- as above
    if not one.tones:
        tones = Image.new("RGB", (1, 2))
        tones.putdata([_colour(own.random(), 0.6, 0.8), _colour(own.random(), 0.6, 0.4)])
        return tones.resize((TONES, TONES), Image.Resampling.BICUBIC)
    layers = [Image.frombytes("RGB", (TONES, TONES), tones) for tones in one.tones]
    blended = layers[0]
    for layer in layers[1:]:
        blended = Image.blend(blended, layer, 0.25 + 0.2 * dice.random() + 0.1 * own.random())
    return blended


def _draw_word(pen: ImageDraw.ImageDraw, word: str, sketch: Sketch, light: Image.Image) -> None:
    """One shape: its form is the word's, its place the seed's, moved a little by each LoRA."""
    dice = random.Random(_digest(word, sketch.seed))  # noqa: S311 -- as above
    width, height = sketch.width, sketch.height
    x, y, size = 0.12 + 0.76 * dice.random(), 0.12 + 0.62 * dice.random(), 0.07 + 0.13 * dice.random()
    turn = dice.random() * math.tau
    red, green, blue = _pixel(light, x, 1 - y)
    for one in sketch.influences:
        own = random.Random(_digest(one.key, word))  # noqa: S311 -- as above
        pull = 0.05 * max(-2.0, min(2.0, one.strength))
        x, y = x + pull * (own.random() * 2 - 1), y + pull * (own.random() * 2 - 1)
        size *= 1 + 3 * pull * (own.random() - 0.5)
        turn += 6 * pull * (own.random() - 0.5)
        red, green, blue = (
            round(0.8 * old + 0.2 * new)
            for old, new in zip((red, green, blue), _colour(own.random(), 0.7, 0.8), strict=True)
        )
    dark = (red + green + blue) > 3 * 128
    fill = (*(round(c * 0.5 if dark else 255 - (255 - c) * 0.55) for c in (red, green, blue)), 205)
    radius = size * min(width, height)
    _SHAPES[_digest(word)[0] % len(_SHAPES)](pen, x * width, y * height, radius, turn, fill)


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, fill: tuple[int, ...]) -> None:
    pen.ellipse((x - r, y - r * 0.8, x + r, y + r * 0.8), fill=fill)


def _ring(pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, fill: tuple[int, ...]) -> None:
    pen.ellipse((x - r, y - r, x + r, y + r), outline=fill, width=max(2, round(r / 4)))


def _star(pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, fill: tuple[int, ...]) -> None:
    corners = [(turn + step * math.pi / 5, r if step % 2 == 0 else r * 0.45) for step in range(10)]
    pen.polygon([(x + math.cos(angle) * far, y + math.sin(angle) * far) for angle, far in corners], fill=fill)


def _arch(pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, fill: tuple[int, ...]) -> None:
    pen.pieslice((x - r, y - r, x + r, y + r), math.degrees(turn), math.degrees(turn) + 210, fill=fill)


def _polygon(sides: int) -> Callable[..., None]:
    def shape(pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, fill: tuple[int, ...]) -> None:
        angles = [turn + side * math.tau / sides for side in range(sides)]
        pen.polygon([(x + math.cos(angle) * r, y + math.sin(angle) * r) for angle in angles], fill=fill)

    return shape


_SHAPES: tuple[Callable[..., None], ...] = (_disc, _ring, _star, _arch, _polygon(3), _polygon(4), _polygon(6))


def _grainy(image: Image.Image, sketch: Sketch, amount: float) -> Image.Image:
    """Noise over the picture of an epoch that has not learned everything."""
    from PIL import Image

    dice = random.Random(_digest(sketch.seed))  # noqa: S311 -- as above
    grain = Image.frombytes("RGB", (_GRAIN, _GRAIN), dice.randbytes(_GRAIN * _GRAIN * 3))
    return Image.blend(image, grain.resize(image.size, Image.Resampling.NEAREST), 0.45 * amount)


def _draw_band(image: Image.Image, title: str) -> None:
    from PIL import ImageDraw

    width, height = image.size
    band = max(24, height // 7)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, height - band, width, height), fill=_BAND_BACK)
    left, mark, text = band // 6, _font(band * 9 // 20), _font(band * 3 // 10)
    pen.text((left, height - band + band // 20), "simulated", fill=_BAND_MARK, font=mark)
    shown = " ".join(title.split())[:120]
    pen.text((left, height - band * 2 // 5 - band // 20), shown, fill=_BAND_TEXT, font=text)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(max(8, size))


def _opened(data: bytes, size: tuple[int, int]) -> Image.Image:
    """A picture that passed the checks of an upload, in the size that is drawn; grey where it cannot be decoded."""
    from PIL import Image

    from scenario_apply.emulator.grids import small_copy

    copy = small_copy(data, "RGB", max(size))
    return Image.new("RGB", size, (128, 128, 128)) if copy is None else copy.resize(size, Image.Resampling.BICUBIC)


def _words(prompt: str) -> list[str]:
    found = dict.fromkeys(word for word in re.findall(r"\w+", prompt[:2000].lower()) if len(word) > 2)
    return list(found)[:_MOST_SHAPES] or ["nothing"]


def _pixel(light: Image.Image, x: float, y: float) -> Colour:
    pixel = light.getpixel((min(TONES - 1, int(x * TONES)), min(TONES - 1, int(y * TONES))))
    assert isinstance(pixel, tuple)
    return pixel[0], pixel[1], pixel[2]


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _digest(*texts: str) -> bytes:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).digest()
