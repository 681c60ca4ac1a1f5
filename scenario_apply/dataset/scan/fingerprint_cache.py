"""The fingerprint cache: an SQLite file with one result per dataset. It is always safe to delete.

The file is read into memory as a whole and replaced as a whole. So no run waits for a lock or sees half of another
run's changes (the last run to finish wins), there is no journal beside it, and SQLite opens no path: own_files does,
which follows no link. A file that is damaged, of another version or not exactly of our schema is an empty cache.

The file also records its own inode: a copy, such as one that came with a checkout, is an empty cache.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import suppress
from threading import Lock
from typing import NamedTuple
from zlib import crc32

import msgspec

from scenario_apply.dataset.types import Convention
from scenario_apply.model.lint_rules import Finding
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, own_folder, temporary_name

# Increased with every change of the schema, and of the meaning of anything stored.
FORMAT = 8
_SCHEMA = (
    "CREATE TABLE origin (format INTEGER NOT NULL, inode TEXT NOT NULL)",
    "CREATE TABLE datasets (id INTEGER PRIMARY KEY, record BLOB NOT NULL, checksum INTEGER NOT NULL, contents BLOB)",
)
_MOST_UNUSED = 2000  # results of datasets that this run did not ask for are kept, up to this many
_LARGEST_BYTES = 512 << 20


class CacheRecord(NamedTuple):
    """A dataset's result. key: its name, a line end, and where its files are.

    trusted: no file was so young that a later change could have left its stat unchanged. depth: the Depth of scan that
    would find nothing more.
    checksum: of the contents. id: of the row that holds them.
    """

    key: str
    signature: str
    trusted: bool
    depth: int
    digest: str
    source_digest: str
    images: int
    pairs: int
    altered: int
    unknown: int
    findings: list[Finding]
    conventions: list[Convention]
    checksum: int = 0
    id: int = 0


class Damaged(Exception):
    """What is stored cannot be read, and has to be built again."""


class Cache:
    """What a cache file held when it was opened, and what this run adds. path None: kept in memory only."""

    def __init__(self, path: str | None) -> None:
        """A file that is missing, damaged or of another version is an empty cache. Raises UnsafeFile, e.g. for a link.

        The folder of path belongs to the tool, so it must not be a link either.
        """
        self._place = None if path is None else _place_of(path)
        self._lock = Lock()  # contents may be loaded by several threads
        self._database, found = _opened(None if self._place is None else _read(*self._place))
        weakref.finalize(self, self._database.close)  # Python 3.13 warns of a database that nobody closed
        self._records = {record.key: record for record in found}
        self._by_name: dict[str, CacheRecord] | None = None
        self._added: dict[str, CacheRecord] = {}
        self._used: set[str] = set()

    def find(self, key: str) -> CacheRecord | None:
        """The record that was stored under a key."""
        self._used.add(key)
        return self._records.get(key)

    def like(self, name: str) -> CacheRecord | None:
        """A record of that name for other files, some of which may be the same."""
        if self._by_name is None:
            self._by_name = {record.key.partition("\n")[0]: record for record in self._records.values()}
        return self._by_name.get(name)

    def read(self, record: CacheRecord) -> bytes:
        """The contents of a record. Raises Damaged."""
        try:
            with self._lock:
                row = self._database.execute("SELECT contents FROM datasets WHERE id = ?", (record.id,)).fetchone()
        except sqlite3.Error as error:
            raise Damaged from error
        if row is None or not isinstance(row[0], bytes) or crc32(row[0]) != record.checksum:
            raise Damaged
        return row[0]

    def add(self, record: CacheRecord, contents: bytes) -> CacheRecord:
        """Keeps contents for this run and, after save(), for later ones. Returns the record as stored."""
        record = record._replace(checksum=crc32(contents))
        packed = msgspec.msgpack.encode(record)
        with self._lock:
            row = self._database.execute(
                "INSERT INTO datasets (record, checksum, contents) VALUES (?, ?, ?)", (packed, crc32(packed), contents)
            )
        stored = self._added[record.key] = record._replace(id=row.lastrowid or 0)
        self._used.add(record.key)
        return stored

    def save(self) -> None:
        """Replaces the file, if anything was added. A disk that refuses costs the next run time, and is no error."""
        if self._place is None or not self._added:
            return
        folder, name = self._place
        temporary = temporary_name(f".{name}")
        try:
            folder.ignore_all()
            out = os.fdopen(folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb")
        except UnsafeFile:
            raise
        except OSError:
            return
        try:
            with out:
                out.write(self._file(_inode(out.fileno())))
            folder.rename(temporary, name)
        except OSError:
            with suppress(OSError):
                folder.unlink(temporary)

    def _file(self, inode: str) -> bytes:
        """The database without replaced and long unused rows."""
        kept = [record for key, record in self._records.items() if key not in self._added]
        unused = [record for record in kept if record.key not in self._used]
        dropped = unused[: max(0, len(unused) - _MOST_UNUSED)]
        replaced = [record for key, record in self._records.items() if key in self._added]
        with self._lock:
            self._database.executemany(
                "DELETE FROM datasets WHERE id = ?", [(record.id,) for record in (*dropped, *replaced)]
            )
            self._database.execute("DELETE FROM origin")
            self._database.execute("INSERT INTO origin VALUES (?, ?)", (FORMAT, inode))
            return self._database.serialize()


def _place_of(path: str) -> tuple[OwnFolder, str]:
    folder, name = os.path.split(os.path.abspath(path))
    return own_folder(folder, within=os.path.dirname(folder)), name


def _inode(file: int) -> str:
    return str(os.fstat(file).st_ino)


def _read(folder: OwnFolder, name: str) -> tuple[bytes, str] | None:
    """A file's bytes and its inode; None when there is none to use. Raises UnsafeFile."""
    try:
        with os.fdopen(folder.open(name, os.O_RDONLY), "rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
            return (content, _inode(file.fileno())) if 0 < len(content) <= _LARGEST_BYTES else None
    except UnsafeFile:
        raise
    except OSError:
        return None


def _opened(file: tuple[bytes, str] | None) -> tuple[sqlite3.Connection, list[CacheRecord]]:
    """The database in memory, and its records; an empty one when the file is not a sound cache of ours."""
    if file is not None:
        content, inode = file
        database = _connection()
        try:
            database.deserialize(content)
            return database, _records(database, inode)
        except (sqlite3.Error, Damaged, OverflowError):
            database.close()
    database = _connection()
    for statement in _SCHEMA:
        database.execute(statement)
    return database, []


def _connection() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "journal_mode = OFF"):
        database.execute(f"PRAGMA {setting}")
    return database


def _records(database: sqlite3.Connection, inode: str) -> list[CacheRecord]:
    """Raises Damaged or sqlite3.Error. The schema is checked first: a view could compute without end."""
    if tuple(sql for (sql,) in database.execute("SELECT sql FROM sqlite_master ORDER BY rowid")) != _SCHEMA:
        raise Damaged
    if database.execute("SELECT format, inode FROM origin").fetchall() != [(FORMAT, inode)]:
        raise Damaged
    decode = msgspec.msgpack.Decoder(CacheRecord).decode
    records = []
    for row, packed, checksum in database.execute("SELECT id, record, checksum FROM datasets"):
        if not isinstance(packed, bytes) or crc32(packed) != checksum:
            raise Damaged
        try:
            records.append(decode(packed)._replace(id=row))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Damaged from error
    return records
