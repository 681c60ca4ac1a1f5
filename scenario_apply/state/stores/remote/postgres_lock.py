"""The lock of a state in PostgreSQL: a session's advisory lock, and a row that names its holder for messages.

The server ends the lock with the session: a killed run frees it at once, a vanished machine after about a minute. The
row alone is no lock; it counts while the process of the server that it names holds the lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from typing import LiteralString, NamedTuple

from scenario_apply.errors import StateLocked
from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.lock import LOCK_HINT, Holder
from scenario_apply.state.stores.remote.backend import Lease, StoreUnavailable
from scenario_apply.state.stores.remote.postgres_session import PostgresSession

_LEASES = "scenario_apply_leases"
_LOOKS = 100
"""Whether a session that was asked to end has ended, a tenth of a second apart."""
_UNKNOWN = Holder(who="another run", host="", pid=0, since="", command="")

_SCHEMA: LiteralString = """
SELECT spaces.nspname::text FROM pg_class AS tables JOIN pg_namespace AS spaces ON spaces.oid = tables.relnamespace
WHERE tables.oid = 'scenario_apply_leases'::regclass
"""
_HELD: LiteralString = """
SELECT locks.pid, locks.pid = pg_backend_pid(), rows.holder, rows.token
FROM pg_locks AS locks LEFT JOIN scenario_apply_leases AS rows ON rows.name = %s AND rows.backend = locks.pid
WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
  AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND locks.classid::bigint = %s AND locks.objid::bigint = %s
"""
_UNLOCK: LiteralString = "SELECT pg_advisory_unlock(%s::bigint)"
_RECORD: LiteralString = """
INSERT INTO scenario_apply_leases (name, holder, token, backend) VALUES (%s, %s, %s, pg_backend_pid())
ON CONFLICT (name) DO UPDATE SET
    holder = excluded.holder, token = excluded.token, backend = excluded.backend, taken_at = clock_timestamp()
"""


class _Found(NamedTuple):
    """Who holds the lock. pid: the process of the server; is_here: it is that of the session that asked.

    token: None where the row is not written yet.
    """

    pid: int
    is_here: bool
    holder: Holder
    token: str | None


class PostgresLock:
    """The lock of one state. The caller keeps the session that took it."""

    def __init__(self, url: StateUrl) -> None:
        self._url = url
        self._name = url.path
        self._schema: str | None = None

    def take(self, session: PostgresSession, holder: Holder) -> Lease:
        """Take the lock in that session. Raises StateLocked, TableMissing, StoreUnavailable.

        The session is closed where another holds the lock, so that many who wait leave connections to others, and
        where naming the holder fails.
        """
        self._refuse_unfit(session)
        key = self._key(session)
        if not session.run("SELECT pg_try_advisory_lock(%s::bigint)", (key,), needs="")[0][0]:
            found = self._found(session)
            session.close()
            raise StateLocked(
                f"the state {self._url.shown} is locked by {found.holder if found else 'another run'}",
                hint=LOCK_HINT,
            )
        token = uuid.uuid4().hex
        try:
            before = session.run(
                "SELECT holder FROM scenario_apply_leases WHERE name = %s", (self._name,), needs=f"SELECT ON {_LEASES}"
            )
            session.run(_RECORD, (self._name, _written(holder), token), needs=f"INSERT, UPDATE ON {_LEASES}")
        except BaseException:
            with contextlib.suppress(StoreUnavailable):
                session.run(_UNLOCK, (key,), needs="")  # at once: the server notices a closed connection a bit later
            session.close()
            raise
        return Lease(token, None, _read(before[0][0]) if before else None)

    def is_held(self, session: PostgresSession, token: str) -> bool:
        """Whether that session still holds the lock that it took with this token."""
        found = self._found(session)
        return found is not None and found.is_here and found.token == token

    def give_up(self, session: PostgresSession, token: str) -> None:
        """Free the lock and end its session. The row goes first, so that the next holder's is not taken away."""
        try:
            session.run(
                "DELETE FROM scenario_apply_leases WHERE name = %s AND token = %s",
                (self._name, token),
                needs=f"DELETE ON {_LEASES}",
            )
        finally:
            session.run(_UNLOCK, (self._key(session),), needs="")

    def holder(self, session: PostgresSession) -> Holder | None:
        """Who holds the lock now."""
        found = self._found(session)
        return None if found is None else found.holder

    def break_it(self, session: PostgresSession) -> Holder | None:
        """End the session that holds the lock; whose it was. Raises StoreUnavailable where that is not permitted."""
        found = self._found(session)
        if found is None:
            return None
        by_hand = f"SELECT pg_terminate_backend({found.pid})"
        try:
            session.run("SELECT pg_terminate_backend(%s)", (found.pid,), needs="pg_signal_backend")
        except StoreUnavailable as error:
            if session.is_broken:
                raise
            raise StoreUnavailable(
                f"{self._url.shown}: this user may not end the session of {found.holder}",
                hint=f"as its own user, or with the role pg_signal_backend: {by_hand}",
            ) from error
        for _ in range(_LOOKS):
            now = self._found(session)
            if now is None or now.pid != found.pid:
                break
            session.run("SELECT pg_sleep(0.1)", needs="")
        else:
            raise StoreUnavailable(
                f"{self._url.shown}: the session of {found.holder} has not ended yet", hint="try again in a moment"
            )
        session.run(
            "DELETE FROM scenario_apply_leases WHERE name = %s AND backend = %s AND token = %s",
            (self._name, found.pid, found.token or ""),
            needs=f"DELETE ON {_LEASES}",
        )
        return found.holder

    def _key(self, session: PostgresSession) -> int:
        """The lock's key, a signed 64-bit number. Advisory locks are those of the whole database, hence the schema."""
        if self._schema is None:
            self._schema = session.run(_SCHEMA, needs=f"SELECT ON {_LEASES}")[0][0]
        digest = hashlib.sha256(f"scenario-apply\0{self._schema}\0{self._name}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)

    def _found(self, session: PostgresSession) -> _Found | None:
        unsigned = self._key(session) & 0xFFFF_FFFF_FFFF_FFFF
        values = (self._name, unsigned >> 32, unsigned & 0xFFFF_FFFF)
        for pid, is_here, words, token in session.run(_HELD, values, needs=f"SELECT ON {_LEASES}"):
            return _Found(pid, is_here, _UNKNOWN if words is None else _read(words), token)
        return None

    def _refuse_unfit(self, session: PostgresSession) -> None:
        """Raises StoreUnavailable where a lock would not last: on a replica, and behind a pooler of transactions."""
        is_replica, pid = session.run("SELECT pg_is_in_recovery(), pg_backend_pid()", needs="")[0]
        if is_replica:
            raise StoreUnavailable(
                f"{self._url.shown} is a read-only replica: a lock there does not stop other runs",
                hint="name the primary server in the URL or PGHOST",
            )
        if session.announced_pid == pid:
            return
        other = PostgresSession(self._url)
        try:
            other.run("BEGIN", needs="")
            is_shared = other.run("SELECT pg_backend_pid()", needs="")[0][0] == pid or (
                session.run("SELECT pg_backend_pid()", needs="")[0][0] != pid
            )
        finally:
            other.close()
        if is_shared:
            raise StoreUnavailable(
                f"{self._url.shown} is behind a connection pooler that shares sessions, so that no lock would last",
                hint="use the server's own port, or a pool in session mode (PgBouncer: pool_mode = session)",
            )


def _written(holder: Holder) -> str:
    """The holder as JSON in ASCII: a database may have another encoding, and a command line none."""
    return json.dumps(
        {"who": holder.who, "host": holder.host, "pid": holder.pid, "since": holder.since} | {"command": holder.command}
    )


def _read(text: str) -> Holder:
    try:
        plain = json.loads(text)
        texts = {key: str(plain[key])[:200] for key in ("who", "host", "since", "command")}
        return Holder(pid=int(plain["pid"]), **texts)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return _UNKNOWN
