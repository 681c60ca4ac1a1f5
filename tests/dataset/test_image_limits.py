"""What is refused on a picture's header, before a decoder sees the file; and what a decoder gets of the rest."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from scenario_apply.dataset.image_headers import read_header
from scenario_apply.dataset.image_limits import MOST_PIXELS, MOST_SCANS, PictureRefused, check_pixels, most_parts
from scenario_apply.dataset.pixel_data import check_png_sums, pixels_only


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (70, 50), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def segment(marker: int, content: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def tags_of_one_block(count: int, size: int) -> bytes:
    """EXIF or TIFF whose tags all say that they hold the same `size` bytes."""
    tags = [struct.pack("<HHII", 0x1000 + number, 7, size, 8) for number in range(count)]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + b"".join(tags) + b"\0" * 4


JPEG, PNG, WEBP, GIF = encoded("JPEG"), encoded("PNG"), encoded("WEBP"), encoded("GIF", "P")
AVIF = encoded("AVIF")
IN_GIF = GIF.index(b",\0\0\0\0")  # where its picture starts
MANY = 60_000  # more than files of this size may have of anything


def png_header(width: int, height: int, depth: int = 8, colours: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"x") + chunk(b"IEND")


def test_sizes_up_to_fifty_megapixels_pass() -> None:
    """The limit itself is allowed; one pixel more names the size, the limit and what to do."""
    check_pixels(1, MOST_PIXELS)
    with pytest.raises(PictureRefused) as refused:
        check_pixels(1, MOST_PIXELS + 1)
    assert refused.value.code == "F10"
    assert refused.value.text == "1x50000001: 50.0 megapixels, at most 50 are read; scale it down"


@pytest.mark.parametrize(
    "data",
    [
        JPEG[:2] + b"\xff" * MANY + JPEG[2:],
        JPEG[:2] + segment(0xE5) * MANY + JPEG[2:],
        PNG[:33] + chunk(b"IDAT") * MANY + PNG[33:],
        PNG[:33] + chunk(b"tEXt") * MANY + PNG[33:],
        b"RIFF" + struct.pack("<I", 30 + 8 * MANY) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x08" + b"\0" * 9
        + (b"JUNK\0\0\0\0" * MANY),
    ],
    ids=["fill bytes", "JPEG segments", "empty IDAT", "empty tEXt", "WebP chunks"],
)  # fmt: skip
def test_headers_without_end_are_refused(data: bytes) -> None:
    """Each of a million parts costs next to nothing to write: their number is bounded, by the header's reader."""
    with pytest.raises(PictureRefused, match=f"more than {most_parts(len(data))} ") as refused:
        read_header(data)
    assert refused.value.code == "F02"


def test_as_many_parts_as_encoders_write_are_read() -> None:
    """4,000 chunks, or one for each KiB of a large file."""
    few = PNG[:33] + chunk(b"tEXt") * 4000 + PNG[33:]
    large = PNG[:33] + chunk(b"prVt", b"\0" * 2048) * 10_000 + PNG[33:]
    for data in (few, large):
        header = read_header(data)
        assert header is not None
        assert header.whole


@pytest.mark.parametrize(("depth", "colours"), [(16, 3), (4, 2), (7, 0), (1, 6), (0, 2)])
def test_a_png_of_colours_that_there_are_not_is_refused(depth: int, colours: int) -> None:
    """Sixteen bits with a palette and their kind are in no PNG: said before Pillow meets it."""
    with pytest.raises(PictureRefused, match=f"{depth} bits with colour type {colours}"):
        read_header(png_header(10, 10, depth, colours))


def with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def test_a_jpeg_of_many_scans_is_refused() -> None:
    """Each scan is a pass over all pixels, and takes a few bytes."""
    assert pixels_only(with_scans(MOST_SCANS - 12)) is not None
    with pytest.raises(PictureRefused, match="scans"):
        pixels_only(with_scans(MOST_SCANS + 1))


def test_fill_bytes_in_a_scan_are_read_once() -> None:
    """A long run of 0xFF among the pixels of a JPEG is passed over once, not once from each of its bytes."""
    data = encoded("JPEG")
    filled = data[:-2] + b"\xff" * 1_000_000 + b"\0" + data[-2:]
    held = pixels_only(filled)
    assert held is not None
    assert held.data.endswith(filled[-1_000_003:])


def bmp(width: int, height: int) -> bytes:
    data = bytearray(encoded("BMP"))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def tiff(width: int, height: int) -> bytes:
    tags = struct.pack("<HHIIHHII", 0x100, 4, 1, width, 0x101, 4, 1, height)
    return b"II*\0\x08\0\0\0\x02\0" + tags + b"\0" * 4


def avif(width: int, height: int) -> bytes:
    at = AVIF.index(b"ispe") + 8
    return AVIF[:at] + struct.pack(">II", width, height) + AVIF[at + 8 :]


def gif(width: int, height: int) -> bytes:
    return GIF[:6] + struct.pack("<HH", width, height) + GIF[10:]


def jpeg(width: int, height: int) -> bytes:
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + struct.pack(">HH", height, width) + JPEG[at + 4 :]


def webp(width: int, height: int) -> bytes:
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + canvas


@pytest.mark.parametrize("make", [png_header, jpeg, webp, gif, bmp, tiff, avif], ids=lambda make: make.__name__)
def test_no_format_takes_a_large_picture_to_its_decoder(make: Callable[[int, int], bytes]) -> None:
    """60,000 pixels a side, said by a header of a few bytes."""
    with pytest.raises(PictureRefused, match="megapixels, at most 50") as refused:
        pixels_only(make(60_000, 60_000))
    assert refused.value.code == "F10"


@pytest.mark.parametrize("make", [png_header, jpeg, bmp, tiff, avif], ids=lambda make: make.__name__)
def test_no_format_takes_a_picture_without_pixels_to_its_decoder(make: Callable[[int, int], bytes]) -> None:
    with pytest.raises(PictureRefused, match="0x5"):
        pixels_only(make(0, 5))


def test_a_gif_picture_larger_than_its_screen_counts() -> None:
    """Readers let the screen grow to hold the picture."""
    at = IN_GIF + 5
    with pytest.raises(PictureRefused, match="megapixels"):
        pixels_only(GIF[:at] + struct.pack("<HH", 60_000, 60_000) + GIF[at + 4 :])


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (GIF[:IN_GIF] + b"\x21\xfe" + (b"\xff" + b"c" * 255) * 2000 + b"\0" + GIF[IN_GIF:], "comments"),
        (GIF[:IN_GIF] + b"\x21\xfe" + b"\x01c" * 100_000 + b"\0" + GIF[IN_GIF:], "blocks"),
        (tags_of_one_block(400, 5000), "tags claim more data"),
        (tags_of_one_block(5000, 10), "5000 tags"),
        (AVIF[: AVIF.index(b"meta") - 4] + struct.pack(">I", 90_000) + b"meta" + b"\0" * 89_992, "90000|87 KB"),
        (b"\0\0\0\x0cftypavif" + b"\0\0\0\x08free" * 2000, "boxes"),
        (AVIF[:-20], "is truncated"),
    ],
    ids=["GIF comment", "GIF blocks", "TIFF block", "TIFF tags", "AVIF description", "AVIF boxes", "AVIF cut off"],
)
def test_structures_that_make_readers_slow_are_refused(data: bytes, what: str) -> None:
    """A comment joined piece by piece, tags that hold the same bytes, tables that are searched line by line."""
    with pytest.raises(PictureRefused, match=what):
        pixels_only(data)


@pytest.mark.parametrize(
    "data",
    [
        JPEG[:2] + segment(0xE1, b"Exif\0\0" + tags_of_one_block(4000, 40_000)) + JPEG[2:],
        JPEG[:2] + segment(0xE2, b"ICC_PROFILE\0\x01\x01" + b"x" * 9000) + JPEG[2:],
        JPEG[:2] + segment(0xED, b"Photoshop 3.0\0" + b"8BIM\0\0\0\0\0\0\0\0" * 4000) + JPEG[2:],
        PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 9_000_000)) + PNG[33:],
        PNG[:33] + chunk(b"iCCP", b"a\0\0" + zlib.compress(b"a" * 9_000_000)) + PNG[33:],
        PNG[:33] + chunk(b"eXIf", tags_of_one_block(4000, 40_000)) + PNG[33:],
        PNG[:33] + chunk(b"IDAT") * 3000 + PNG[33:],
    ],
    ids=["EXIF", "ICC", "Photoshop", "zTXt", "iCCP", "eXIf", "empty IDAT"],
)
def test_what_pixels_do_not_need_never_reaches_the_decoder(data: bytes) -> None:
    """The picture that is handed on is as small as the plain one, and shows the same pixels."""
    held = pixels_only(data)
    assert held is not None
    plain = JPEG if held.format == "JPEG" else PNG
    assert len(held.data) <= len(plain)
    with Image.open(io.BytesIO(held.data)) as one, Image.open(io.BytesIO(plain)) as other:
        assert one.tobytes() == other.tobytes()


ORDINARY = {
    "JPEG": ("RGB", "L", "CMYK", "1"),
    "PNG": ("RGB", "L", "P", "RGBA", "LA", "I;16", "1"),
    "WEBP": ("RGB", "L", "P", "RGBA"),
    "GIF": ("RGB", "L", "P", "RGBA", "1"),
    "BMP": ("RGB", "L", "P", "RGBA", "1"),
    "TIFF": ("RGB", "L", "P", "RGBA", "CMYK", "I;16", "1"),
    "AVIF": ("RGB", "L", "P", "RGBA"),
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in ORDINARY.items() for mode in modes])
def test_ordinary_pictures_reach_the_decoder_with_the_same_pixels(kind: str, mode: str) -> None:
    """In every format and mode that Pillow writes."""
    data = encoded(kind, mode)
    held = pixels_only(data)
    assert held is not None
    assert (held.format, held.width, held.height) == (kind, 70, 50)
    with Image.open(io.BytesIO(held.data)) as one, Image.open(io.BytesIO(data)) as other:
        assert (one.mode, one.info.get("transparency")) == (other.mode, other.info.get("transparency"))
        assert one.tobytes() == other.tobytes()


def test_a_jpeg_whose_two_headers_disagree_is_refused() -> None:
    """The decoder would take one size and the reader the other."""
    at = JPEG.index(b"\xff\xc0")
    size = JPEG[at : at + 19]
    with pytest.raises(PictureRefused, match="two headers"):
        pixels_only(JPEG[:at] + size + JPEG[at:])


def test_every_checksum_of_a_png_counts() -> None:
    check_png_sums(PNG)
    for at in (20, 50, len(PNG) - 2):
        damaged = bytearray(PNG)
        damaged[at] ^= 1
        with pytest.raises(PictureRefused, match="checksum"):
            check_png_sums(bytes(damaged))
    with pytest.raises(PictureRefused, match="is truncated"):
        check_png_sums(PNG[:-12])
