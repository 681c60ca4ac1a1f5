"""dataset.image_headers against Pillow: the same facts, and every cut is seen."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from scenario_apply.dataset.image_headers import read_header


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (70, 50), **options: Any) -> bytes:
    out = io.BytesIO()
    image = Image.linear_gradient("L").resize(size).convert(mode)
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int) -> Any:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


CASES = {
    "jpeg": encoded("JPEG"),
    "jpeg progressive": encoded("JPEG", progressive=True),
    "jpeg grey": encoded("JPEG", "L"),
    "jpeg cmyk": encoded("JPEG", "CMYK"),
    "jpeg turned": encoded("JPEG", exif=exif(6)),
    "png": encoded("PNG"),
    "png alpha": encoded("PNG", "RGBA"),
    "png palette": encoded("PNG", "P"),
    "png grey": encoded("PNG", "L"),
    "png turned": encoded("PNG", exif=exif(3)),
    "webp": encoded("WEBP"),
    "webp lossless": encoded("WEBP", lossless=True),
    "webp alpha": encoded("WEBP", "RGBA", lossless=True),
    "webp turned": encoded("WEBP", exif=exif(8)),
}


@pytest.mark.parametrize("name", CASES)
def test_it_says_what_pillow_says(name: str) -> None:
    data = CASES[name]
    header = read_header(data)
    with Image.open(io.BytesIO(data)) as image:
        assert header is not None
        assert (header.format, header.width, header.height) == (image.format, *image.size)
        assert header.whole
        assert header.orientation == image.getexif().get(0x0112, 1)
        if image.format != "WEBP":
            assert header.mode == image.mode


@pytest.mark.parametrize("name", CASES)
def test_a_file_cut_anywhere_is_never_whole(name: str) -> None:
    data = CASES[name]
    for length in range(0, len(data) - 2, 7):
        header = read_header(data[:length])
        assert header is None or not header.whole, length


@pytest.mark.parametrize("name", [name for name in CASES if "webp" not in name])
def test_bytes_after_the_end_do_not_matter(name: str) -> None:
    assert read_header(CASES[name] + b"\0" * 300) == read_header(CASES[name])


def test_an_embedded_thumbnails_end_is_not_the_pictures_end() -> None:
    whole = CASES["jpeg"]
    segment = b"\xff\xe1" + (len(whole) + 2).to_bytes(2, "big") + whole
    cut = (whole[:2] + segment + whole[2:])[:-20]
    header = read_header(cut)
    assert header is not None
    assert not header.whole


def test_sixteen_bits_and_animation_are_seen() -> None:
    deep = io.BytesIO()
    Image.new("I;16", (20, 20)).save(deep, "PNG")
    assert read_header(deep.getvalue()).depth == 16  # type: ignore[union-attr]  # a PNG
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    for kind in ("PNG", "WEBP"):
        moving = io.BytesIO()
        frames[0].save(moving, kind, save_all=True, append_images=frames[1:])
        assert read_header(moving.getvalue()).animated  # type: ignore[union-attr]  # as above
