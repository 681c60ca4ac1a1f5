"""dataset.scan.alter_pictures: what is sent of a picture, from its file and the options of its dataset."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from scenario_apply.dataset.facts import MIME_OF_FORMAT, Facts, FileEntry
from scenario_apply.dataset.recipes import most_bytes, recipe_of, sent_format, sent_mime, sent_size
from scenario_apply.dataset.scan.alter_pictures import altered_picture
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.pillow_images import DamagedPicture
from scenario_apply.dataset.scan.read_images import _facts as facts_of_bytes
from scenario_apply.model.picture_options import PictureOptions
from tests.dataset.odd_pictures import SECRET, XMP, drawn, exif, opened, profile, texts, written

LOSSLESS: dict[str, dict[str, Any]] = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}, "AVIF": {"quality": 100}}


def facts_of(data: bytes, name: str = "a") -> Facts:
    entry = FileEntry(name, name, len(data), 1, 1)
    return facts_of_bytes(entry, data, sha256(data).hexdigest(), DecodingAllowance())


def sent(data: bytes, **options: Any) -> tuple[str, bytes]:
    """The recipe, and what is sent. What is said of it from the header alone is checked on the way."""
    facts, chosen = facts_of(data), PictureOptions(**options)
    assert not facts.fault, facts.fault_text
    recipe = recipe_of(facts, chosen)
    result = altered_picture(data, recipe)
    image = opened(result)
    assert image.size == sent_size(facts, chosen)
    assert image.format == sent_format(facts, recipe)
    assert sent_mime(facts, recipe) == MIME_OF_FORMAT[image.format]
    assert len(result) <= most_bytes(facts, recipe, image.size)
    assert altered_picture(data, recipe) == result
    return recipe, result


def difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_is_applied_to_the_pixels(kind: str, orientation: int) -> None:
    """As Pillow's exif_transpose does it; exactly where the format is lossless. The tag and the place are gone."""
    data = written(drawn(), kind, exif=exif(orientation), **LOSSLESS.get(kind, {"quality": 95}))
    recipe, result = sent(data)
    assert recipe == ("orient;strip" if orientation > 1 else "strip")
    assert difference(opened(result), ImageOps.exif_transpose(opened(data))) <= (3 if kind == "JPEG" else 0)
    assert opened(result).getexif().get(0x0112, 1) == 1
    assert SECRET in data
    assert SECRET not in result


def test_pixels_that_are_kept_lying_are_sent_without_their_tag_or_as_they_are() -> None:
    data = written(drawn(), "JPEG", exif=exif(6))
    recipe, result = sent(data, orient="keep")
    assert (recipe, opened(result).size) == ("strip", (48, 32))
    assert sent(data, orient="keep", metadata="keep") == ("", data)


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "JPEG", {}),
        ("CMYK", "JPEG", {"progressive": True}),
        ("RGB", "JPEG", {"icc_profile": profile()}),
        ("RGBA", "PNG", {"icc_profile": profile()}),
        ("I;16", "PNG", {}),
        ("RGB", "WEBP", {}),
        ("RGB", "GIF", {}),
        ("RGB", "BMP", {}),
    ],
)
def test_a_picture_without_metadata_is_sent_byte_for_byte(mode: str, kind: str, options: Any) -> None:
    image = drawn("L" if mode == "I;16" else mode)
    data = written(image.convert(mode) if mode != "I;16" else image.convert("I").convert("I;16"), kind, **options)
    assert sent(data) == ("", data)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"exif": exif(), "xmp": XMP, "icc_profile": profile()}),
        ("JPEG", {"comment": SECRET, "progressive": True}),
        ("MPO", {"save_all": True, "append_images": [drawn()], "exif": exif()}),
        ("PNG", {"pnginfo": texts(), "exif": exif(), "icc_profile": profile()}),
        ("PNG", {"pnginfo": texts(), "save_all": True, "append_images": [drawn().rotate(180)]}),
        ("WEBP", {"exif": exif(), "xmp": XMP, "icc_profile": profile()}),
        ("WEBP", {"exif": exif(), "save_all": True, "append_images": [drawn().rotate(180)]}),
        ("GIF", {"comment": SECRET, "save_all": True, "append_images": [drawn().rotate(180)]}),
        ("TIFF", {"exif": exif(), "icc_profile": profile()}),
        ("TIFF", {"exif": exif(), "big_tiff": True, "save_all": True, "append_images": [drawn().rotate(180)]}),
        ("AVIF", {"exif": exif(), "xmp": XMP, "icc_profile": profile()}),
    ],
)
def test_metadata_is_removed_and_pixels_frames_and_profile_stay(kind: str, options: dict[str, Any]) -> None:
    data = written(drawn(), kind, **options)
    assert SECRET in data
    recipe, result = sent(data)
    before, after = opened(data), opened(result)
    assert recipe == "strip"
    assert SECRET not in result
    assert b"GPS" not in result
    assert not after.getexif().get_ifd(0x8825)
    assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert getattr(after, "n_frames", 1) == (1 if kind == "MPO" else getattr(before, "n_frames", 1))
    for frame in range(getattr(after, "n_frames", 1)):
        before.seek(frame)
        after.seek(frame)
        assert after.tobytes() == before.tobytes()


def test_metadata_that_is_kept_says_that_the_pixels_are_upright() -> None:
    """Else a viewer would turn them once more."""
    for kind, options in (("JPEG", {"xmp": XMP}), ("PNG", {"pnginfo": texts()}), ("WEBP", {"xmp": XMP})):
        data = written(drawn(), kind, exif=exif(6), **options)
        recipe, result = sent(data, metadata="keep")
        assert (recipe, opened(result).getexif().get(0x0112)) == ("orient", 1)
        assert opened(result).getexif().get_ifd(0x8825)[1] == "N"
        assert XMP in result


def test_transparency_is_flattened_on_the_chosen_colour_and_only_then() -> None:
    clear = drawn("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    ground = Image.new("RGBA", clear.size, "#336699")
    ground.alpha_composite(clear)
    for kind in ("PNG", "WEBP", "TIFF"):
        data = written(clear, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
        assert sent(data) == ("", data)
        recipe, result = sent(data, background="#336699")
        assert (recipe, opened(result).mode) == ("background=#336699", "RGB")
        assert difference(opened(result), ground) == 0
    palette = drawn().quantize(8)
    data = written(palette, "PNG", transparency=0)
    assert opened(sent(data, background="#336699")[1]).mode == "RGB"


def grey_16() -> Image.Image:
    return drawn("L").convert("I").point(lambda value: value * 257).convert("I;16")


@pytest.mark.parametrize(
    ("data", "mode"),
    [
        (written(drawn("CMYK"), "JPEG"), "RGB"),
        (written(drawn("CMYK"), "TIFF"), "RGB"),
        (written(grey_16(), "PNG"), "L"),
        (written(grey_16(), "TIFF"), "L"),
        (written(drawn().quantize(16), "PNG"), "RGB"),
        (written(drawn(), "GIF", save_all=True, append_images=[drawn().rotate(180)]), "RGB"),
        (written(drawn(), "PNG", save_all=True, append_images=[drawn().rotate(180)]), "RGB"),
        (written(drawn(), "BMP"), "RGB"),
        (written(drawn(), "AVIF", quality=100), "RGB"),
    ],
)
def test_what_trains_wrongly_is_converted_when_asked(data: bytes, mode: str) -> None:
    """The first frame, in 8 bits and plain colours."""
    want = opened(data)
    assert sent(data) == ("", data)
    for target in ("png", "jpeg"):
        recipe, result = sent(data, convert=target)
        image = opened(result)
        assert recipe == f"convert={target}"
        assert (image.format, image.mode) == (target.upper(), mode)
        assert getattr(image, "n_frames", 1) == 1
        close = drawn() if mode == "L" else want
        assert difference(image, drawn("L") if mode == "L" else close) <= (4 if target == "jpeg" else 1)


def test_what_is_fine_is_not_converted() -> None:
    for data in (written(drawn(), "PNG"), written(drawn(), "JPEG"), written(drawn("RGBA"), "WEBP")):
        assert sent(data, convert="jpeg") == ("", data)
        assert sent(data, convert="png") == ("", data)


def test_transparent_pictures_become_png_where_jpeg_was_asked_for_without_a_background() -> None:
    data = written(drawn().quantize(8), "PNG", transparency=0)
    recipe, result = sent(data, convert="jpeg")
    assert (recipe, opened(result).mode) == ("convert=png", "RGBA")
    recipe, result = sent(data, convert="jpeg", background="#ffffff")
    assert recipe == "background=#ffffff;convert=jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_of_other_profiles_become_srgb_when_asked(kind: str) -> None:
    data = written(drawn(), kind, icc_profile=profile())
    assert sent(data) == ("", data)
    recipe, result = sent(data, icc="srgb")
    assert (recipe, opened(result).info.get("icc_profile")) == ("icc=srgb", None)
    assert difference(opened(result), opened(data)) <= 3
    data = written(drawn(), kind, icc_profile=profile("sRGB"))
    assert sent(data, icc="srgb") == ("", data)


def test_a_profile_that_is_none_is_ignored() -> None:
    """As viewers do."""
    recipe, result = sent(written(drawn(), "PNG", icc_profile=b"no profile" * 20), icc="srgb")
    assert recipe == "icc=srgb"
    assert difference(opened(result), drawn()) == 0


def test_large_pictures_are_scaled_down_and_small_ones_are_not() -> None:
    data = written(drawn(size=(400, 100)), "PNG", exif=exif(6))
    recipe, result = sent(data, max_side=200)
    assert (recipe, opened(result).size) == ("orient;strip;max_side=200", (50, 200))
    lanczos = drawn(size=(400, 100)).transpose(Image.Transpose.ROTATE_270).resize((50, 200), Image.Resampling.LANCZOS)
    assert difference(opened(result), lanczos) == 0
    assert sent(data, max_side=400, orient="keep", metadata="keep") == ("", data)


def test_jpeg_keeps_its_sampling_and_its_profile() -> None:
    from PIL.JpegImagePlugin import get_sampling

    for sampling in (0, 2):
        data = written(drawn(), "JPEG", exif=exif(6), subsampling=sampling, icc_profile=profile())
        image = opened(sent(data)[1])
        assert get_sampling(image) == sampling
        assert image.info["icc_profile"] == profile()


def test_heic_becomes_png_or_jpeg_and_loses_its_place_in_any_case() -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    data = written(drawn(size=(64, 64)), "HEIF", exif=exif(), xmp=XMP, quality=100)
    assert SECRET in data
    for options, kind in (({}, "HEIF"), ({"convert": "png"}, "PNG"), ({"convert": "jpeg"}, "JPEG")):
        recipe, result = sent(data, **options)
        assert recipe == ";".join(["strip", *(f"{key}={value}" for key, value in options.items())])
        assert opened(result).format == kind
        assert SECRET not in result
        assert difference(opened(result), opened(data)) <= 2


def test_a_picture_that_cannot_be_altered_is_refused_with_the_reason() -> None:
    data = written(drawn(size=(200, 200)), "PNG", exif=exif(6))
    with pytest.raises(DamagedPicture, match="checksum"):
        altered_picture(data[:-40] + b"\0" * 8 + data[-32:], "orient;strip")
    with pytest.raises(DamagedPicture):
        altered_picture(written(drawn(size=(200, 200)), "JPEG", exif=exif(6))[:900], "orient;strip")
