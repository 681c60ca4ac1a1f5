"""The emulator's own reading of pictures: bounded by the header, nothing decoded that is not needed."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scenario_apply.emulator import grids
from scenario_apply.emulator.grids import GRID, brightness_grid
from scenario_apply.emulator.picture_headers import MOST_PIXELS, read_raster
from scenario_apply.emulator.pictures import NotAPicture, inspect, inspect_file


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (320, 240), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


JPEG, PNG = encoded("JPEG"), encoded("PNG")
LARGE = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)


def test_fill_bytes_in_a_jpeg_are_read_once() -> None:
    """A long run of 0xFF among the pixels is passed over once, not once from each of its bytes."""
    filled = JPEG[:-2] + b"\xff" * 1_000_000 + b"\0" + JPEG[-2:]
    assert read_raster(filled).format == "JPEG"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_a_picture_is_what_it_says_it_is(kind: str, tmp_path: Path) -> None:
    """Format and size, from bytes and from a file."""
    data = encoded(kind)
    (tmp_path / "a").write_bytes(data)
    for picture in (inspect(data), inspect_file(tmp_path / "a")):
        assert (picture.format, picture.width, picture.height) == (kind.lower(), 320, 240)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_picture_cut_off_is_none(kind: str) -> None:
    """Wherever its header or its end is missing."""
    data = encoded(kind)
    for length in (0, 1, 7, 12, 17, *((len(data) // 2, len(data) - 3) if kind != "TIFF" else ())):
        with pytest.raises(NotAPicture):
            inspect(data[:length])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (PNG[:8] + chunk(b"IHDR", LARGE) + chunk(b"IDAT") + chunk(b"IEND"), "more than 50 megapixels"),
        (PNG[:33] + chunk(b"tEXt") * 100_001 + PNG[33:], "too many chunks"),
        (PNG[:24] + b"\x10\x03" + PNG[26:], "header that is none"),
        (JPEG[:2] + b"\xff\xe5\0\x02" * 100_001 + JPEG[2:], "too many segments"),
        (JPEG[:-2] + b"\xff\xda\0\x02" * 70 + b"\xff\xd9", "too many scans"),
        (b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + b"\0" * 9, "more than 50 megapixels"),
        (b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6, "more than 50 megapixels"),
        (b"BM" + b"\0" * 60, "no known picture format"),
    ],
)
def test_what_would_cost_too_much_is_refused_undecoded(data: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its header: Pillow is never called, neither at the upload nor for the score."""
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(NotAPicture, match=why):
        inspect(data)
    assert brightness_grid(data) == b""


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_the_grid_of_a_picture_is_that_of_its_brightness(kind: str, mode: str) -> None:
    """From dark at the top to light at the bottom, whatever the format."""
    if kind == "JPEG" and mode in ("RGBA", "P"):
        mode = "CMYK"
    grid = brightness_grid(encoded(kind, mode))
    assert len(grid) == GRID * GRID
    assert max(grid[:GRID]) < 40
    assert min(grid[-GRID:]) > 215


def test_texts_and_profiles_never_reach_the_decoder() -> None:
    """A text that unpacks to 9 MB is left out of what is decoded."""
    data = PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 9_000_000)) + PNG[33:]
    assert sum(map(len, read_raster(data, for_decoding=True).pieces)) <= len(PNG)
    assert brightness_grid(data) == brightness_grid(PNG)


def test_a_size_that_only_the_decoder_finds_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is checked again when the picture is open, before its pixels are."""

    class Opened:
        width, height = MOST_PIXELS, 2

        def __enter__(self) -> Opened:
            return self

        def __exit__(self, *_: object) -> None: ...

        def draft(self, *_: object) -> None: ...

    monkeypatch.setattr(Image, "open", lambda *_, **__: Opened())
    decoded: list[Opened] = []
    monkeypatch.setattr(grids, "_reduced", decoded.append)
    assert brightness_grid(PNG) == b""
    assert decoded == []
