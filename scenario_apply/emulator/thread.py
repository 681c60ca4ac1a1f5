"""The emulator inside another program: in its own thread, on a free port, with access to its clock and its log."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from scenario_apply.emulator import agenda
from scenario_apply.emulator.faults import Rule
from scenario_apply.emulator.options import EmulatorOptions
from scenario_apply.emulator.request_log import Logged
from scenario_apply.emulator.seeding import seed
from scenario_apply.emulator.server import Server

T = TypeVar("T")
_START_TIMEOUT_S = 30.0


def manual_options(**changes: Any) -> EmulatorOptions:
    """Options for tests: a manual clock and no rate limit by default."""
    return EmulatorOptions(**{"clock": "manual", "rate_limit": 0, **changes})


class EmulatorThread:
    """A context manager: `with EmulatorThread() as emulator: ... emulator.url`."""

    def __init__(self, options: EmulatorOptions | None = None) -> None:
        self.options = options or manual_options()
        self.url = ""
        """Base URL of the API, /v1 included."""
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="scenario-emulator", daemon=True)

    def __enter__(self) -> EmulatorThread:
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT_S):
            raise RuntimeError("the emulator did not start in time")
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def requests(self) -> tuple[Logged, ...]:
        """Every request so far, oldest first."""
        return self._do(lambda server: server.world.log.entries())

    def clear_requests(self) -> None:
        """Clear the log."""
        self._do(lambda server: server.world.log.clear())

    def advance(self, seconds: float) -> None:
        """Move the clock, and carry out what has become due."""

        def move(server: Server) -> None:
            server.world.advance(seconds)
            agenda.settle(server.world)

        self._do(move)

    def now_ms(self) -> int:
        """The emulator's time."""
        return self._do(lambda server: server.world.now_ms())

    def add_fault(self, kind: str, *, method: str = "*", path: str = "*", skip: int = 0, times: int = 1) -> None:
        """Add a fault: path is a glob on what follows /v1; times 0 means always."""
        rule = Rule(kind=kind, method=method, path=path, skip=skip, times=times)
        self._do(lambda server: server.world.faults.rules.append(rule))

    def set_chaos(self, chances: Mapping[str, float], seed: int = 0) -> None:
        """Set the probability of each kind of fault."""
        self._do(lambda server: server.world.faults.set_chances(chances, seed))

    def clear_faults(self) -> None:
        """Remove all faults."""

        def clear(server: Server) -> None:
            server.world.faults.rules.clear()
            server.world.faults.set_chances({}, 0)

        self._do(clear)

    def seed(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Add the content of a seed file; returns the ids of the new models."""

        def add(server: Server) -> dict[str, Any]:
            with server.world.db.transaction():
                return seed(server.world, dict(content))

        return self._do(add)

    def _do(self, action: Callable[[Server], T]) -> T:
        """Run something in the server's thread, where its database lives."""
        assert self._loop is not None
        assert self._server is not None
        server = self._server

        async def act() -> T:
            return action(server)

        return asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as problem:  # handed to the thread that waits for the start, which raises it
            self._failure = problem
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._server = Server(self.options)
        await self._server.start()
        self.url = self._server.url
        self._ready.set()
        await self._stop.wait()
        await self._server.stop()
