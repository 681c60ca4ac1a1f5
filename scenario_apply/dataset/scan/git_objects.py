"""Reads objects of a Git repository from its own files: loose ones, and those in packs. No git program is run.

Nothing outside of the repository's folder is read: no alternates, no links that lead out of it. Whatever does not fit
the format, or is larger than it needs to be, is GitUnreadable. Repositories with SHA-256 ids are not read.
Source: gitformat-pack(5), gitformat-index(5), "Git Internals" in Pro Git.
"""

from __future__ import annotations

import mmap
import os
import stat
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from scenario_apply.manifest.loader.listing import is_within

_LARGEST_BYTES = 100 << 20  # of an object
_DEEPEST_CHAIN = 64  # deltas; Git makes 50 at most
_MOST_WORK = 1 << 30  # bytes that are unpacked, for all objects: some seconds
_WORK_OF_A_DELTA = 8  # a byte of a delta takes as long as so many that are unpacked or, from its base, copied
_MOST_PACKS = 200
_PIECE_BYTES = 1 << 16
_ID_BYTES = 20
_INDEX_START = b"\xfftOc\0\0\0\2"
_FANOUT = struct.Struct(">256I")
_U32, _U64 = struct.Struct(">I"), struct.Struct(">Q")
_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_OFFSET_DELTA, _ID_DELTA = 6, 7


class GitUnreadable(ValueError):
    """The repository's files are damaged, or of a form that is not read."""


class GitObject(NamedTuple):
    """kind: commit, tree, blob or tag."""

    kind: str
    data: bytes


class _Pack(NamedTuple):
    names: mmap.mmap  # its index
    data: mmap.mmap
    fanout: tuple[int, ...]


class GitObjects:
    """The objects below one folder, as Git's `objects`. Use it by `with`."""

    def __init__(self, common: str) -> None:
        """common: the folder that holds `objects`; of a linked worktree, that of its main one."""
        self._common = common
        self._packs: list[_Pack] | None = None
        self._work = 0

    def __enter__(self) -> GitObjects:
        return self

    def __exit__(self, *_: object) -> None:
        for pack in self._packs or ():
            pack.names.close()
            pack.data.close()

    def read(self, name: str) -> GitObject | None:
        """An object by its id in hex; None where it is not, as in a shallow clone. Raises GitUnreadable."""
        try:
            return self._loose(name) or self._packed(bytes.fromhex(name))
        except (zlib.error, IndexError, ValueError, OSError) as error:
            raise GitUnreadable(f"{name}: {error}") from error

    def _loose(self, name: str) -> GitObject | None:
        handle = open_within(self._common, f"objects/{name[:2]}/{name[2:]}")
        if handle is None:
            return None
        with open(handle, "rb") as file:
            plain = _inflated(iter(lambda: file.read(_PIECE_BYTES), b""), _LARGEST_BYTES)
        head, _, data = plain.partition(b"\0")
        kind, _, size = head.decode("ascii").partition(" ")
        self._count(len(plain))
        if kind not in _KINDS.values() or int(size) != len(data):
            raise GitUnreadable("no object")
        return GitObject(kind, data)

    def _packed(self, name: bytes) -> GitObject | None:
        for pack in self._opened_packs():
            at = _position(pack, name)
            if at is not None:
                return self._from_pack(pack, at)
        return None

    def _opened_packs(self) -> list[_Pack]:
        if self._packs is None:
            self._packs = []
            folder = os.path.join(self._common, "objects", "pack")
            names: Sequence[str] = ()
            with suppress(OSError):
                names = sorted(name for name in os.listdir(folder) if name.endswith(".idx"))
            for name in names[:_MOST_PACKS]:
                with suppress(OSError, ValueError, struct.error):  # of an empty file, or one that goes meanwhile
                    index = _mapped(self._common, f"objects/pack/{name}")
                    data = _mapped(self._common, f"objects/pack/{name.removesuffix('.idx')}.pack")
                    if index[:8] == _INDEX_START:
                        self._packs.append(_Pack(index, data, _FANOUT.unpack_from(index, 8)))
        return self._packs

    def _from_pack(self, pack: _Pack, at: int) -> GitObject:
        """The object at that position, with its deltas applied to what they are based on."""
        deltas: list[bytes] = []
        held = 0
        while True:
            kind, size, start = _entry_head(pack.data, at)
            base: int | None = None
            if kind == _OFFSET_DELTA:
                back, start = _base_distance(pack.data, start)
                base = at - back
                if back <= 0 or base < 0:
                    raise GitUnreadable("a delta on itself")
            elif kind == _ID_DELTA:
                base = _position(pack, pack.data[start : start + _ID_BYTES])
                start += _ID_BYTES
                if base is None:
                    raise GitUnreadable("a delta on what is not in its pack")
            elif kind not in _KINDS:
                raise GitUnreadable("no kind of object")
            held += size
            self._count(size)
            if held > _LARGEST_BYTES:
                raise GitUnreadable("too large")
            data = _inflated(_pieces(pack.data, start), size)
            if len(data) != size:
                raise GitUnreadable("it has another size")
            if base is None:
                for delta in reversed(deltas):
                    data = _patched(data, delta)
                    self._count(len(data) // _WORK_OF_A_DELTA + len(delta) * _WORK_OF_A_DELTA)
                return GitObject(_KINDS[kind], data)
            deltas.append(data)
            at = base
            if len(deltas) > _DEEPEST_CHAIN:
                raise GitUnreadable("too many deltas")

    def _count(self, size: int) -> None:
        """Raises GitUnreadable once the objects that were read have taken too long: small packs unpack to much."""
        self._work += size
        if self._work > _MOST_WORK:
            raise GitUnreadable("too much to unpack")


def open_within(folder: str, name: str) -> int | None:
    """A descriptor of a regular file below a folder; None where there is none, or where a link leads out of it."""
    path = os.path.realpath(os.path.join(folder, name))
    if not is_within(path, os.path.realpath(folder)):
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    return None


def _mapped(folder: str, name: str) -> mmap.mmap:
    handle = open_within(folder, name)
    if handle is None:
        raise FileNotFoundError(name)
    try:
        return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(handle)


def _pieces(data: mmap.mmap, start: int) -> Iterator[bytes]:
    return (data[at : at + _PIECE_BYTES] for at in range(start, len(data), _PIECE_BYTES))


def _inflated(pieces: Iterator[bytes], most: int) -> bytes:
    """Unpacked; not more than most bytes and the few that show that there are more."""
    unpack, out = zlib.decompressobj(), bytearray()
    for piece in pieces:
        out += unpack.decompress(piece, most - len(out) + 1)
        if len(out) > most:
            raise GitUnreadable("too large")
        if unpack.eof:
            return bytes(out)
    raise GitUnreadable("it is cut off")


def _position(pack: _Pack, name: bytes) -> int | None:
    """Where the object with that id begins in a pack."""
    count = pack.fanout[255]
    low = pack.fanout[name[0] - 1] if name[0] else 0
    ids = 8 + _FANOUT.size

    def name_at(number: int) -> bytes:
        return pack.names[ids + number * _ID_BYTES : ids + (number + 1) * _ID_BYTES]

    found = bisect_left(range(count), name, low, min(count, pack.fanout[name[0]]), key=name_at)
    if found >= count or name_at(found) != name:
        return None
    offsets = ids + count * (_ID_BYTES + 4)
    (at,) = _read(_U32, pack.names, offsets + 4 * found)
    if at & 0x80000000:  # in a table of its own, for packs over 2 GB
        (at,) = _read(_U64, pack.names, offsets + 4 * count + 8 * (at & 0x7FFFFFFF))
    return int(at)


def _read(form: struct.Struct, data: mmap.mmap, at: int) -> tuple[int, ...]:
    if not 0 <= at <= len(data) - form.size:
        raise GitUnreadable("it is cut off")
    return form.unpack_from(data, at)


def _entry_head(data: mmap.mmap, at: int) -> tuple[int, int, int]:
    """Kind and unpacked size of an entry, and where its content begins."""
    byte = data[at]
    kind, size, shift = byte >> 4 & 7, byte & 15, 4
    while byte & 0x80:
        at += 1
        byte = data[at]
        size |= (byte & 0x7F) << shift
        shift += 7
        if shift > 60:
            raise GitUnreadable("a size of many bytes")
    return kind, size, at + 1


def _base_distance(data: mmap.mmap, at: int) -> tuple[int, int]:
    """How far before a delta its base begins, and where the delta itself begins."""
    byte = data[at]
    back = byte & 0x7F
    while byte & 0x80:
        at += 1
        byte = data[at]
        back = (back + 1) << 7 | byte & 0x7F
        if back > 1 << 60:
            raise GitUnreadable("a distance of many bytes")
    return back, at + 1


def _patched(base: bytes, delta: bytes) -> bytes:
    """What a delta makes of its base: pieces of that, and pieces of its own."""
    old, at = _size(delta, 0)
    new, at = _size(delta, at)
    if old != len(base) or new > _LARGEST_BYTES:
        raise GitUnreadable("a delta on something else")
    out = bytearray()
    while at < len(delta):
        code = delta[at]
        at += 1
        if code & 0x80:
            start = length = 0
            for bit in range(4):
                if code & 1 << bit:
                    start |= delta[at] << 8 * bit
                    at += 1
            for bit in range(3):
                if code & 0x10 << bit:
                    length |= delta[at] << 8 * bit
                    at += 1
            out += base[start : start + (length or 0x10000)]
        elif code:
            out += delta[at : at + code]
            at += code
        else:
            raise GitUnreadable("no instruction")
        if len(out) > new:
            break
    if len(out) != new:
        raise GitUnreadable("it has another size")
    return bytes(out)


def _size(delta: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte = delta[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return size, at
        if shift > 60:
            raise GitUnreadable("a size of many bytes")
