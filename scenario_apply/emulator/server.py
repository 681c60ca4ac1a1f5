"""The server itself: bind, print one line when ready, serve, shut down cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sqlite3
import stat
import sys
import threading
from collections.abc import Callable

from uvicorn.server import ServerState

from scenario_apply.emulator import agenda
from scenario_apply.emulator.access import AccessPolicy
from scenario_apply.emulator.app import App
from scenario_apply.emulator.data_folder import DataFolder
from scenario_apply.emulator.deliveries import Courier
from scenario_apply.emulator.http_bounds import HttpBounds, connections_for_this_process
from scenario_apply.emulator.listener import Listener
from scenario_apply.emulator.messages import ApiError
from scenario_apply.emulator.notices import Notices
from scenario_apply.emulator.open_connections import OpenConnections
from scenario_apply.emulator.options import EmulatorOptions, OptionError, check_options
from scenario_apply.emulator.protocol import EmulatorConnection, uvicorn_config
from scenario_apply.emulator.seeding import first_start
from scenario_apply.emulator.store import StoreError
from scenario_apply.emulator.world import NEVER_MS, World

_LONGEST_NAP_S = 3600.0
_DEADLINES_EVERY_S = 1.0


class Server:
    """One world behind one listening socket, in the running event loop."""

    def __init__(self, options: EmulatorOptions, bounds: HttpBounds | None = None) -> None:
        """Raises OptionError for invalid options, and for a server open to other machines without a key."""
        check_options(options)
        self.options = options
        self.connections = OpenConnections(bounds or HttpBounds(connections=connections_for_this_process()))
        self.notices = Notices()
        self.world = World(options)
        self._app = App(self.world, self.connections)
        self._config = uvicorn_config(self._app, self.connections.bounds)
        self._state = ServerState()
        self._listener = Listener(self.connections, self.notices, self._connection)
        self._courier = Courier(self.world, self.notices)
        self._timer: asyncio.Handle | None = None
        self._deadlines: asyncio.Handle | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where the API is, /v1 included."""
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"http://{host}:{self.port}/v1"

    async def start(self) -> None:
        """Fill the world if it is new, and listen. Raises OSError when the address is taken."""
        try:
            first_start(self.world)
            await self._listener.bind(self.options.host, self.options.port)
        except BaseException:
            self.world.close()
            raise
        self.port = self._listener.port
        self._app.policy = AccessPolicy(self.options, self.port)
        self.world.folder.sign(self.url)
        self.world.wake = self._wake
        self._wake()
        self._check_deadlines()
        self._listener.start()

    async def stop(self) -> None:
        """Stop listening, close what is open, close the database."""
        await self._listener.stop()
        self.world.wake = lambda: None
        for timer in (self._timer, self._deadlines):
            if timer is not None:
                timer.cancel()
        await self._courier.close()
        for connection in tuple(self._state.connections):
            connection.transport.abort()
        # a task ends by itself once its connection is gone
        await asyncio.gather(*self._state.tasks)
        self.world.close()

    def _connection(self) -> EmulatorConnection:
        return EmulatorConnection(self._config, self._state, self.connections)

    def _check_deadlines(self) -> None:
        self.connections.check_deadlines()
        self._deadlines = asyncio.get_running_loop().call_later(_DEADLINES_EVERY_S, self._check_deadlines)

    def _wake(self) -> None:
        """Run the agenda soon: after the current request, which may still be in its transaction."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_soon(self._tick)

    def _tick(self) -> None:
        """Carry out what is due without waiting for a request, and send the resulting webhooks."""
        agenda.settle(self.world)
        self._courier.send_new()
        wait_s = _LONGEST_NAP_S
        if self.options.clock == "real" and self.world.next_due_ms < NEVER_MS:
            wait_s = min(wait_s, max(0.005, (self.world.next_due_ms - self.world.now_ms()) / 1000))
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)


def serve(options: EmulatorOptions) -> int:
    """Serve until SIGTERM, SIGINT, SIGHUP or, if so configured, the end of standard input. Returns the exit code."""
    try:
        return asyncio.run(_serve(options))
    except OptionError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 64
    except (StoreError, ApiError, OSError, sqlite3.DatabaseError) as problem:
        sys.stderr.write(f"error: the emulator cannot start: {problem}\n")
        return 1


async def _serve(options: EmulatorOptions) -> int:
    server = Server(options)
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
            loop.add_signal_handler(number, done.set)
    await server.start()
    if options.until_stdin_closes:
        _watch_stdin(server.world.folder, lambda: loop.call_soon_threadsafe(done.set))
    sys.stdout.write(f"scenario emulator ready at {server.url}\n")
    sys.stdout.flush()
    await done.wait()
    await server.stop()
    return 0


def _watch_stdin(folder: DataFolder, at_end: Callable[[], object]) -> None:
    def watch() -> None:
        while True:
            with contextlib.suppress(OSError):
                while os.read(0, 4096):
                    pass
            # A named pipe gets a new writer when another command joins. A command that joins opens the pipe before it
            # reads the address: so either it is seen here, or it reads no address and starts another emulator.
            folder.unsign()
            if not _has_writer():
                break
            folder.sign_again()
        with contextlib.suppress(RuntimeError):  # the loop may be gone already
            at_end()

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def _has_writer() -> bool:
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return False
    poll = select.poll()
    poll.register(0, select.POLLIN)
    return not any(events & select.POLLHUP for _, events in poll.poll(0))
