"""One request and its answer, as the application sees them: ASGI messages on one side, values on the other."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import IO, TYPE_CHECKING, Any

import httptools

from scenario_apply.emulator.messages import ApiError, Request, Response
from scenario_apply.emulator.protocol import SCOPE_KEY, EmulatorConnection

if TYPE_CHECKING:
    from scenario_apply.emulator.http_bounds import ByteBudget, HttpBounds

AsgiMessage = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]

_FILE_PIECE = 256 * 1024


class ClientGone(Exception):
    """The client closed the connection in the middle of its request."""


class Exchange:
    """One request and its answer: exactly one of answer, truncate, drop and hang is called, once."""

    __slots__ = ("_connection", "_held", "_is_read", "_receive", "_send", "request")

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        extension = scope["extensions"][SCOPE_KEY]
        self._connection: EmulatorConnection = extension["connection"]
        self._receive = receive
        self._send = send
        self._held = 0
        self._is_read = False
        self.request = _request(scope, extension["target"])

    async def read_body(self, bounds: HttpBounds, budget: ByteBudget) -> None:
        """Read the body into request.body, or into request.sink. Raises ClientGone.

        What is not kept because of a bound leaves its ApiError in request.refusal. `release` gives the memory back.
        """
        request = self.request
        pieces: list[bytes] = []
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            piece: bytes = message["body"]
            request.size += len(piece)
            if request.sink is not None:
                request.sink.write(piece)
            elif request.size > bounds.body_bytes:
                text = f"body: must not be larger than {bounds.body_bytes} bytes"
                request.refusal = ApiError(400, text, "BODY_TOO_LARGE")
                return
            elif not budget.take(len(piece)):
                text = "Too many request bodies are being received at once"
                request.refusal = ApiError(503, text, "UNAVAILABLE", headers={"Retry-After": "1"})
                return
            else:
                self._held += len(piece)
                pieces.append(piece)
            if not message["more_body"]:
                break
        self._is_read = True
        request.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def release(self, budget: ByteBudget) -> None:
        """The request's body is no longer needed."""
        self.request.body = b""
        budget.give_back(self._held)
        self._held = 0

    async def wait(self, seconds: float) -> None:
        """Let time pass, unless the client goes away first."""
        if seconds > 0:
            await asyncio.wait((self._connection.closed,), timeout=seconds)

    async def answer(self, response: Response) -> None:
        """Send the whole answer."""
        if response.file is not None:
            try:
                opened = response.file.open("rb")
            except OSError:
                self._connection.transport.abort()  # deleted since the answer was made
                await self._connection.closed
                return
            with opened:
                await self._send_file(response, opened)
            return
        await self._start(response, len(response.body), self._must_close())
        await self._send({"type": "http.response.body", "body": response.body, "more_body": False})

    async def truncate(self, response: Response) -> None:
        """Announce the whole answer, send half of it, and cut the connection."""
        length = len(response.body) if response.file is None else response.file.stat().st_size
        half = response.body[: len(response.body) // 2]
        await self._start(response, length, True)
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        self._connection.transport.close()
        await self._connection.closed

    async def drop(self) -> None:
        """Cut the connection without an answer."""
        self._connection.transport.abort()
        await self._connection.closed

    async def hang(self) -> None:
        """Never answer: the connection stays open until the client gives up."""
        await self._connection.closed

    async def _start(self, response: Response, length: int, close: bool) -> None:
        headers = [
            (b"content-type", response.content_type.encode("latin-1", "replace")),
            (b"content-length", b"%d" % length),
        ]
        if close:
            headers.append((b"connection", b"close"))
        for name, value in (response.headers or {}).items():
            headers.append((name.lower().encode("latin-1"), value.encode("latin-1", "replace")))
        await self._send({"type": "http.response.start", "status": response.status, "headers": headers})

    async def _send_file(self, response: Response, opened: IO[bytes]) -> None:
        left = os.fstat(opened.fileno()).st_size
        await self._start(response, left, self._must_close())
        while True:
            piece = opened.read(min(_FILE_PIECE, left))
            left -= len(piece)
            await self._send({"type": "http.response.body", "body": piece, "more_body": bool(left and piece)})
            if not left or not piece:
                return

    def _must_close(self) -> bool:
        """After a refusal instead of `100 Continue`, a client may or may not send its body: the connection must end."""
        return not self._is_read and "expect" in self.request.headers


def _request(scope: MutableMapping[str, Any], target: bytes) -> Request:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    authority: str | None = None
    if not target.startswith(b"/"):
        parsed = httptools.parse_url(target)
        if parsed.host is not None:
            host = parsed.host.decode("ascii")
            authority = f"[{host}]" if ":" in host else host
            authority += f":{parsed.port}" if parsed.port else ""
            authority = f"{parsed.userinfo.decode('ascii')}@{authority}" if parsed.userinfo else authority
    request = Request(
        scope["method"],
        scope["raw_path"].decode("ascii"),
        scope["query_string"].decode("latin-1"),
        headers,
        authority,
    )
    request.received_s = time.perf_counter()
    return request
