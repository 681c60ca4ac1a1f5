"""The listening sockets: bind, accept within bounds, and survive running out of file descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

from scenario_apply.emulator.notices import Notices
from scenario_apply.emulator.open_connections import OpenConnections
from scenario_apply.emulator.protocol import refusal_bytes

_BACKLOG = 512
_RETRY_S = 0.1
_OUT_OF_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Listener:
    """Accepts connections for one server. asyncio's own accept loop has no bound, and logs without end on EMFILE."""

    def __init__(
        self, connections: OpenConnections, notices: Notices, protocol_factory: Callable[[], asyncio.Protocol]
    ) -> None:
        self._connections = connections
        self._notices = notices
        self._factory = protocol_factory
        self._sockets: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0

    async def bind(self, host: str, port: int) -> None:
        """Listen on every address of a host, all on one port. Raises OSError when that cannot be."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.port = port
        try:
            for family, address in dict.fromkeys((one[0], one[4]) for one in found):
                place = (address[0], self.port, *address[2:])
                opened = socket.create_server(place, family=family, backlog=_BACKLOG)
                opened.setblocking(False)
                self._sockets.append(opened)
                self.port = opened.getsockname()[1]
        except BaseException:
            self.close_sockets()
            raise

    def start(self) -> None:
        """Start accepting connections."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._accept_all(one)) for one in self._sockets]

    async def stop(self) -> None:
        """Stop accepting connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.close_sockets()

    def close_sockets(self) -> None:
        """Free the addresses."""
        for one in self._sockets:
            one.close()
        self._sockets.clear()

    async def _accept_all(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError as problem:
                await self._survive(problem)
                continue
            with contextlib.suppress(ConnectionError):  # the client left before it was served
                await self._serve(accepted)

    async def _survive(self, problem: OSError) -> None:
        if problem.errno in _OUT_OF_RESOURCES:
            self._notices.note("resources", f"cannot accept connections for the moment: {problem}")
            self._connections.free_one()
            await asyncio.sleep(_RETRY_S)
        else:
            self._notices.note("accept", f"a connection could not be accepted: {problem}")
            await asyncio.sleep(0)

    async def _serve(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body are written one after the other
        if self._connections.make_room():
            await asyncio.get_running_loop().connect_accepted_socket(self._factory, accepted)
            return
        limit = self._connections.bounds.connections
        self._notices.note("connections", f"all {limit} connections are in use; further ones are refused")
        with accepted, contextlib.suppress(OSError):
            accepted.send(refusal_bytes(503, "All connections of the server are in use"))
