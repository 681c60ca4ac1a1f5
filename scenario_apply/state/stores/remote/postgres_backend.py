"""A state in a PostgreSQL database: rows with versions, and an advisory lock that dies with its connection.

The lock lives in the session that took it, which is kept for it alone. Calls are recorded through that session too, so
that a recorded call proves that the lock was held. Everything else goes through a second session, which is opened
again when it breaks: what is under way can be recorded after the lock was lost.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, LiteralString, TypeVar

from scenario_apply.model.ports import Clock
from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.backups import BACKUPS_KEPT
from scenario_apply.state.stores.lock import Holder
from scenario_apply.state.stores.remote.backend import Lease, LeaseLost, StaleWrite, StoredState
from scenario_apply.state.stores.remote.postgres_lock import PostgresLock
from scenario_apply.state.stores.remote.postgres_session import PostgresSession, SessionBroken, TableMissing
from scenario_apply.state.stores.remote.postgres_tables import create_tables, refuse_hidden

Answer = TypeVar("Answer")

_READ: LiteralString = "SELECT content, version FROM scenario_apply_states WHERE name = %s"
_FIRST: LiteralString = """
INSERT INTO scenario_apply_states (name, content, version) VALUES (%s, %s, %s)
ON CONFLICT (name) DO NOTHING RETURNING 1
"""
_NEXT: LiteralString = """
UPDATE scenario_apply_states SET content = %s, version = %s, saved_at = clock_timestamp()
WHERE name = %s AND version = %s RETURNING 1
"""
_KEEP: LiteralString = """
INSERT INTO scenario_apply_backups (name, serial, content) VALUES (%s, %s, %s)
ON CONFLICT (name, serial) DO UPDATE SET content = excluded.content, saved_at = clock_timestamp()
"""
_THIN_OUT: LiteralString = """
DELETE FROM scenario_apply_backups WHERE name = %s AND serial IN (
    SELECT serial FROM scenario_apply_backups WHERE name = %s ORDER BY saved_at DESC, serial DESC OFFSET %s)
"""
_BACKUPS: LiteralString = """
SELECT serial, content FROM scenario_apply_backups WHERE name = %s ORDER BY saved_at DESC, serial DESC
"""
_NEW_CALL: LiteralString = """
INSERT INTO scenario_apply_calls (name, call, content) VALUES (%s, %s, %s)
ON CONFLICT (name, call) DO NOTHING RETURNING 1
"""
_CALL: LiteralString = """
INSERT INTO scenario_apply_calls (name, call, content) VALUES (%s, %s, %s)
ON CONFLICT (name, call) DO UPDATE SET content = excluded.content RETURNING 1
"""


class PostgresBackend:
    """A StateBackend over four tables of the user's search path, made by the first write."""

    renew_every_s = 10.0
    written_serial = 0

    def __init__(self, url: StateUrl, *, clock: Clock, allow_http: bool) -> None:
        """Connects when it is first asked something.

        clock, allow_http: of no use here. A lock has no end to judge, and PGSSLMODE asks for encryption.
        """
        self.shown = url.shown
        self._url = url
        self._lock = PostgresLock(url)
        self._name = url.path
        self._acquiring = threading.Lock()  # a session may take its own lock twice
        self._opening = threading.Lock()
        self._session: PostgresSession | None = None
        self._leased: PostgresSession | None = None  # broken: the lease was lost

    def read(self) -> StoredState | None:
        try:
            rows = self._ask(_READ, (self._name,), needs="SELECT ON scenario_apply_states")
        except TableMissing:
            self._do(refuse_hidden)
            return None
        return StoredState(*rows[0]) if rows else None

    def write(self, content: bytes, *, replacing: str | None) -> str:
        version = uuid.uuid4().hex
        needs = "SELECT, INSERT, UPDATE ON scenario_apply_states"
        if replacing is None:
            rows = self._make(_FIRST, (self._name, content, version), needs=needs)
        else:
            rows = self._make(_NEXT, (content, version, self._name, replacing), needs=needs)
        if rows:
            return version
        there = self.read()
        if there is not None and there.content == content:  # the answer to our first try was lost
            return there.version
        what = "is gone" if there is None else "was written by another process"
        raise StaleWrite(f"{self.shown} {what} during this run", hint="nothing was overwritten; do this again")

    def keep_backup(self, serial: int, content: bytes) -> None:
        needs = "SELECT, INSERT, UPDATE, DELETE ON scenario_apply_backups"
        self._make(_KEEP, (self._name, serial, content), needs=needs)
        self._make(_THIN_OUT, (self._name, self._name, BACKUPS_KEPT), needs=needs)

    def backups(self) -> Iterator[tuple[str, bytes]]:
        try:
            rows = self._ask(_BACKUPS, (self._name,), needs="SELECT ON scenario_apply_backups")
        except TableMissing:
            return
        for serial, content in rows:
            yield f"{self.shown}, serial {serial} in scenario_apply_backups", content

    def put_call(self, name: str, content: bytes, *, is_new: bool) -> None:
        needs = "SELECT, INSERT, UPDATE ON scenario_apply_calls"
        if self._put(_NEW_CALL if is_new else _CALL, (self._name, name, content), needs=needs):
            return
        if dict(self.calls()).get(name) != content:
            raise StaleWrite(
                f"{self.shown} holds another call named {name}", hint="another run uses this state; nothing was sent"
            )

    def delete_calls(self, names: Collection[str]) -> None:
        if not names:
            return
        self._make(
            "DELETE FROM scenario_apply_calls WHERE name = %s AND call = ANY (%s)",
            (self._name, list(names)),
            needs="SELECT, DELETE ON scenario_apply_calls",
        )

    def calls(self) -> list[tuple[str, bytes]]:
        try:
            rows = self._ask(
                "SELECT call, content FROM scenario_apply_calls WHERE name = %s ORDER BY call",
                (self._name,),
                needs="SELECT ON scenario_apply_calls",
            )
        except TableMissing:
            return []
        return [(name, content) for name, content in rows]

    def acquire(self, holder: Holder) -> Lease:
        def take(session: PostgresSession) -> tuple[PostgresSession, Lease]:
            try:
                return session, self._lock.take(session, holder)
            except TableMissing:
                create_tables(session)
                return session, self._lock.take(session, holder)

        with self._acquiring:
            session, lease = self._do(take)
            with self._opening:
                self._leased, self._session = session, None
        return lease

    def renew(self, lease: Lease) -> Lease:
        if not self._in_lease(lambda session: self._lock.is_held(session, lease.token)):
            raise self._lost()
        return lease

    def release(self, lease: Lease) -> None:
        session = self._leased
        if session is None or session.is_broken:
            return
        try:
            self._lock.give_up(session, lease.token)
        except SessionBroken:
            return  # and the lock with it
        finally:
            session.close()
        self._leased = None

    def break_lock(self) -> Holder | None:
        try:
            return self._do(self._lock.break_it)
        except TableMissing:
            return None

    def holder(self) -> Holder | None:
        try:
            return self._do(self._lock.holder)
        except TableMissing:
            return None

    def close(self) -> None:
        with self._opening:
            for session in filter(None, (self._session, self._leased)):
                session.close()
            self._session = None

    def _put(self, sql: LiteralString, values: Sequence[object], *, needs: str) -> list[tuple[Any, ...]]:
        """Through the session of the lease; without a lease like everything else."""
        if self._leased is None:
            return self._make(sql, values, needs=needs)
        return self._in_lease(lambda session: session.run(sql, values, needs=needs))

    def _in_lease(self, act: Callable[[PostgresSession], Answer]) -> Answer:
        """Do something in the session of the lease. Raises LeaseLost when it has ended."""
        session = self._leased
        if session is None or session.is_broken:
            raise self._lost()
        try:
            return act(session)
        except SessionBroken as error:
            raise self._lost() from error

    def _lost(self) -> LeaseLost:
        return LeaseLost(
            f"the lock of {self.shown} was lost: its connection ended, or the lock was broken",
            hint="nothing new was started; check that no other run is under way, then apply again",
        )

    def _make(self, sql: LiteralString, values: Sequence[object], *, needs: str) -> list[tuple[Any, ...]]:
        """A statement that writes: where the tables are missing they are made first."""
        try:
            return self._ask(sql, values, needs=needs)
        except TableMissing:
            self._do(create_tables)
            return self._ask(sql, values, needs=needs)

    def _ask(self, sql: LiteralString, values: Sequence[object], *, needs: str) -> list[tuple[Any, ...]]:
        return self._do(lambda session: session.run(sql, values, needs=needs))

    def _do(self, act: Callable[[PostgresSession], Answer]) -> Answer:
        """Do something that may be done twice in the second session; once more in a new one where it breaks."""
        try:
            return act(self._opened())
        except SessionBroken:
            return act(self._opened())

    def _opened(self) -> PostgresSession:
        with self._opening:
            if self._session is None or self._session.is_broken:
                self._session = PostgresSession(self._url)
            return self._session
