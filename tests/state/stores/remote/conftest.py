"""Servers of stores, started once for all tests of a process; a test is skipped where its server is not installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.postgres_server import PostgresServer, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    try:
        running = running_server()
        server = running.__enter__()
    except (FileNotFoundError, PermissionError) as missing:
        pytest.skip(str(missing))
    yield server
    running.__exit__(None, None, None)
