"""The fingerprint cache: one file of results a dataset, read by index, replaced whole, always safe to delete.

Layout: a magic line, the datasets' contents one after the other, an index, a fixed-size end that points at the index.
A warm scan reads the index alone; contents are read when somebody asks, by offset and checksum, so that a file which
another run replaced meanwhile is noticed. The last run to finish wins; no reader ever sees half of anything.

The end also holds the inode of the file: a copy, such as one that came with a checkout, is an empty cache.

Measured against SQLite at 1,000 datasets of 6 KB (medians, ms): index loaded 2.4 against 5.0 with its import, all
written 1 against 25, one dataset changed 18 against 0.2, since the file is copied. Taken for what it has not got:
locks, a journal beside it, trouble on network drives.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from struct import Struct
from struct import error as StructError  # noqa: N812  # a class by another name
from typing import BinaryIO, NamedTuple
from zlib import crc32

from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, own_folder, temporary_name

# Grows with the layout, and with the meaning of anything stored.
FORMAT = 2
_MAGIC = b"scenario-apply dataset cache %d\n" % FORMAT
_END = Struct("<QIIQ8s")  # index offset, length, checksum, inode of the file, mark
_END_MARK = b"saindex\n"
_MOST_UNUSED = 2000  # results of datasets this run did not ask for are kept, up to this many
_COPY_BYTES = 1 << 20
_LARGEST_PIECE_BYTES = 256 << 20


class CacheRecord(NamedTuple):
    """A dataset's result. key: its name, a line end, where its files are.

    offset, length, checksum: of its contents in the file.
    trusted: no file was so young that a later change could have left its stat as it is.
    findings: rows as model.lint_rules.Finding.
    """

    key: str
    signature: str
    trusted: bool
    deep: bool
    digest: str
    images: int
    pairs: int
    findings: list[list[str | int | None]]
    offset: int = 0
    length: int = 0
    checksum: int = 0


class Damaged(Exception):
    """What is stored cannot be read: it has to be made anew."""


class Cache:
    """What a cache file held when it was opened, and what this run adds. path None: kept in memory only."""

    def __init__(self, path: str | None) -> None:
        """A file that is missing, damaged or of another version is an empty cache. Raises UnsafeFile, e.g. for a link.

        The folder of path is ours, and no link: so is it looked up from the folder above it.
        """
        self._place = None if path is None else _place_of(path)
        self._records: Mapping[str, CacheRecord] = {} if self._place is None else _read_index(*self._place)
        self._by_name: dict[str, CacheRecord] | None = None
        self._added: dict[str, CacheRecord] = {}
        self._in_memory: dict[str, bytes] = {}
        self._out: BinaryIO | None = None
        self._temporary = ""
        self._used: set[str] = set()

    def find(self, key: str) -> CacheRecord | None:
        self._used.add(key)
        return self._records.get(key)

    def like(self, name: str) -> CacheRecord | None:
        """What is held under that name for other files: some of them may be the same."""
        if self._by_name is None:
            self._by_name = {record.key.partition("\n")[0]: record for record in self._records.values()}
        return self._by_name.get(name)

    def read(self, record: CacheRecord) -> bytes:
        """The contents of a record. Raises Damaged when they are not there any more."""
        held = self._in_memory.get(record.key)
        if held is not None and crc32(held) == record.checksum:
            return held
        if self._place is None:
            raise Damaged
        folder, name = self._place
        try:
            with _reading(folder, name if self._out is None else self._temporary) as file:
                contents = _piece(file, record.offset, record.length)
        except (OSError, ValueError, OverflowError) as error:
            raise Damaged from error
        if len(contents) != record.length or crc32(contents) != record.checksum:
            raise Damaged
        return contents

    def read_old(self, record: CacheRecord) -> bytes:
        """As read, for a record that find() gave while this run is still adding."""
        out, self._out = self._out, None
        try:
            return self.read(record)
        finally:
            self._out = out

    def add(self, record: CacheRecord, contents: bytes) -> CacheRecord:
        """Keeps contents for this run and, after save(), for later ones. The record as stored."""
        if self._place is not None and self._out is None:
            folder, name = self._place
            self._temporary = temporary_name(f".{name}")
            self._out = _create(folder, self._temporary)
            if self._out is None:
                self._place = None  # nowhere to write: this run works from memory
        offset = 0
        if self._out is not None:
            offset = self._out.tell()
            self._out.write(contents)
        else:
            self._in_memory[record.key] = contents
        stored = record._replace(offset=offset, length=len(contents), checksum=crc32(contents))
        self._added[record.key] = stored
        self._used.add(record.key)
        return stored

    def save(self) -> None:
        """Puts the new file in the old one's place, with what it still holds of use. Nothing added: nothing written.

        A disk that refuses costs the next run time and this one nothing.
        """
        out, place = self._out, self._place
        if out is None or place is None:
            return
        folder, name = place
        try:
            self._copy_kept(out)
            index = _index_bytes(self._added)
            offset = out.tell()
            out.write(index)
            out.write(_END.pack(offset, len(index), crc32(index), _inode(out), _END_MARK))
            out.close()
            folder.rename(self._temporary, name)
        except OSError:
            self.abandon()
        self._out = None

    def abandon(self) -> None:
        """Drops what was added."""
        if self._out is not None:
            with suppress(OSError):
                self._out.close()
            if self._place is not None:
                with suppress(OSError):
                    self._place[0].unlink(self._temporary)
            self._out = None

    def _copy_kept(self, out: BinaryIO) -> None:
        kept = [record for key, record in self._records.items() if key not in self._added]
        unused = [record for record in kept if record.key not in self._used]
        dropped = {record.key for record in unused[: max(0, len(unused) - _MOST_UNUSED)]}
        assert self._place is not None
        try:
            old = _reading(*self._place)
        except OSError:
            return
        added, self._added = self._added, {}
        with old:
            for record in kept:
                if record.key in dropped:
                    continue
                try:
                    contents = _piece(old, record.offset, record.length)
                except (ValueError, OverflowError):
                    continue  # the index says what no file holds
                if crc32(contents) != record.checksum:
                    continue  # another run replaced the file meanwhile
                self._added[record.key] = record._replace(offset=out.tell())
                out.write(contents)
        self._added.update(added)


def _place_of(path: str) -> tuple[OwnFolder, str]:
    folder, name = os.path.split(os.path.abspath(path))
    return own_folder(folder, within=os.path.dirname(folder)), name


def _create(folder: OwnFolder, name: str) -> BinaryIO | None:
    try:
        folder.ignore_all()
        out = os.fdopen(folder.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb", buffering=_COPY_BYTES)
    except UnsafeFile:
        raise
    except OSError:
        return None
    out.write(_MAGIC)
    return out


def _reading(folder: OwnFolder, name: str) -> BinaryIO:
    return os.fdopen(folder.open(name, os.O_RDONLY), "rb")


def _piece(file: BinaryIO, offset: int, length: int) -> bytes:
    """A part of a file, in memory. Raises ValueError for one that a cache does not have."""
    if not 0 <= length <= _LARGEST_PIECE_BYTES:
        raise ValueError(length)
    file.seek(offset)
    return file.read(length)


def _index_bytes(records: Mapping[str, CacheRecord]) -> bytes:
    import orjson

    return orjson.dumps([tuple(record) for record in records.values()])


def _read_index(folder: OwnFolder, name: str) -> dict[str, CacheRecord]:
    try:
        with _reading(folder, name) as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return {}
            file.seek(-_END.size, os.SEEK_END)
            offset, length, checksum, inode, mark = _END.unpack(file.read(_END.size))
            if mark != _END_MARK or inode != _inode(file):
                return {}
            index = _piece(file, offset, length)
    except UnsafeFile:
        raise
    except (OSError, StructError, ValueError, OverflowError):
        return {}
    if crc32(index) != checksum:
        return {}
    import orjson

    try:
        records = [CacheRecord(*row) for row in orjson.loads(index)]
    except (ValueError, TypeError):  # a checksum that fits proves no author
        return {}
    return {record.key: record for record in records} if all(map(_is_sound, records)) else {}


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino & 0xFFFF_FFFF_FFFF_FFFF


def _is_sound(record: CacheRecord) -> bool:
    """Whether each value is of the kind it is said to be."""
    kinds = (str, str, bool, bool, str, int, int, list, int, int, int)
    return all(type(value) is kind for value, kind in zip(record, kinds, strict=True)) and all(
        type(row) is list and all(cell is None or type(cell) in (str, int) for cell in row) for row in record.findings
    )
