"""Checks GIF, BMP, TIFF, AVIF and HEIF before a decoder reads them.

Each of their decoders has a weakness that a small file can exploit: comments joined piece by piece, tags that all
point at the same megabyte, tables searched line by line. Files that would trigger one are refused here.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import Literal, NamedTuple

from scenario_apply.dataset.image_limits import PictureRefused, check_pixels, most_parts, too_many_parts

_ISO_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "HEIF"),
}
_UNKNOWN_COST = 40_000_000  # the data can hold a larger picture than the header gives
_RLE_PIXELS_A_BYTE = 80  # run lengths, which Pillow unpacks in Python
_STRIP_COST = 500

_GIF_EXTENSION_BYTES = 256 * 1024
_TIFF_TAGS = 512
_TIFF_NUMBERS = 200_000  # in one tag; strips of one line each make 50,000 in a very tall picture
_TIFF_BYTES_A_VALUE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_TIFF_BLOBS = frozenset({1, 2, 6, 7})  # bytes and texts, which are not parsed
_BOX_BYTES = 32 * 1024
_BOXES = 1000
_U16LE = Struct("<H")
_U32LE = Struct("<I")
_ISPE = re.compile(rb"ispe....(....)(....)", re.DOTALL)


class OddPixels(NamedTuple):
    """data: for the decoder. cost: of decoding, in pixels."""

    format: str
    data: bytes
    width: int
    height: int
    cost: int


def odd_pixels(data: bytes) -> OddPixels | None:
    """None for other formats. Raises PictureRefused, struct.error or IndexError for a broken structure."""
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _gif(data)
    if data.startswith(b"BM"):
        return _bmp(data)
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff(data)
    if data[4:8] == b"ftyp" and data[8:12] in _ISO_BRANDS:
        return _iso(data)
    return None


def _gif(data: bytes) -> OddPixels:
    """Reads the blocks up to the second frame, as far as the decoder reads."""
    (width,), (height,) = _U16LE.unpack_from(data, 6), _U16LE.unpack_from(data, 8)
    at, size = 13 + _gif_colours(data[10]), len(data)
    left, frames, extension_bytes = most_parts(size) + size // 32, 0, 0
    while at < size and left > 0:
        kind = data[at]
        start = at
        if kind == 0x21:
            at += 2
        elif kind == 0x2C and frames == 0:
            x, y, w, h = (_U16LE.unpack_from(data, at + offset)[0] for offset in (1, 3, 5, 7))
            width, height, frames = max(width, x + w), max(height, y + h), 1
            at += 11 + _gif_colours(data[at + 9])
        elif kind in (0x2C, 0x3B):
            break
        else:
            at, left = at + 1, left - 1
            continue
        at, blocks = _gif_blocks(data, at, left)
        left -= blocks + 1
        if kind == 0x21:
            extension_bytes += at - start
            if extension_bytes > _GIF_EXTENSION_BYTES:
                what = f"it has more than {_GIF_EXTENSION_BYTES // 1024} KB of comments and other extensions"
                raise PictureRefused("F02", f"{what}; export it again")
    if left <= 0:
        raise too_many_parts(size, "blocks")
    return OddPixels("GIF", data, width, height, width * height)


def _gif_colours(flags: int) -> int:
    """The size in bytes of the colour table given by the flags."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data: bytes, at: int, most: int) -> tuple[int, int]:
    """The end of the chain of blocks that starts at `at`, and their number."""
    blocks, size = 0, len(data)
    while at < size and blocks <= most:
        length = data[at]
        at += 1 + length
        blocks += 1
        if not length:
            break
    return at, blocks


def _bmp(data: bytes) -> OddPixels:
    (header,) = _U32LE.unpack_from(data, 14)
    if header == 12:
        (width,), (height,), packing = _U16LE.unpack_from(data, 18), _U16LE.unpack_from(data, 20), 0
    else:
        width, height = (abs(int.from_bytes(data[at : at + 4], "little", signed=True)) for at in (18, 22))
        (packing,) = _U32LE.unpack_from(data, 30)
    check_pixels(width, height)
    runs = len(data) * _RLE_PIXELS_A_BYTE if packing in (1, 2) else 0
    return OddPixels("BMP", data, width, height, width * height + runs)


def _tiff(data: bytes) -> OddPixels:
    """Reads the first directory: the size, and how much data its tags hold."""
    order: Literal["little", "big"] = "little" if data[:1] == b"I" else "big"
    wide = data[2:4] in (b"+\0", b"\0+")

    def number(at: int, size: int) -> int:
        if at + size > len(data):
            raise IndexError(at)
        return int.from_bytes(data[at : at + size], order)

    at = number(8, 8) if wide else number(4, 4)
    count_bytes, entry_bytes, word = (8, 20, 8) if wide else (2, 12, 4)
    entries = number(at, count_bytes)
    if entries > _TIFF_TAGS:
        raise PictureRefused("F02", f"it has {entries} tags, at most {_TIFF_TAGS} are read; export it again")
    sizes = {0x100: 0, 0x101: 0}
    held, numbers = 0, 0
    for index in range(entries):
        here = at + count_bytes + entry_bytes * index
        tag, kind, count = number(here, 2), number(here + 2, 2), number(here + 4, word)
        if tag in sizes:
            sizes[tag] = number(here + 4 + word, {1: 1, 3: 2}.get(kind, 4))
        unit = _TIFF_BYTES_A_VALUE.get(kind, 8)
        held += unit * count
        if kind not in _TIFF_BLOBS:
            numbers = max(numbers, count)
    if held > len(data) or numbers > _TIFF_NUMBERS:
        raise PictureRefused("F02", "its tags claim more data than the file has; export it again")
    width, height = sizes[0x100], sizes[0x101]
    return OddPixels("TIFF", data, width, height, width * height + numbers * _STRIP_COST)


def _iso(data: bytes) -> OddPixels:
    """Reads the top-level boxes. The size is the largest of any item."""
    at, size, width, height = 0, len(data), 0, 0
    pieces: list[bytes] = []
    for _ in range(_BOXES):
        if at + 8 > size:
            break
        length, kind, start = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, start = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = size - at
        if length < start:
            raise PictureRefused("F02", "its boxes overlap; export it again")
        if at + length > size:
            raise PictureRefused("F02", "it is truncated; export or download it again")
        box = data[at : at + length]
        if kind in (b"meta", b"moov"):
            if length > _BOX_BYTES:
                what = f"its metadata has {length // 1024} KB, at most {_BOX_BYTES // 1024} KB are read"
                raise PictureRefused("F02", f"{what}; export it again")
            for one, other in _ISPE.findall(box):
                w, h = int.from_bytes(one, "big"), int.from_bytes(other, "big")
                check_pixels(w, h)
                width, height = max(width, w), max(height, h)
            box = box.replace(b"Exif", b"free")  # the plug-in parses it without a limit
        pieces.append(box)
        at += length
    else:
        raise PictureRefused("F02", f"it has more than {_BOXES} boxes; export it again")
    return OddPixels(_ISO_BRANDS[data[8:12]], b"".join(pieces), width, height, _UNKNOWN_COST)
