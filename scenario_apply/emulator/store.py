"""The database: SQLite in WAL mode, its tables, and one transaction per request.

Columns hold what is searched or joined; the rest of a thing is JSON in `doc`. synchronous=NORMAL in WAL mode: what was
committed survives the death of the process, which is what is promised (not the loss of power).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

SCHEMA_VERSION = 1
Row = sqlite3.Row

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE projects (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, privacy TEXT NOT NULL,
    type TEXT NOT NULL, status TEXT NOT NULL, name TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    deleted INTEGER, job TEXT, doc BLOB NOT NULL);
CREATE INDEX models_created ON models (project, privacy, created, seq);
CREATE INDEX models_status ON models (project, status);
CREATE TABLE training_images (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, asset TEXT NOT NULL, created INTEGER NOT NULL,
    UNIQUE (model, asset));
CREATE INDEX training_images_asset ON training_images (asset);
CREATE TABLE assets (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, privacy TEXT NOT NULL,
    kind TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL, mime TEXT NOT NULL, size INTEGER NOT NULL,
    width INTEGER, height INTEGER, sha256 TEXT, description TEXT NOT NULL DEFAULT '', caption TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL, updated INTEGER NOT NULL, deleted INTEGER, model TEXT, parent TEXT, fingerprint BLOB,
    doc BLOB NOT NULL);
CREATE INDEX assets_created ON assets (project, created, seq);
CREATE INDEX assets_model ON assets (model) WHERE model IS NOT NULL;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, type TEXT NOT NULL,
    model TEXT, created INTEGER NOT NULL, queued_until INTEGER NOT NULL, ends INTEGER NOT NULL,
    outcome TEXT NOT NULL, ended INTEGER, doc BLOB NOT NULL);
CREATE INDEX jobs_running ON jobs (project, type) WHERE ended IS NULL;
CREATE INDEX jobs_project ON jobs (project, seq);
CREATE TABLE uploads (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, status TEXT NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL, completed INTEGER, polls INTEGER NOT NULL DEFAULT 0, doc BLOB NOT NULL);
CREATE TABLE agenda (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL);
CREATE INDEX agenda_at ON agenda (at, seq);
CREATE TABLE webhook_endpoints (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, url TEXT NOT NULL,
    secret TEXT NOT NULL, enabled INTEGER NOT NULL, events TEXT NOT NULL, description TEXT,
    total INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL,
    updated INTEGER NOT NULL);
CREATE TABLE webhook_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL, type TEXT NOT NULL,
    status TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, payload BLOB NOT NULL,
    attempts BLOB NOT NULL);
CREATE INDEX webhook_events_endpoint ON webhook_events (endpoint, seq);
"""


class StoreError(RuntimeError):
    """A database this version cannot use."""


class Store:
    """One connection. Used from one thread: the one that serves."""

    def __init__(self, path: Path | str, *, lasting: bool = True) -> None:
        """lasting: False for a database that goes with its server, and need never wait for the disk."""
        self._after: list[Callable[[], None]] = []
        try:
            self._db = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        except sqlite3.DatabaseError as problem:
            raise StoreError(f"{path}: {problem}") from problem
        self._db.row_factory = sqlite3.Row
        try:
            self._open(lasting)
        except (StoreError, sqlite3.DatabaseError) as problem:
            self._db.close()
            raise StoreError(f"{path}: {problem}") from problem

    def _open(self, lasting: bool) -> None:
        durability = (
            ("synchronous=NORMAL", "journal_mode=WAL") if lasting else ("synchronous=OFF", "journal_mode=MEMORY")
        )
        # trusted_schema: a database prepared by another party cannot call functions from its schema
        for pragma in (*durability, "cache_size=-16000", "trusted_schema=OFF"):
            self._db.execute(f"PRAGMA {pragma}")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self.number("SELECT count(*) FROM sqlite_master")
        if version == 0 and tables:
            raise StoreError("this is the database of another program")
        if version == 0:
            self._db.executescript(f"BEGIN;{_TABLES}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        elif version != SCHEMA_VERSION:
            raise StoreError(f"the database has schema version {version}; this emulator knows {SCHEMA_VERSION}")
        else:
            self._check_whole()

    def _check_whole(self) -> None:
        """Raise StoreError for a damaged file: reads every page of every table and index."""
        problem = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            raise StoreError(f"the database is damaged ({problem.splitlines()[-1]})")

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        return self._db.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row, if any."""
        row: Row | None = self._db.execute(sql, values).fetchone()
        return row

    def number(self, sql: str, values: Sequence[Any] = ()) -> int:
        """The first column of the first row, such as a count."""
        row = self._db.execute(sql, values).fetchone()
        return int(row[0])

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry out a change; the number of rows it touched."""
        return self._db.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same change for many rows."""
        self._db.executemany(sql, rows)

    def meta(self, key: str) -> str | None:
        """A fact about the store itself."""
        row = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Record a fact about the store itself."""
        self.run("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing. Committed when the block is left without an exception."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._after.clear()
            raise
        self._db.execute("COMMIT")
        while self._after:
            self._after.pop()()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run an action that cannot be undone after the current transaction commits; not at all if it rolls back."""
        self._after.append(action)

    def clear(self) -> None:
        """Delete everything but the facts about the store itself."""
        for (table,) in self.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            if table != "meta":
                self.run(f"DELETE FROM {table}")  # noqa: S608 -- the names come from the schema itself

    def close(self) -> None:
        """Close the database; its journal is folded into it."""
        self._db.close()


def load(doc: bytes) -> dict[str, Any]:
    """A `doc` column as a dictionary."""
    value: dict[str, Any] = orjson.loads(doc)
    return value


def dump(value: Any) -> bytes:
    """A value as a `doc` column, or as the body of an answer."""
    return orjson.dumps(value)
