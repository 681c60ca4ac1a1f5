"""Removes metadata from GIF, TIFF, HEIF and AVIF files, leaving their pixel data where it is.

GIF is copied block by block. In the others positions in the file are written down everywhere, so metadata is
overwritten with zeros and no longer listed. dataset.odd_headers has checked the file before, which bounds its parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Literal, NamedTuple

_U16 = Struct(">H")
_U32 = Struct(">I")
_GIF_KEPT = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"})
_TIFF_BYTES_A_VALUE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_TIFF_DIRECTORIES = frozenset({34665, 34853, 40965})  # EXIF, GPS, interoperability
_TIFF_METADATA = _TIFF_DIRECTORIES | {
    *(269, 270, 271, 272, 285, 305, 306, 315, 316, 33432),  # names, descriptions, times
    *(700, 33723, 34377, 37724, 50341),  # XMP, IPTC, Photoshop, print settings
    *(33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113),  # places of maps
    *range(36864, 37524),  # EXIF written into the first directory
}
_TIFF_PAGES = 1000
_TIFF_TAGS = 512
_ISO_KEPT = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"moof", b"free", b"skip"})
_ISO_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_ISO_METADATA = frozenset({b"Exif", b"mime", b"uri "})


def without_odd_metadata(data: bytes) -> bytes:
    """The picture without metadata; data itself for other formats. Raises IndexError, ValueError or struct.error."""
    if data.startswith((b"GIF87a", b"GIF89a")):
        return b"".join(_gif_pieces(data))
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _Tiff(data).cleaned()
    if data[4:8] == b"ftyp" and data[8:12] in _ISO_BRANDS:
        return _without_iso_metadata(data)
    return data


# -- GIF


def _gif_pieces(data: bytes) -> Iterator[bytes]:
    """What stays: all but comments, unknown application data, and what follows the end marker."""
    at = 13 + _gif_table(data[10])
    yield data[:at]
    while data[at] != 0x3B:
        start, kind, label = at, data[at], data[at + 1]
        if kind == 0x2C:
            at += 11 + _gif_table(data[at + 9])
        elif kind == 0x21:
            at += 2
        else:
            at += 1  # a stray byte
            continue
        name = data[at + 1 : at + 12]
        while data[at]:
            at += 1 + data[at]
        at += 1
        if kind == 0x2C or not (label == 0xFE or (label == 0xFF and name not in _GIF_KEPT)):
            yield data[start:at]
    yield b"\x3b"


def _gif_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


# -- TIFF


class _Tiff:
    """A TIFF file whose metadata tags are taken out of its directories, and their values overwritten."""

    def __init__(self, data: bytes) -> None:
        self._data = bytearray(data)
        self._order: Literal["little", "big"] = "little" if data[:1] == b"I" else "big"
        self._is_big = data[2:4] in (b"+\0", b"\0+")
        self._count_bytes, self._entry_bytes, self._word = (8, 20, 8) if self._is_big else (2, 12, 4)

    def cleaned(self) -> bytes:
        at = self._number(8, 8) if self._is_big else self._number(4, 4)
        seen: set[int] = set()
        while at and at not in seen and len(seen) < _TIFF_PAGES:
            seen.add(at)
            at = self._clean(at)
        return bytes(self._data)

    def _number(self, at: int, size: int) -> int:
        if at + size > len(self._data):
            raise IndexError(at)
        return int.from_bytes(self._data[at : at + size], self._order)

    def _entries(self, at: int) -> list[int]:
        count = self._number(at, self._count_bytes)
        if count > _TIFF_TAGS:
            raise ValueError(f"{count} tags")
        return [at + self._count_bytes + self._entry_bytes * index for index in range(count)]

    def _clean(self, directory: int) -> int:
        """Takes the metadata out of a directory; the position of the next one, 0 after the last."""
        entries = self._entries(directory)
        after = directory + self._count_bytes + self._entry_bytes * len(entries)
        following = self._data[after : after + self._word]
        kept = []
        for entry in entries:
            if self._number(entry, 2) in _TIFF_METADATA:
                self._wipe(entry)
            else:
                kept.append(bytes(self._data[entry : entry + self._entry_bytes]))
        count = len(kept).to_bytes(self._count_bytes, self._order)
        body = count + b"".join(kept) + following
        room = after + self._word - directory
        self._data[directory : directory + room] = body.ljust(room, b"\0")
        return int.from_bytes(following, self._order)

    def _wipe(self, entry: int, depth: int = 0) -> None:
        tag, kind, count = self._number(entry, 2), self._number(entry + 2, 2), self._number(entry + 4, self._word)
        size = _TIFF_BYTES_A_VALUE.get(kind, 1) * count
        if size > self._word:
            start = self._number(entry + 4 + self._word, self._word)
            end = min(start + size, len(self._data))
            if start < end:
                self._data[start:end] = bytes(end - start)
        elif tag in _TIFF_DIRECTORIES and depth < 2:
            inner = self._entries(self._number(entry + 4 + self._word, self._word))
            for one in inner:
                self._wipe(one, depth + 1)
            for one in inner:
                self._data[one : one + self._entry_bytes] = bytes(self._entry_bytes)


# -- HEIF and AVIF


class _Box(NamedTuple):
    kind: bytes
    start: int
    content: int
    end: int


def _boxes(data: bytes | bytearray, at: int, end: int) -> Iterator[_Box]:
    while at + 8 <= end:
        length, kind, head = _U32.unpack_from(data, at)[0], bytes(data[at + 4 : at + 8]), 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:
            length = end - at
        if length < head:
            raise ValueError(f"a box of {length} bytes")
        yield _Box(kind, at, at + head, min(at + length, end))
        at += length


def _without_iso_metadata(data: bytes) -> bytes:
    """Overwrites the items of the types Exif, XMP and URI, and boxes that decoders do not need."""
    out = bytearray(data)
    for box in _boxes(data, 0, len(data)):
        if box.kind == b"meta":
            _clean_items(out, data, box)
        elif box.kind not in _ISO_KEPT:
            out[box.start + 4 : box.start + 8] = b"free"
            out[box.content : box.end] = bytes(box.end - box.content)
    return bytes(out)


def _clean_items(out: bytearray, data: bytes, meta: _Box) -> None:
    inside = {box.kind: box for box in _boxes(data, meta.content + 4, meta.end)}
    if b"iinf" not in inside or b"iloc" not in inside:
        return
    found: dict[int, int] = {}  # item -> where its type is written
    listing = inside[b"iinf"]
    first = listing.content + (6 if data[listing.content] == 0 else 8)
    for box in _boxes(data, first, listing.end):
        version = data[box.content]
        at = box.content + (10 if version == 3 else 8)
        if version >= 2 and data[at : at + 4] in _ISO_METADATA:
            found[int.from_bytes(data[box.content + 4 : at - 2], "big")] = at
    store = inside[b"idat"].content if b"idat" in inside else 0
    for item, in_store, start, length in _extents(data, inside[b"iloc"]):
        if item in found:
            begin = start + (store if in_store else 0)
            end = min(begin + length, len(out)) if length else begin
            out[begin:end] = bytes(max(0, end - begin))
    for at in found.values():
        out[at : at + 4] = b"free"


def _extents(data: bytes, box: _Box) -> Iterator[tuple[int, bool, int, int]]:
    """Of each item: its id, whether it lies in the box of small items, start and length of a piece."""
    version, at = data[box.content], box.content + 6
    sizes = _U16.unpack_from(data, box.content + 4)[0]
    offset_size, length_size, base_size, index_size = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15)
    wide = 4 if version == 2 else 2

    def number(size: int) -> int:
        nonlocal at
        if at + size > box.end:
            raise IndexError(at)
        at += size
        return int.from_bytes(data[at - size : at], "big")

    for _ in range(number(wide)):
        item = number(wide)
        method = number(2) & 15 if version else 0
        number(2)  # the file that the data is in
        base = number(base_size)
        for _ in range(number(2)):
            number(index_size if version else 0)
            start, length = number(offset_size), number(length_size)
            yield item, method == 1, base + start, length
