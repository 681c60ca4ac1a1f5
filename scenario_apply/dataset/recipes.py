"""What is done to a picture before it is sent: its recipe, from its header and the options of its dataset. Pure.

A recipe names the alterations that apply to this very picture, in the order in which they are carried out, such as
"orient;strip". It is "" for a picture that is sent byte for byte as it is.
"""

from __future__ import annotations

from scenario_apply.dataset.facts import MIME_OF_FORMAT, Facts
from scenario_apply.model.picture_options import UNKNOWN_RECIPE, PictureOptions

KEPT_FORMATS = frozenset({"JPEG", "PNG", "WEBP"})
"""Formats that an altered picture keeps. Others are written as PNG once their pixels change."""

_JPEG_BYTES_A_PIXEL = 1.5
_FREE_BYTES = 64 * 1024


def is_unfit(facts: Facts) -> bool:
    """Whether the service may refuse the format, or train its colours or frames wrongly: what `convert` is for."""
    unusual = facts.format not in KEPT_FORMATS or facts.animated
    return unusual or facts.depth > 8 or facts.mode in ("CMYK", "P")


def recipe_of(facts: Facts, options: PictureOptions) -> str:
    """The recipe of one picture; UNKNOWN_RECIPE of a Git LFS pointer. A file with a fault has none."""
    if facts.is_lfs_pointer:
        return UNKNOWN_RECIPE
    if facts.fault:
        return ""
    steps = []
    if options.orient == "apply" and facts.orientation != 1:
        steps.append("orient")
    if options.metadata == "strip" and facts.metadata:
        steps.append("strip")
    if options.icc == "srgb" and facts.profile:
        steps.append("icc=srgb")
    if options.background is not None and facts.alpha:
        steps.append(f"background={options.background}")
    if options.max_side is not None and max(facts.width, facts.height) > options.max_side:
        steps.append(f"max_side={options.max_side}")
    if options.convert is not None and is_unfit(facts):
        # JPEG has no transparency: without a background, what has some becomes PNG
        keeps_alpha = facts.alpha and options.background is None
        steps.append("convert=png" if keeps_alpha else f"convert={options.convert}")
    return ";".join(steps)


def value_of(recipe: str, key: str) -> str | None:
    """The value of one alteration of a recipe; "" for one without a value, None for one that it lacks."""
    for step in recipe.split(";"):
        name, _, value = step.partition("=")
        if name == key:
            return value
    return None


def changes_pixels(recipe: str) -> bool:
    """Whether the picture is decoded and encoded again. Removing metadata alone leaves its pixel data as it is."""
    return recipe not in ("", "strip", UNKNOWN_RECIPE)


def sent_format(facts: Facts, recipe: str) -> str:
    """The format of what is sent, by Pillow's name."""
    if (target := value_of(recipe, "convert")) is not None:
        return target.upper()
    return "PNG" if changes_pixels(recipe) and facts.format not in KEPT_FORMATS else facts.format


def has_plain_colours(facts: Facts, recipe: str) -> bool:
    """Whether what is sent is grey or RGB with 8 bits a channel because it is encoded again."""
    names = {step.partition("=")[0] for step in recipe.split(";")}
    target = sent_format(facts, recipe)
    if names <= {"", "orient", "strip"} and target == facts.format:
        return False
    return not (facts.mode == "CMYK" and target == "JPEG" and names.isdisjoint({"icc", "convert"}))


def sent_mime(facts: Facts, recipe: str) -> str:
    """The MIME type of what is sent."""
    return MIME_OF_FORMAT[sent_format(facts, recipe)] if changes_pixels(recipe) else facts.mime


def sent_size(facts: Facts, options: PictureOptions) -> tuple[int, int]:
    """Width and height of what is sent. Facts have those of the upright picture."""
    width, height = facts.width, facts.height
    if options.orient == "keep" and facts.orientation > 4:
        width, height = height, width
    return scaled(width, height, options.max_side)


def scaled(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """The size of a picture reduced to that longest side; of a smaller one, its own."""
    longest = max(width, height)
    if max_side is None or longest <= max_side:
        return width, height
    return max(1, round(width * max_side / longest)), max(1, round(height * max_side / longest))


def most_bytes(facts: Facts, recipe: str, size: tuple[int, int]) -> int:
    """Bytes that what is sent hardly exceeds. size: as sent. What is encoded again is not encoded to find that out."""
    if not changes_pixels(recipe):
        return facts.size
    pixels = size[0] * size[1]
    if sent_format(facts, recipe) == "JPEG":
        return _FREE_BYTES + int(pixels * _JPEG_BYTES_A_PIXEL)
    return _FREE_BYTES + pixels * (4 if facts.alpha and value_of(recipe, "background") is None else 3)
