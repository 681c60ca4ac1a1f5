"""HTTP/1.1 over asyncio and httptools: bytes to Request, Response to bytes.

A small server of our own, because faults need the transport itself: an answer is dropped, cut or held back here. One
connection answers its requests in order; the next one is taken up when the answer before it is on its way.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

import httptools

from scenario_apply.emulator.messages import Request, Response

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Of one JSON body; parts of an upload are streamed to a file and only bounded by what the upload announced."""
MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024

_REASONS = {status.value: status.phrase for status in HTTPStatus} | {269: "Dry Run"}


class Application(Protocol):
    """What the protocol serves."""

    def begin(self, request: Request) -> None:
        """Called when the headers are there: may set request.sink to take the body piece by piece."""

    def handle(self, exchange: Exchange) -> None:
        """Called when the body is there: answers the exchange now or later."""


class Exchange:
    """One request and the one chance to answer it: exactly one of its methods is called, once."""

    __slots__ = ("_keep_alive", "_protocol", "request")

    def __init__(self, request: Request, protocol: HttpProtocol, keep_alive: bool) -> None:
        self.request = request
        self._protocol = protocol
        self._keep_alive = keep_alive

    def answer(self, response: Response) -> None:
        """Send the whole answer."""
        transport = self._protocol.transport
        if response.file is not None and not transport.is_closing():
            self._protocol.send_file(response, self._keep_alive)
            return
        if not transport.is_closing():
            transport.write(encode(response, self._keep_alive))
            if not self._keep_alive:
                transport.close()
        self._protocol.settled()

    def truncate(self, response: Response) -> None:
        """Announce the whole answer, send half of it, and cut the connection."""
        transport = self._protocol.transport
        data = encode(response, False)
        if not transport.is_closing():
            transport.write(data[: len(data) - (len(response.body) + 1) // 2])
            transport.close()
        self._protocol.settled()

    def drop(self) -> None:
        """Cut the connection without a word."""
        self._protocol.transport.abort()
        self._protocol.settled()

    def hang(self) -> None:
        """Never answer: the connection stays open until the client gives up."""


def encode(response: Response, keep_alive: bool) -> bytes:
    """The bytes of an answer, without those of a file."""
    body = response.body
    length = len(body) if response.file is None else response.file.stat().st_size
    lines = (
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}\r\n"
        f"content-type: {response.content_type}\r\ncontent-length: {length}\r\n"
    )
    if not keep_alive:
        lines += "connection: close\r\n"
    if response.headers:
        lines += "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    return (lines + "\r\n").encode("latin-1", "replace") + body


class HttpProtocol(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, app: Application, connections: set[HttpProtocol]) -> None:
        self._app = app
        self._connections = connections
        self._parser: Any = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}
        self._header_bytes = 0
        self._request: Request | None = None
        self._chunks: list[bytes] = []
        self._waiting: deque[Exchange] = deque()
        self._busy = False
        self._handling = False
        self._sending: asyncio.Task[None] | None = None

    # asyncio calls these
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        if self._request is not None and self._request.sink is not None:
            self._request.sink.abandon()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(b"no upgrades here")
        except httptools.HttpParserError:
            self._refuse(b"not HTTP/1.1 as this server knows it")

    # httptools calls these
    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = {}
        self._header_bytes = 0
        self._chunks = []

    def on_url(self, url: bytes) -> None:
        self._target += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        request = Request(self._parser.get_method().decode("ascii"), self._target, self._headers)
        request.received_s = time.perf_counter()
        self._request = request
        self._app.begin(request)
        if self._headers.get("expect", "").lower() == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        request = self._request
        assert request is not None
        request.size += len(body)
        if request.sink is not None:
            request.sink.write(body)
        elif request.size <= MAX_BODY_BYTES:
            self._chunks.append(body)
        else:
            request.overflow = True
            self._chunks = []

    def on_message_complete(self) -> None:
        request = self._request
        assert request is not None
        request.body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        self._request = None
        self._waiting.append(Exchange(request, self, bool(self._parser.should_keep_alive())))
        self._next()

    # an exchange calls these
    def send_file(self, response: Response, keep_alive: bool) -> None:
        """Send an answer whose body is a file, by the operating system, while other connections go on."""
        self._sending = asyncio.get_running_loop().create_task(self._send_file(response, keep_alive))

    async def _send_file(self, response: Response, keep_alive: bool) -> None:
        assert response.file is not None
        try:
            with response.file.open("rb") as body:
                self.transport.write(encode(response, keep_alive))
                await asyncio.get_running_loop().sendfile(self.transport, body)
        except (OSError, RuntimeError):
            self.transport.abort()  # the client went away, or the file did: half an answer cannot be mended
        if not keep_alive:
            self.transport.close()
        self.settled()

    def settled(self) -> None:
        """The exchange in hand is over."""
        self._busy = False
        if not self._handling:
            self._next()

    def _next(self) -> None:
        if self._handling:
            return
        self._handling = True
        try:
            if self.transport.is_closing():
                self._waiting.clear()
            while self._waiting and not self._busy:
                self._busy = True
                self._app.handle(self._waiting.popleft())
        finally:
            self._handling = False

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MAX_HEADER_BYTES or len(self._headers) > MAX_HEADERS:
            raise httptools.HttpParserInvalidURLError("headers too large")

    def _refuse(self, text: bytes) -> None:
        if not self.transport.is_closing():
            body = b'{"status":"error","code":"BAD_REQUEST","message":"' + text + b'","reason":"' + text + b'"}'
            self.transport.write(encode(Response(body, 400), False))
            self.transport.close()


def protocol_factory(app: Application, connections: set[HttpProtocol]) -> Callable[[], HttpProtocol]:
    """What asyncio's create_server wants."""
    return lambda: HttpProtocol(app, connections)
