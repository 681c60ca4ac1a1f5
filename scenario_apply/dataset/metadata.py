"""Removes metadata from picture files without touching their pixel data: EXIF with the place, XMP, IPTC, texts.

What says how to show the pixels stays: sizes, tables, transparency, frames, the colour profile. Everything else goes,
with what follows the end of the picture, such as the second picture of an MPO file, which has EXIF of its own. Time
and memory are in proportion to the file, whose number of parts dataset.pixel_data has bounded.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from scenario_apply.dataset.image_headers import ICC_START, NEEDED_CHUNKS, is_needed_segment, png_profile
from scenario_apply.dataset.odd_metadata import without_odd_metadata

_U16 = Struct(">H")
_U32 = Struct(">I")
_U32LE = Struct("<I")
_SOS, _EOI = 0xDA, 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_IN_A_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_METADATA_FLAGS = 0x0C


class MetadataError(Exception):
    """The structure of a picture cannot be parsed."""


def without_metadata(data: bytes) -> bytes:
    """The picture without metadata, equal to data where there is none. Raises MetadataError."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return b"\xff\xd8" + b"".join(piece for _, piece in _jpeg_pieces(data) if piece)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            kept = (piece for kind, piece in _png_chunks(data) if kind in NEEDED_CHUNKS)
            return data[:8] + b"".join(kept)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        return without_odd_metadata(data)
    except (struct.error, IndexError, ValueError) as error:
        raise MetadataError("its structure is broken, so its metadata cannot be removed") from error


def has_metadata(data: bytes) -> bool:
    """Whether without_metadata removes anything. True also for a file that it cannot follow to its end."""
    try:
        return without_metadata(data) != data
    except MetadataError:
        return True


class FileParts(NamedTuple):
    """FileParts of a JPEG or PNG that the decoder never sees. profile: of colours, b"" without one.

    metadata: what without_metadata removes, the marker or kind of each with its content.
    """

    profile: bytes = b""
    metadata: tuple[tuple[bytes, bytes], ...] = ()


def parts_of(data: bytes) -> FileParts:
    """The parts of a JPEG or PNG; of another format, none. Raises MetadataError."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg_parts(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png_parts(data)
    except (struct.error, IndexError, ValueError) as error:
        raise MetadataError("its structure is broken") from error
    return FileParts()


def _jpeg_parts(data: bytes) -> FileParts:
    profile, metadata = {}, []
    for segment, piece in _jpeg_pieces(data):
        content = segment[4:]
        if not piece:
            metadata.append((segment[:2], content))
        elif segment[1] == 0xE2 and len(content) > len(ICC_START) + 2:
            profile[content[12]] = content[14:]
    return FileParts(b"".join(profile[number] for number in sorted(profile)), tuple(metadata))


def _png_parts(data: bytes) -> FileParts:
    profile, metadata = b"", []
    for kind, piece in _png_chunks(data):
        if kind == b"iCCP" and not profile:
            profile = png_profile(piece[8:-4])
        elif kind not in NEEDED_CHUNKS:
            metadata.append((kind, piece[8:-4]))
    return FileParts(profile, tuple(metadata))


def _jpeg_pieces(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every part of a JPEG up to its end marker, and what of it stays: the same or nothing. Fill bytes are dropped."""
    at, size = 2, len(data)
    while (at := data.find(b"\xff", at)) >= 0:
        marker = data[at + 1]
        if marker in (0xFF, 0x00):  # fill bytes and stray bytes
            at += 1
            continue
        if marker == _EOI:
            yield data[at : at + 2], data[at : at + 2]
            return
        if marker in _STANDALONE:
            yield data[at : at + 2], data[at : at + 2]
            at += 2
            continue
        end = at + 2 + _U16.unpack_from(data, at + 2)[0]
        if marker == _SOS:
            found = _IN_A_SCAN.search(data, end)
            end = size if found is None else found.start()
        segment = data[at:end]
        is_kept = not (marker == 0xFE or 0xE0 <= marker <= 0xEF) or is_needed_segment(marker, segment[4:16])
        yield segment, segment if is_kept else b""
        at = end
    raise ValueError("no end marker")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every chunk of a PNG up to its end marker: its kind, and all its bytes."""
    at, size = 8, len(data)
    while at + 12 <= size:
        end = at + 12 + _U32.unpack_from(data, at)[0]
        if end > size:
            break
        kind = data[at + 4 : at + 8]
        yield kind, data[at:end]
        if kind == b"IEND":
            return
        at = end
    raise ValueError("no end marker")


def _webp(data: bytes) -> bytes:
    parts = []
    at, end = 12, min(len(data), 8 + _U32LE.unpack_from(data, 4)[0])
    while at + 8 <= end:
        length = _U32LE.unpack_from(data, at + 4)[0]
        kind, chunk = data[at : at + 4], data[at : at + 8 + length + (length & 1)]
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_METADATA_FLAGS]) + chunk[9:]
        if kind in _WEBP_KEPT:
            parts.append(chunk)
        at += 8 + length + (length & 1)
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + _U32LE.pack(len(body)) + body
