"""Seeded pictures like those people train on: scenes with many colours, and icons on white."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from random import Random

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from scenario_apply.dataset.facts import Facts
from scenario_apply.dataset.lint.duplicate_rules import ColourDifference, ColourGap
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.pillow_images import PixelSummary, colour_difference, read_pixels
from scenario_apply.dataset.types import Pair
from scenario_apply.model.lint_rules import DEFAULTS
from tests.dataset.build import spec_from

SIDE = 320


def scene(seed: int) -> Image.Image:
    """A soft background with a dozen shapes."""
    random = Random(seed)
    drawn = Image.frombytes("RGB", (7, 7), random.randbytes(147)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return _with_shapes(drawn, random, [(random.randrange(SIDE), random.randrange(SIDE)) for _ in range(12)])


def icon(seed: int) -> Image.Image:
    """A few shapes in the middle of a white ground."""
    random = Random(seed)
    middle = [(random.randrange(SIDE // 4, SIDE // 2), random.randrange(SIDE // 4, SIDE // 2)) for _ in range(4)]
    return _with_shapes(Image.new("RGB", (SIDE, SIDE), "white"), random, middle)


def _with_shapes(drawn: Image.Image, random: Random, places: list[tuple[int, int]]) -> Image.Image:
    draw = ImageDraw.Draw(drawn)
    for x, y in places:
        box = (x, y, x + random.randrange(20, SIDE // 3), y + random.randrange(20, SIDE // 3))
        colour = (random.randrange(256), random.randrange(256), random.randrange(256))
        if random.random() < 0.5:
            draw.ellipse(box, fill=colour)
        else:
            draw.rectangle(box, fill=colour)
    return drawn


def saved(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **({"compress_level": 1} if kind == "PNG" else options))
    return out.getvalue()


def cropped(image: Image.Image) -> Image.Image:
    """Three per cent less of each side."""
    by = round(image.width * 0.015)
    return image.crop((by, by, image.width - by, image.height - by))


def recoloured(image: Image.Image) -> Image.Image:
    """The same shapes in other colours, as a palette swap."""
    red, green, blue = image.split()
    return Image.merge("RGB", (green, blue, red))


def blurred(image: Image.Image, pixels: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(pixels))


def retouched(image: Image.Image) -> Image.Image:
    """A small part painted over."""
    changed = image.copy()
    ImageDraw.Draw(changed).ellipse((150, 150, 166, 166), fill=(255, 0, 90))
    return changed


COPIES: Mapping[str, Callable[[Image.Image], bytes]] = {
    "re-encoded": lambda image: saved(image, "JPEG", quality=80),
    "resized": lambda image: saved(image.resize((240, 240), Image.Resampling.LANCZOS)),
    "webp": lambda image: saved(image, "WEBP", quality=80),
    "cropped": lambda image: saved(cropped(image)),
    "mirrored": lambda image: saved(ImageOps.mirror(image), "JPEG", quality=85),
    "recoloured": lambda image: saved(recoloured(image)),
    "brightened": lambda image: saved(ImageEnhance.Brightness(image).enhance(1.3)),
}


def summary(data: bytes) -> PixelSummary:
    return read_pixels(data, DecodingAllowance())


def subject_with(pictures: Mapping[str, PixelSummary], *pairs: tuple[str, str]) -> tuple[Subject, ColourDifference]:
    """A dataset of these pictures, or of pairs of them, and what compares their colours."""
    spec = spec_from({"before": "./b", "after": "./a"} if pairs else {"images": ["./set"]})
    facts = {
        name: Facts(
            name, 1, 1, 1, f"{at:064x}", "PNG", "image/png", SIDE, SIDE, hashes=one.hashes, statistics=one.statistics
        )
        for at, (name, one) in enumerate(pictures.items())
    }

    def compare(one: str, other: str, *, mirrored: bool = False) -> ColourGap:
        return colour_difference(pictures[one].colours, pictures[other].colours, mirrored=mirrored)

    subject = Subject(
        spec=spec,
        types=("flux.1-lora",),
        settings=DEFAULTS,
        pictures=tuple(Picture(name, held) for name, held in facts.items()),
        pairs=tuple(Pair(before=before, after=after, instruction="turn it") for before, after in pairs),
    )
    return subject, compare
