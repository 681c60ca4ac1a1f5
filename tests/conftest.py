"""For every test: the one Hypothesis profile, and a check that what an emulator answers is within the contract."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from scenario_apply.emulator.app import App
    from scenario_apply.emulator.messages import Request, Response

# No deadlines: a loaded machine is no failure. In CI the same examples each time, so that a red run can be repeated.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")
os.environ.pop("CI", None)  # what commands print is tested as people see it

MEMORY = "/dev/shm"
ROOM = 2 << 30
"""Bytes; all tests together take less than a tenth of them."""


def pytest_configure(config: pytest.Config) -> None:
    """Temporary folders lie in memory where it has room: thousands of runs save their state, each waits for the disk.

    TMPDIR, PYTEST_DEBUG_TEMPROOT or --basetemp puts them elsewhere.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    disk = os.statvfs(MEMORY)
    if disk.f_bavail * disk.f_frsize >= ROOM and not disk.f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


_outside: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def judged_emulators() -> Iterator[None]:
    """Put the judge between the emulator's handlers and its faults, which break the contract on purpose."""
    from scenario_apply.emulator.app import App, _failure
    from scenario_apply.emulator.messages import ApiError

    from .emulator import contract

    serve = App._serve_api

    def judge(request: Request, response: Response) -> None:
        _outside.extend(
            contract.violations(
                request.method, request.path, response.status, response.body, content_type=response.content_type
            )
        )

    def judged(self: App, request: Request) -> Response:
        try:
            response = serve(self, request)
        except ApiError as problem:
            judge(request, _failure(problem))
            raise
        except Exception as problem:
            _outside.append(f"{request.method} {request.path} -> {problem!r}")
            raise
        judge(request, response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(App, "_serve_api", judged)
        yield


@pytest.fixture(autouse=True)
def outside_the_contract() -> Iterator[list[str]]:
    """What was answered outside the contract so far; must be empty at the end of each test."""
    _outside.clear()
    yield _outside
    assert _outside == []
