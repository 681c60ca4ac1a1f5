"""Zip files read in place: what one holds, and the bytes of one of its files. Nothing is unpacked to the disk.

A zip file may come from an untrusted author. What it claims about its files is checked before anything is unpacked,
and what is unpacked must be exactly as long as claimed. The paths in it name nothing on the disk.
"""

from __future__ import annotations

import errno
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from stat import S_IFDIR, S_IFREG, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.manifest.loader.listing import Folder, Row, identity_of
from scenario_apply.manifest.loader.memory_files import memory_file
from scenario_apply.model.file_names import is_image_name, is_junk_folder

if TYPE_CHECKING:
    from scenario_apply.manifest.loader.data_guard import DataGuard

LARGEST_MEMBER = 256 << 20
"""Bytes of one file; 50 megapixels, the most that is decoded, have 200 MB without compression."""
_FREE_BYTES = 64 << 20
_MOST_EXPANSION = 100
"""All files of a zip may have so many times its size together, and _FREE_BYTES. Pictures have hardly more than once."""
_MOST_DIRECTORY_BYTES = 8 << 20  # of the list of files at the end: about 100,000 files
_MOST_KEPT = 16  # lists of zip files that are kept in memory
_MOST_NAMED = 3
_PART = re.compile(r"\.zip(?=/|$)", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LFS = b"version https://git-lfs"


class BadArchive(OSError):
    """A zip file, or one of its files, that cannot be used. The text continues "cannot be read: "."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EINVAL, why)


class _Member(NamedTuple):
    """A file of a zip. offset: of its header. packed: bytes that it takes in the zip."""

    size: int
    packed: int
    offset: int
    method: int
    crc: int


class Archive(NamedTuple):
    """folders: path in the zip -> its rows, "" for the top. refused and nested: texts about files that are not read."""

    stat: tuple[int, int, int]  # size, mtime_ns, identity
    members: dict[str, _Member]
    folders: dict[str, list[Row]]
    refused: tuple[str, ...]
    nested: tuple[str, ...]

    def top(self) -> str:
        """The folder that everything lies in, if there is only one at the top: zip programs often add it."""
        at = ""
        while len(rows := self.folders.get(at, [])) == 1 and rows[0][4] == S_IFDIR:
            at = f"{at}/{rows[0][0]}" if at else rows[0][0]
        return at

    def images_in(self, folder: str) -> int:
        """The number of pictures directly in a folder."""
        return sum(row[4] == S_IFREG and is_image_name(row[0]) for row in self.folders.get(folder, []))


class Archives:
    """The zip files of one run. Their lists are read once; each file in them is read when it is opened."""

    def __init__(self) -> None:
        self._kept: dict[str, Archive] = {}

    def split(self, full: str) -> tuple[str, str] | None:
        """A path in a zip file -> path of the zip, and the path in it ("" for the zip itself). None: in no zip."""
        for part in _PART.finditer(full):
            try:
                is_file = S_ISREG(os.stat(full[: part.end()]).st_mode)
            except (OSError, ValueError):
                return None
            if is_file:
                return full[: part.end()], full[part.end() + 1 :]
        return None

    def read(self, path: str, guard: DataGuard) -> Archive:
        """The list of a zip file. path: absolute. Raises Barred, BadArchive, OSError."""
        with guard.opened(path) as file:
            stat = os.fstat(file.fileno())
            known = self._kept.get(path)
            found = (stat.st_size, stat.st_mtime_ns, identity_of(stat))
            if known is None or known.stat != found:
                known = self._kept[path] = _listed(file.fileno(), found)
                if len(self._kept) > _MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)), None)
        return known

    def open(self, full: str, guard: DataGuard) -> int:
        """A descriptor of a file in a zip. full: absolute. Raises Barred, BadArchive, OSError."""
        place = self.split(full)
        if place is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        member = self.read(place[0], guard).members.get(place[1])
        if member is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        with guard.opened(place[0]) as file:
            return memory_file(_unpacked(file.fileno(), member))

    def walk(self, path: str, inner: str, guard: DataGuard, *, depth: int | None) -> Iterator[Folder]:
        """Folders of a zip like those of a disk: listing.walk. inner "": the folder that everything lies in."""
        try:
            archive = self.read(path, guard)
        except OSError as error:
            yield Folder(path, "", [], error.strerror or type(error).__name__)
            return
        start = inner.rstrip("/") or (archive.top() if depth == 0 else "")
        if start and start not in archive.folders:
            yield Folder(f"{path}/{start}", "", [], "a file" if start in archive.members else "missing")
            return
        pending = [("", 0)]
        while pending:
            within, level = pending.pop()
            here = "/".join(filter(None, (start, within)))
            rows = archive.folders.get(here, [])
            yield Folder("/".join(filter(None, (path, here))), within, rows)
            if depth is None or level < depth:
                below = [row[0] for row in rows if row[4] == S_IFDIR]
                pending += [(f"{within}/{name}" if within else name, level + 1) for name in reversed(below)]


class _BoundedFile(io.FileIO):
    """A file of which zipfile cannot read a list of files without bounds into memory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_DIRECTORY_BYTES:
            raise BadArchive("its list of files is too long")
        return super().read(size) or b""


def _listed(handle: int, stat: tuple[int, int, int]) -> Archive:
    if os.pread(handle, len(_LFS), 0) == _LFS:
        raise BadArchive("it is a Git LFS pointer; git lfs pull fetches the zip file itself")
    try:
        with _BoundedFile(handle, closefd=False) as file, zipfile.ZipFile(file) as opened:
            infos = opened.infolist()
    except OSError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OverflowError) as error:
        raise BadArchive("it is not a zip file, or it is damaged") from error
    members: dict[str, _Member] = {}
    refused: dict[str, list[str]] = {}
    nested: list[str] = []
    for info in infos:
        name, why = _name_of(info), None
        if name.endswith("/") or not name:
            continue
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or _DRIVE.match(name) or ".." in parts:
            why = "lead out of the zip file"
        elif any(is_junk_folder(part) for part in parts):  # hidden ones among them
            continue
        elif info.create_system == 3 and S_ISLNK(info.external_attr >> 16):
            why = "are links"
        elif name.lower().endswith(".zip"):
            nested.append(name)
            continue
        elif info.flag_bits & 1:
            why = "are encrypted"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            why = "are compressed by a method that is not read: make the zip with deflate"
        elif max(info.file_size, info.compress_size) > LARGEST_MEMBER:
            why = f"have more than {LARGEST_MEMBER >> 20} MB"
        elif "/".join(parts) in members:
            why = "are listed twice"
        if why is not None:
            refused.setdefault(why, []).append(name)
        else:
            members["/".join(parts)] = _Member(
                info.file_size, info.compress_size, info.header_offset, info.compress_type, info.CRC
            )
    _check_sizes(members, stat[0])
    return Archive(stat, members, _folders(members, stat), tuple(_texts(refused)), tuple(nested))


def _name_of(info: zipfile.ZipInfo) -> str:
    """The path as it was meant: UTF-8 without the mark that says so, which macOS leaves out, and backslashes."""
    name = info.filename
    if not (name.isascii() or info.flag_bits & 0x800):
        try:
            name = name.encode("cp437").decode()
        except UnicodeError:
            name = info.filename
    return name.replace("\\", "/")


def _check_sizes(members: dict[str, _Member], size: int) -> None:
    """Raises BadArchive for a zip bomb: files that share their bytes, or that unpack to far more than the zip has."""
    if sum(member.size for member in members.values()) > _FREE_BYTES + _MOST_EXPANSION * size:
        raise BadArchive(f"its files have more than {_MOST_EXPANSION} times its size: it may be a zip bomb")
    end = 0
    for member in sorted(members.values(), key=lambda member: member.offset):
        if member.offset < end:
            raise BadArchive("its files overlap: it may be a zip bomb")
        end = member.offset + _LOCAL_HEADER.size + member.packed


def _folders(members: dict[str, _Member], stat: tuple[int, int, int]) -> dict[str, list[Row]]:
    """By folder: what a listing of it would give. The files have the time and identity of their zip."""
    folders: dict[str, dict[str, Row]] = {"": {}}
    for path, member in members.items():
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = (name, member.size, stat[1], stat[2], S_IFREG, "")
        while folder:
            above, _, name = folder.rpartition("/")
            rows = folders.setdefault(above, {})
            if name in rows:
                break
            rows[name] = (name, 0, stat[1], stat[2], S_IFDIR, "")
            folder = above
    return {folder: sorted(rows.values()) for folder, rows in folders.items()}


def _texts(refused: dict[str, list[str]]) -> Iterator[str]:
    for why, names in refused.items():
        shown = ", ".join(ascii(name)[1:-1][:200] for name in names[:_MOST_NAMED])
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield f"files in it {why}: {shown}{more}"


def _unpacked(handle: int, member: _Member) -> bytes:
    """The bytes of a file, checked by their length and sum. Read by offset: threads and processes share the file."""
    head = os.pread(handle, 30, member.offset)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise BadArchive("it is damaged in its zip file")
    _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(head)
    data = os.pread(handle, member.packed, member.offset + 30 + name_bytes + extra_bytes)
    if member.method == zipfile.ZIP_DEFLATED:
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, member.size + 1)
        except zlib.error as error:
            raise BadArchive("it is damaged in its zip file") from error
    if len(data) != member.size or zlib.crc32(data) != member.crc:
        raise BadArchive("it is damaged in its zip file")
    return data
