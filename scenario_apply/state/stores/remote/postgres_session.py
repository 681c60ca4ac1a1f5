"""One connection to a PostgreSQL server, with time limits and errors in our own words.

A session is never opened again: what lives in it, such as a lock, ends with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, LiteralString, NoReturn

from scenario_apply.state.state_url import StateUrl
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.postgres_refusals import NO_PASSWORD, connect_refusal, statement_refusal

try:
    import psycopg
except ModuleNotFoundError:
    raise
except ImportError as error:  # psycopg without its binary part, and no libpq on this machine
    raise ModuleNotFoundError("psycopg finds no libpq", name="psycopg") from error

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # its warnings may name users and servers

CONNECT_WITHIN_S = 8.0
_ANSWER_WITHIN_S = 20.0
"""Seconds until a server that does not even refuse is given up: longer than its own limit of a statement."""
_BYTES_PER_S = 100_000
"""The slowest line that a large state is sent over."""

_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3}
_SETTINGS = """
SELECT set_config(wanted.name, wanted.value, false)
FROM (VALUES ('statement_timeout', '15s'), ('lock_timeout', '10s'), ('idle_session_timeout', '0'),
             ('idle_in_transaction_session_timeout', '60s'), ('default_transaction_isolation', 'read committed'),
             ('tcp_keepalives_idle', '20'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
             ('tcp_user_timeout', '50s'), ('synchronous_commit', 'on')) AS wanted (name, value)
JOIN pg_catalog.pg_settings AS held USING (name)
WHERE name <> 'synchronous_commit' OR held.setting = 'off'
"""
"""Of this session only. With the keepalives the server ends the session of a vanished machine after 50 seconds."""

_UNNAMED = (
    "a server that only the manifest names gets no password of the environment: name it with --state, or PGHOST (and "
    "PGPORT)"
)


class SessionBroken(StoreUnavailable):
    """The connection ended; the last statement may have been carried out."""


class TableMissing(StoreUnavailable):
    """The tables of the store are not there, or in no schema of the user's search path."""


class PostgresSession:
    """An open connection. Any thread may use it: statements wait for each other."""

    def __init__(self, url: StateUrl) -> None:
        """Connects. Raises StoreUnavailable."""
        self.shown = url.shown
        self._one_at_a_time = threading.Lock()
        self._connection = _connected(url)
        try:
            self.run(_SETTINGS, needs="SELECT ON pg_catalog.pg_settings")
        except BaseException:
            self.close()
            raise

    @property
    def is_broken(self) -> bool:
        return self._connection.closed

    @property
    def announced_pid(self) -> int:
        """The process of the server as it was announced at the start; a pooler in between announces another number."""
        return self._connection.info.backend_pid

    def run(self, sql: LiteralString, values: Sequence[object] = (), *, needs: str) -> list[tuple[Any, ...]]:
        """Carry out one statement, a transaction of its own; its rows, in binary form.

        needs: the privilege that it takes, for the message. Raises SessionBroken, TableMissing, StoreUnavailable.
        """
        size = sum(len(value) for value in values if isinstance(value, bytes))
        with self._one_at_a_time:
            try:
                with self._cut_off_after(_ANSWER_WITHIN_S + size / _BYTES_PER_S):
                    cursor = self._connection.execute(sql, values or None, binary=bool(values))
                    return cursor.fetchall() if cursor.description else []
            except psycopg.Error as error:
                self._refuse(error, needs)

    def close(self) -> None:
        with contextlib.suppress(Exception):  # what is not closed properly is closed by the end of its socket
            self._connection.close()

    @contextlib.contextmanager
    def _cut_off_after(self, seconds: float) -> Iterator[None]:
        """Ends the connection when the server does not answer, so that no thread waits for ever.

        psycopg has no time limit for an answer, and a server that hangs is no broken connection to TCP.
        """
        try:
            line = socket.socket(fileno=os.dup(self._connection.fileno()))
        except OSError:  # closed in this moment: the statement itself says so
            yield
            return
        with line:
            timer = threading.Timer(seconds, _shut, (line,))
            timer.daemon = True
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                timer.join()

    def _refuse(self, error: psycopg.Error, needs: str) -> NoReturn:
        """Raises the error in our words; without its cause, whose text may hold a secret."""
        if self._connection.closed:
            raise SessionBroken(
                f"the connection to {self.shown} was lost", hint="check that the server runs, then run this again"
            ) from None
        if error.sqlstate == "42P01":
            raise TableMissing(
                f"{self.shown} has no tables of scenario-apply", hint="the first apply makes them"
            ) from None
        refusal = statement_refusal(error.sqlstate, needs)
        raise StoreUnavailable(f"{self.shown}: {refusal.what}", hint=refusal.hint) from None


def _connected(url: StateUrl) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection; a server that is full or just starts is asked again for so long. Raises StoreUnavailable."""
    deadline = time.monotonic() + CONNECT_WITHIN_S
    while True:
        try:
            return psycopg.connect(**_parameters(url), autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            refusal = connect_refusal(str(error))
        if not refusal.is_passing or time.monotonic() >= deadline:
            hint = _UNNAMED if refusal is NO_PASSWORD and not url.is_named else refusal.hint
            raise StoreUnavailable(f"{url.shown} cannot be reached: {refusal.what}", hint=hint)
        time.sleep(random.uniform(0.05, 0.5))  # noqa: S311  many contenders do not come back at once


def _parameters(url: StateUrl) -> dict[str, Any]:
    """What libpq gets of the URL; the rest is for its own variables, service file and .pgpass."""
    given = {
        "host": url.host or None,
        "port": url.port,
        "user": url.user,
        "password": url.password,
        "dbname": url.database,
    }
    if not url.is_named and url.password is None:  # an empty one keeps libpq from its variables and files
        given |= {"password": "", "passfile": os.path.join(os.devnull, "none")}
    return {
        **{name: value for name, value in given.items() if value is not None},
        **_KEEPALIVE,
        "tcp_user_timeout": 50_000,
        "connect_timeout": int(CONNECT_WITHIN_S),
        "client_encoding": "utf-8",
        "fallback_application_name": "scenario-apply",
    }


def _shut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
