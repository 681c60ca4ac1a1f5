"""The fingerprint cache: one file of results a dataset, read by index, replaced whole, always safe to delete.

Layout: a magic line, the datasets' contents one after the other, an index, a fixed-size end that points at the index.
A warm scan reads the index alone; contents are read when somebody asks, by offset and checksum, so that a file which
another run replaced meanwhile is noticed. The last run to finish wins; no reader ever sees half of anything.

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

# Grows with the layout, and with the meaning of anything stored.
FORMAT = 1
_MAGIC = b"scenario-apply dataset cache %d\n" % FORMAT
_END = Struct("<QII8s")  # index offset, length, checksum, mark
_END_MARK = b"saindex\n"
_MOST_UNUSED = 2000  # results of datasets this run did not ask for are kept, up to this many
_COPY_BYTES = 1 << 20


class Record(NamedTuple):
    """A dataset's result. key: its name, a line end, where its files are.

    offset, length, checksum: of its contents in the file.
    trusted: no file was so young that a later change could have left its stat as it is.
    findings: rows as core.dataset.rules.Finding.
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
        """Never fails: a file that is missing, damaged or of another version is an empty cache."""
        self._path = path
        self._records: Mapping[str, Record] = _read_index(path) if path is not None else {}
        self._by_name: dict[str, Record] | None = None
        self._added: dict[str, Record] = {}
        self._in_memory: dict[str, bytes] = {}
        self._out: BinaryIO | None = None
        self._used: set[str] = set()

    def find(self, key: str) -> Record | None:
        self._used.add(key)
        return self._records.get(key)

    def like(self, name: str) -> Record | None:
        """What is held under that name for other files: some of them may be the same."""
        if self._by_name is None:
            self._by_name = {record.key.partition("\n")[0]: record for record in self._records.values()}
        return self._by_name.get(name)

    def read(self, record: Record) -> bytes:
        """The contents of a record. Raises Damaged when they are not there any more."""
        held = self._in_memory.get(record.key)
        if held is not None and crc32(held) == record.checksum:
            return held
        if self._path is None:
            raise Damaged
        source = self._path if self._out is None else self._out.name
        try:
            with open(source, "rb") as file:
                file.seek(record.offset)
                contents = file.read(record.length)
        except OSError as error:
            raise Damaged from error
        if len(contents) != record.length or crc32(contents) != record.checksum:
            raise Damaged
        return contents

    def read_old(self, record: Record) -> bytes:
        """As read, for a record that find() gave while this run is still adding."""
        out, self._out = self._out, None
        try:
            return self.read(record)
        finally:
            self._out = out

    def add(self, record: Record, contents: bytes) -> Record:
        """Keeps contents for this run and, after save(), for later ones. The record as stored."""
        if self._path is not None and self._out is None:
            self._out = _create_beside(self._path)
            if self._out is None:
                self._path = None  # nowhere to write: this run works from memory
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
        out, path = self._out, self._path
        if out is None or path is None:
            return
        try:
            self._copy_kept(out)
            index = _index_bytes(self._added)
            offset = out.tell()
            out.write(index)
            out.write(_END.pack(offset, len(index), crc32(index), _END_MARK))
            out.close()
            os.replace(out.name, path)
        except OSError:
            self.abandon()
        self._out = None

    def abandon(self) -> None:
        """Drops what was added."""
        if self._out is not None:
            with suppress(OSError):
                self._out.close()
            with suppress(OSError):
                os.unlink(self._out.name)
            self._out = None

    def _copy_kept(self, out: BinaryIO) -> None:
        kept = [record for key, record in self._records.items() if key not in self._added]
        unused = [record for record in kept if record.key not in self._used]
        dropped = {record.key for record in unused[: max(0, len(unused) - _MOST_UNUSED)]}
        assert self._path is not None
        try:
            old = open(self._path, "rb")  # noqa: SIM115  # closed by the with below
        except OSError:
            return
        added, self._added = self._added, {}
        with old:
            for record in kept:
                if record.key in dropped:
                    continue
                old.seek(record.offset)
                contents = old.read(record.length)
                if crc32(contents) != record.checksum:
                    continue  # another run replaced the file meanwhile
                self._added[record.key] = record._replace(offset=out.tell())
                out.write(contents)
        self._added.update(added)


def _create_beside(path: str) -> BinaryIO | None:
    import tempfile

    folder = os.path.dirname(path) or "."
    try:
        os.makedirs(folder, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".datasets-", suffix=".tmp")
    except OSError:
        return None
    os.close(handle)
    out = open(name, "wb", buffering=_COPY_BYTES)  # noqa: SIM115  # closed by save or abandon
    out.write(_MAGIC)
    return out


def _index_bytes(records: Mapping[str, Record]) -> bytes:
    import orjson

    return orjson.dumps([tuple(record) for record in records.values()])


def _read_index(path: str) -> dict[str, Record]:
    try:
        with open(path, "rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                return {}
            file.seek(-_END.size, os.SEEK_END)
            offset, length, checksum, mark = _END.unpack(file.read(_END.size))
            if mark != _END_MARK:
                return {}
            file.seek(offset)
            index = file.read(length)
    except (OSError, StructError, ValueError):
        return {}
    if crc32(index) != checksum:
        return {}
    import orjson

    return {row[0]: Record(*row) for row in orjson.loads(index)}
