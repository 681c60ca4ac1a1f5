"""Format and size of a picture from its first bytes, and what of it a decoder may see.

Pictures come from untrusted clients: a hundred bytes may claim gigabytes, and a million empty chunks take minutes. So
nothing is decoded here, every walk ends, and what is handed on for decoding is the pixels without texts, EXIF and
profiles.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from dataclasses import dataclass

MOST_PIXELS = 50_000_000
_MOST_PARTS = 100_000
_MOST_SCANS = 64
_MOST_TAGS = 512
_PIECE = 1024 * 1024
_ISO_BYTES = 64 * 1024

Bytes = bytes | mmap.mmap
_SIZES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_JPEG_KEPT = _SIZES | {0xC4, 0xCC, 0xDB, 0xDD, 0xEE}
_JPEG_NEXT = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


class BadPicture(ValueError):
    """Bytes that are no whole picture, or one too large; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """A picture made of pixels. format: Pillow's name. pieces: what decoding takes; none where it is not decoded."""

    format: str
    width: int
    height: int
    pieces: tuple[bytes, ...] = ()


def read_raster(data: Bytes, *, for_decoding: bool = False) -> Raster:
    """for_decoding: with its pieces, as large as the file. Raises BadPicture for what is no known format, cut off,
    broken, or over MOST_PIXELS.
    """
    head = data[:16]
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            raster = _png(data, for_decoding)
        elif head.startswith(b"\xff\xd8\xff"):
            raster = _jpeg(data, for_decoding)
        elif head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            raster = _webp(data, for_decoding)
        elif head.startswith((b"GIF87a", b"GIF89a")):
            raster = Raster(format="GIF", width=_little(data, 6, 2), height=_little(data, 8, 2))
        elif head.startswith((b"II*\0", b"MM\0*")):
            raster = _tiff(data)
        elif head[4:12] in (b"ftypavif", b"ftypavis"):
            raster = _avif(data)
        else:
            raise BadPicture("no known picture format")
    except (struct.error, IndexError):
        raise BadPicture("broken picture: it breaks off in its header") from None
    if raster.width <= 0 or raster.height <= 0:
        raise BadPicture("broken picture: it has no pixels")
    if raster.width * raster.height > MOST_PIXELS:
        raise BadPicture(f"{raster.width}x{raster.height} is more than {MOST_PIXELS // 10**6} megapixels")
    return raster


def _png(data: Bytes, for_decoding: bool) -> Raster:
    """Every chunk with its checksum; the pixels as one chunk."""
    width, height, depth, colours = struct.unpack_from(">IIBB", data, 16)
    if data[8:16] != b"\0\0\0\x0dIHDR" or depth not in _PNG_DEPTHS.get(colours, ()):
        raise BadPicture("broken picture: a PNG header that is none")
    kept: dict[bytes, bytes] = {}
    pixels: list[bytes] = []
    at, size = 8, len(data)
    for _ in range(_MOST_PARTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > size:
            raise BadPicture("broken picture: the PNG is cut off")
        if _sum(data, at + 4, end) != struct.unpack_from(">I", data, end)[0]:
            raise BadPicture(f"broken picture: wrong checksum in {kind!r}")
        if kind == b"IEND":
            break
        if for_decoding and kind == b"IDAT":
            pixels.append(data[at + 8 : end])
        elif for_decoding and kind in (b"IHDR", b"PLTE", b"tRNS"):
            kept.setdefault(kind, data[at + 8 : end])
        at = end + 4
    else:
        raise BadPicture("broken picture: too many chunks")
    if not for_decoding:
        return Raster(format="PNG", width=width, height=height)
    chunks = (*kept.items(), (b"IDAT", b"".join(pixels)), (b"IEND", b""))
    pieces = [b"\x89PNG\r\n\x1a\n"]
    for kind, content in chunks:
        pieces += [struct.pack(">I4s", len(content), kind), content]
        pieces.append(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))
    return Raster(format="PNG", width=width, height=height, pieces=tuple(pieces))


def _sum(data: Bytes, start: int, end: int) -> int:
    """The checksum of a part, a megabyte at a time."""
    held = 0
    for at in range(start, end, _PIECE):
        held = zlib.crc32(data[at : min(at + _PIECE, end)], held)
    return held


def _jpeg(data: Bytes, for_decoding: bool) -> Raster:
    """The segments that decoding takes, then everything from the first scan on."""
    if data.rfind(b"\xff\xd9", max(0, len(data) - 4096)) < 0:
        raise BadPicture("the JPEG is cut off")
    pieces = [b"\xff\xd8"]
    at, width, height, scans, first = 2, 0, 0, 0, 0
    for _ in range(_MOST_PARTS):
        found = _JPEG_NEXT.search(data, at)
        if found is None or found[1] == b"\xd9":
            break
        marker, start = found[1][0], found.end()
        at = start
        if marker in (0x01, 0xD8):
            continue
        (length,) = struct.unpack_from(">H", data, start)
        at = start + length
        if marker == 0xDA:
            scans += 1
            first = first or start - 2
            if scans > _MOST_SCANS:
                raise BadPicture("broken picture: too many scans")
        if first:
            continue
        if marker in _SIZES:
            height, width = struct.unpack_from(">HH", data, start + 3)
        if for_decoding and (marker in _JPEG_KEPT or (marker == 0xE0 and data[start + 2 : start + 6] == b"JFIF")):
            pieces.append(b"\xff" + found[1] + data[start:at])
    else:
        raise BadPicture("broken picture: too many segments")
    if not first:
        raise BadPicture("broken picture: a JPEG without pixels")
    return Raster(format="JPEG", width=width, height=height, pieces=(*pieces, data[first:]) if for_decoding else ())


def _webp(data: Bytes, for_decoding: bool) -> Raster:
    if _little(data, 4, 4) + 8 > len(data):
        raise BadPicture("the WebP is cut off")
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    elif kind == b"VP8L":
        bits = _little(data, 21, 4)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8X":
        width, height = _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    else:
        raise BadPicture("broken picture: a WebP without pixels")
    return Raster(format="WEBP", width=width, height=height, pieces=(data[:],) if for_decoding else ())


def _tiff(data: Bytes) -> Raster:
    order = "<" if data[:1] == b"I" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    sides = {0x100: 0, 0x101: 0}
    for index in range(min(count, _MOST_TAGS)):
        tag, kind = struct.unpack_from(order + "HH", data, at + 2 + 12 * index)
        if tag in sides:
            (sides[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at + 10 + 12 * index)
    return Raster(format="TIFF", width=sides[0x100], height=sides[0x101])


def _avif(data: Bytes) -> Raster:
    """The largest size that its description names."""
    found = re.findall(rb"ispe....(....)(....)", data[:_ISO_BYTES], re.DOTALL)
    sizes = [(int.from_bytes(w, "big"), int.from_bytes(h, "big")) for w, h in found]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return Raster(format="AVIF", width=width, height=height)


def _little(data: Bytes, at: int, size: int) -> int:
    held = data[at : at + size]
    if len(held) < size:
        raise IndexError(at)
    return int.from_bytes(held, "little")
