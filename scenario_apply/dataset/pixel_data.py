"""Reduces a picture file to what decoding its pixels needs, so that the decoder never sees the rest.

EXIF, colour profiles, texts, embedded previews and empty chunks are where small files become expensive: tags that
all point at the same megabyte, compressed texts of unlimited size, lists that grow by copying. Pixels need none of
them. The functions here take time and memory in proportion to the file.
"""

from __future__ import annotations

import re
import struct
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from scenario_apply.dataset.image_headers import read_header
from scenario_apply.dataset.image_limits import MOST_SCANS, PictureRefused, check_pixels, most_parts, too_many_parts
from scenario_apply.dataset.odd_headers import odd_pixels

_U16 = Struct(">H")
_U32 = Struct(">I")
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = Struct(">II")
_KEPT_CHUNKS = frozenset({b"PLTE", b"tRNS"})
_SOF = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_KEPT_SEGMENTS = _SOF | {0xC4, 0xCC, 0xDB, 0xDD}  # tables, sizes, restart interval
_APP0, _APP14, _SOS, _EOI = 0xE0, 0xEE, 0xDA, 0xD9
_STANDALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})  # markers without a length
# With a "+" after the first byte it would find the same, but search a run of fill bytes again from each of them.
_IN_A_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")


class PixelData(NamedTuple):
    """data: a picture in that format, for the decoder. cost: of decoding, in pixels."""

    format: str
    data: bytes
    width: int
    height: int
    cost: int


def pixels_only(data: bytes) -> PixelData | None:
    """None for an unknown format. Raises PictureRefused. Nothing is decoded."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(_PNG_START):
            return _png(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        found = odd_pixels(data)
    except (struct.error, IndexError) as error:
        raise PictureRefused("F02", "its header is truncated; export or download it again") from error
    if found is None:
        return None
    check_pixels(found.width, found.height)
    return PixelData(found.format, found.data, found.width, found.height, found.cost)


def check_png_sums(data: bytes) -> None:
    """Raises PictureRefused unless the checksum of every chunk is right, up to the end marker."""
    at, size, view = 8, len(data), memoryview(data)
    for _ in range(most_parts(size)):
        if at + 12 > size:
            raise PictureRefused("F02", "it is truncated; export or download it again")
        (length,) = _U32.unpack_from(data, at)
        end = at + 8 + length
        if end + 4 > size:
            raise PictureRefused("F02", "it is truncated; export or download it again")
        if crc32(view[at + 4 : end]) != _U32.unpack_from(data, end)[0]:
            kind = data[at + 4 : at + 8].decode("ascii", "replace")
            raise PictureRefused("F02", f"wrong checksum in chunk {kind!r}; export or download it again")
        if data[at + 4 : at + 8] == b"IEND":
            return
        at = end + 4
    raise too_many_parts(size, "chunks")


def _png(data: bytes) -> PixelData:
    """Keeps the header, palette and transparency, and joins all pixel data into one chunk."""
    header = read_header(data)  # raises PictureRefused for a wrong colour type or too many chunks
    if header is None:
        width, height = _PNG_SIZE.unpack_from(data, 16)
        check_pixels(width, height)
        raise PictureRefused("F02", "its header is truncated; export or download it again")
    check_pixels(header.width, header.height)
    view = memoryview(data)
    kept: dict[bytes, bytes] = {}
    pixels: list[memoryview] = []
    at, size = 33, len(data)
    while at + 8 <= size:
        (length,) = _U32.unpack_from(data, at)
        kind = data[at + 4 : at + 8]
        content = view[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IDAT":
            pixels.append(content)
        elif kind in _KEPT_CHUNKS:
            kept.setdefault(kind, bytes(content))
        elif kind == b"IEND":
            break
    parts = [_PNG_START, data[8:29], _U32.pack(crc32(view[12:29]))]
    for kind, held in (*kept.items(), (b"IDAT", b"".join(pixels)), (b"IEND", b"")):
        parts += [_U32.pack(len(held)), kind, held, _U32.pack(crc32(held, crc32(kind)))]
    cost = header.width * header.height * (2 if header.alpha or header.depth == 16 else 1)
    return PixelData("PNG", b"".join(parts), header.width, header.height, cost)


def _webp(data: bytes) -> PixelData:
    header = read_header(data)
    if header is None:
        raise PictureRefused("F02", "its header is truncated; export or download it again")
    check_pixels(header.width, header.height)
    _count_webp_chunks(data)
    return PixelData("WEBP", data, header.width, header.height, 2 * header.width * header.height)


def _count_webp_chunks(data: bytes) -> None:
    at, size = 12, len(data)
    for _ in range(most_parts(size)):
        if at + 8 > size:
            return
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    raise too_many_parts(size, "chunks")


def _jpeg(data: bytes) -> PixelData:
    """Keeps the segments needed for decoding, and everything from the first scan on."""
    parts: list[bytes] = [b"\xff\xd8"]
    at, width, height, size = 2, 0, 0, len(data)
    for _ in range(most_parts(size)):
        at = data.find(b"\xff", at)
        marker = data[at + 1] if at >= 0 else _EOI
        if marker == 0xFF or marker == 0 or marker in _STANDALONE:  # fill bytes and stray bytes
            at += 1
            continue
        if marker == _EOI:
            raise PictureRefused("F02", "it ends before its pixel data; export or download it again")
        if marker == _SOS:
            break
        (length,) = _U16.unpack_from(data, at + 2)
        segment = data[at : at + 2 + length]
        if marker in _SOF:
            if width:
                raise PictureRefused("F02", "it has two headers with a size; export it again")
            (height,), (width,) = _U16.unpack_from(data, at + 5), _U16.unpack_from(data, at + 7)
        if marker in _KEPT_SEGMENTS or _defines_colours(marker, segment):
            parts.append(segment)
        at += 2 + length
    else:
        raise too_many_parts(size, "segments and fill bytes before its pixels")
    check_pixels(width, height)
    scans = _scans(data, at)
    cost = width * height * max(3, scans) // 12  # at an eighth of the size, which is how it is decoded
    whole = sum(map(len, parts)) == at  # nothing was left out, so nothing needs to be copied
    return PixelData("JPEG", data if whole else b"".join([*parts, memoryview(data)[at:]]), width, height, cost)


def _defines_colours(marker: int, segment: bytes) -> bool:
    """Whether it is one of the two application segments that define the colour space."""
    if marker == _APP0:
        return segment[4:9] == b"JFIF\0"
    return marker == _APP14 and segment[4:9] == b"Adobe"


def _scans(data: bytes, at: int) -> int:
    """The number of scans from the first one, at, to the end marker."""
    scans, size = 0, len(data)
    for _ in range(most_parts(size)):
        found = _IN_A_SCAN.search(data, at)
        if found is None:
            return scans
        marker = found[1][0]
        at = found.end()
        if marker == _EOI:
            return scans
        if marker == _SOS:
            scans += 1
            if scans > MOST_SCANS:
                what = f"it has more than {MOST_SCANS} scans, and each one takes a pass over all pixels"
                raise PictureRefused("F02", f"{what}; save it again as an ordinary JPEG")
        if marker not in _STANDALONE and at + 2 <= size:
            at += _U16.unpack_from(data, at)[0]
    raise too_many_parts(size, "segments")
