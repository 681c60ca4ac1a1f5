"""Alters a picture as its recipe says, in memory, right before it is sent. Imported only where a picture is altered.

The same bytes, recipe and versions of Pillow and its codecs give the same result. What has to be encoded again is
encoded once, from the original pixels: JPEG with quality 95 and the sampling it had, PNG and WebP without loss.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin

from scenario_apply.dataset.image_headers import upright
from scenario_apply.dataset.image_limits import PictureRefused
from scenario_apply.dataset.metadata import FileParts, MetadataError, parts_of, without_metadata
from scenario_apply.dataset.pixel_data import check_png_sums
from scenario_apply.dataset.recipes import KEPT_FORMATS, changes_pixels, scaled, value_of
from scenario_apply.dataset.scan.decoding import decoding_turn
from scenario_apply.dataset.scan.pillow_images import (
    ALPHA_MODES,
    TURNS,
    DamagedPicture,
    opened,
    orientation_of,
    prepared,
    reason_of,
    verify,
)

_QUALITY = 95
_FULL_COLOUR, _HALF_WIDTH, _UNUSUAL = 0, 1, -1  # Pillow's numbers for 4:4:4, 4:2:2 and what it cannot name
_QUARTER_TURNS = tuple(TURNS[orientation] for orientation in (5, 6, 7, 8))
_PROFILE_MODES = {b"RGB ": ("RGB", "RGBA", "P", "PA"), b"GRAY": ("L", "LA", "1"), b"CMYK": ("CMYK",)}
_LARGEST_PROFILE = 4 << 20
_EXIF_START = b"Exif\0\0"


def altered_picture(body: bytes, recipe: str) -> bytes:
    """What is sent of a picture with that recipe. Raises DamagedPicture when it cannot be altered."""
    try:
        if changes_pixels(recipe):
            return _encoded_again(body, recipe)
        verify(body)
        return without_metadata(body) if recipe else body
    except DamagedPicture:
        raise
    except (PictureRefused, MetadataError) as refused:
        raise DamagedPicture(str(refused).partition("; ")[0]) from refused
    except Exception as error:  # Pillow's decoders and encoders raise OSError, SyntaxError, ValueError and more
        raise DamagedPicture(reason_of(error)) from error


def _encoded_again(body: bytes, recipe: str) -> bytes:
    held = prepared(body)
    if held.format == "PNG":
        check_png_sums(body)
    parts = parts_of(body)
    with opened(held) as image, decoding_turn(held.width * held.height):
        image.load()
        profile = parts.profile or image.info.get("icc_profile") or b""
        source = "JPEG" if image.format == "MPO" else (image.format or "")
        target = (value_of(recipe, "convert") or (source if source in KEPT_FORMATS else "png")).upper()
        turn = TURNS.get(orientation_of(image, body)) if value_of(recipe, "orient") is not None else None
        kept = {}
        if value_of(recipe, "strip") is None and target == source:
            kept = _kept_metadata(image, parts, is_turned=turn is not None)
        if target == "JPEG":
            kept |= {"quality": _QUALITY, "subsampling": _sampling(image, turn)}
        elif target == "WEBP":
            kept |= {"lossless": True, "exact": True}
        # without what Pillow would write into the new file by itself, such as comments
        image.info = {key: value for key, value in image.info.items() if key == "transparency"}
        made: Image.Image = image if turn is None else image.transpose(turn)
        if recipe not in ("orient", "orient;strip") or target != source:
            made = _in_plain_colours(made, profile, recipe, target)
            made = _scaled(_on_background(made, value_of(recipe, "background")), value_of(recipe, "max_side"))
        stays = value_of(recipe, "icc") is None and _fits(profile, made.mode)
        out = io.BytesIO()
        made.save(out, target, icc_profile=profile if stays else None, **kept)
        return out.getvalue()


def _kept_metadata(image: Image.Image, parts: FileParts, *, is_turned: bool) -> dict[str, Any]:
    """The options of a save that keep a picture's metadata, with an orientation that fits the turned pixels."""

    def exif(content: bytes) -> bytes:
        content = content.removeprefix(_EXIF_START)
        return upright(content) if is_turned else content

    if image.format == "JPEG":
        return {"extra": b"".join(_segment(marker, content, exif) for marker, content in parts.metadata)}
    if image.format == "PNG":
        chunks = PngImagePlugin.PngInfo()
        for kind, content in parts.metadata:
            chunks.add(kind, content)
        blocks = [exif(content) for kind, content in parts.metadata if kind == b"eXIf"]
        return {"pnginfo": chunks, **({"exif": blocks[0]} if blocks else {})}
    texts = {key: image.info[key] for key in ("exif", "xmp") if image.info.get(key)}
    return {key: exif(text) if key == "exif" else text for key, text in texts.items()}


def _segment(marker: bytes, content: bytes, exif: Callable[[bytes], bytes]) -> bytes:
    if content.startswith(b"MPF\0"):  # positions of the other pictures of the file, which are not kept
        return b""
    if content.startswith(_EXIF_START):
        content = _EXIF_START + exif(content)
    return marker + (len(content) + 2).to_bytes(2, "big") + content


def _sampling(image: Image.Image, turn: Image.Transpose | None) -> int:
    """The colour sampling of a JPEG; full colour for others, and where half the width becomes half the height."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return _FULL_COLOUR
    sampling = JpegImagePlugin.get_sampling(image)
    is_lost = sampling == _UNUSUAL or (sampling == _HALF_WIDTH and turn in _QUARTER_TURNS)
    return _FULL_COLOUR if is_lost else sampling


def _in_plain_colours(image: Image.Image, profile: bytes, recipe: str, target: str) -> Image.Image:
    """In 8 bits a channel: grey or RGB, with transparency where there is some. CMYK stays in a JPEG that keeps it."""
    to_srgb = value_of(recipe, "icc") is not None
    if image.mode == "CMYK":
        stays = target == "JPEG" and not to_srgb and value_of(recipe, "convert") is None
        return image if stays else _in_srgb(image, profile)
    if image.mode.startswith("I;16") or image.mode == "I":
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        plain = image.convert("LA" if image.mode in ("L", "LA", "La") else "RGBA")
    else:
        plain = image.convert("L" if image.mode in ("1", "L") else "RGB")
    return _in_srgb(plain, profile) if to_srgb else plain


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Converted from that profile to sRGB. A profile that cannot be used is ignored, as viewers do."""
    alpha = image.getchannel("A") if image.mode in ALPHA_MODES else None
    colours = image if alpha is None else image.convert(image.mode[:-1])
    made = colours if colours.mode == "L" else colours.convert("RGB")
    if 0 < len(profile) <= _LARGEST_PROFILE:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(
                colours, ImageCms.ImageCmsProfile(io.BytesIO(profile)), srgb, outputMode="RGB"
            )
            if converted is not None:
                made = converted.convert(made.mode)
    if alpha is not None:
        made.putalpha(alpha)
    return made


def _on_background(image: Image.Image, colour: str | None) -> Image.Image:
    if colour is None or image.mode not in ALPHA_MODES:
        return image
    ground = Image.new("RGBA", image.size, colour)
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def _scaled(image: Image.Image, max_side: str | None) -> Image.Image:
    size = scaled(*image.size, None if max_side is None else int(max_side))
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _fits(profile: bytes, mode: str) -> bool:
    """Whether a profile is one for the colours of that mode."""
    return len(profile) <= _LARGEST_PROFILE and mode in _PROFILE_MODES.get(profile[16:20], ())
