"""One connection: uvicorn's HTTP/1.1 protocol on httptools, held to bounds, and handed to the application.

uvicorn parses requests, keeps them in order and writes answers. Added here: bounds on headers and on requests that
are sent without waiting for answers, deadlines, answers in JSON to what is not HTTP, and the connection itself in the
ASGI scope, because faults cut it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from scenario_apply.emulator.http_bounds import HttpBounds
from scenario_apply.emulator.open_connections import OpenConnections, Phase

SCOPE_KEY = "scenario_emulator"
"""In the `extensions` of a scope: the EmulatorConnection, and under `SCOPE_KEY + ".target"` the target as received."""
_HEAD_PIECE = 1024
_CHUNKED_PIECE = 16 * 1024
_NEVER = math.inf

_log = logging.getLogger("scenario_apply.emulator.http")
_log.setLevel(logging.ERROR)  # malformed requests are not worth a line in the log


def uvicorn_config(app: Any, bounds: HttpBounds) -> Config:
    """The settings the protocol reads. uvicorn's own server is not used, so most of them have no effect."""
    config = Config(
        app,
        http=EmulatorConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        workers=1,
        timeout_keep_alive=math.ceil(bounds.idle_s),
    )
    config.load()
    return config


class _PatientFlow(FlowControl):
    """Does not read on while the connection holds bytes or requests that wait for their turn."""

    def __init__(self, transport: asyncio.Transport, connection: EmulatorConnection) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        if not self._connection.is_behind:
            super().resume_reading()


class EmulatorConnection(HttpToolsProtocol):
    """One connection. At most one request is being answered; the next few are parsed; the rest stays bytes."""

    def __init__(self, config: Config, server_state: ServerState, connections: OpenConnections) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        self.logger = _log
        self.access_log = False
        self.closed: asyncio.Future[None] = self.loop.create_future()
        """Done when the connection is gone."""
        self.phase = Phase.IDLE
        self.phase_since = 0.0
        self._connections = connections
        self._bounds = connections.bounds
        self._deadline = _NEVER
        self._body_end = _NEVER
        self._write_deadline = _NEVER
        self._close_deadline = _NEVER
        self._unsent = 0
        self._unparsed = memoryview(b"")
        self._head_bytes = 0
        self._body_left = 0
        self._is_chunked = False
        self._discarded = 0
        self._running: RequestResponseCycle | None = None
        self._refusal: tuple[int, str] | None = None

    # asyncio calls these
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _PatientFlow(transport, self)
        self._connections.members.add(self)
        self._enter(Phase.IDLE, self._bounds.idle_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.members.discard(self)
        self._unparsed = memoryview(b"")
        self._disconnect_application()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.phase is Phase.IDLE:
            self._enter(Phase.HEAD, self._bounds.head_s)
        elif self.phase is Phase.BODY:
            self._deadline = min(self._connections.clock() + self._bounds.body_pause_s, self._body_end)
        self._unparsed = memoryview(bytes(self._unparsed) + data) if self._unparsed else memoryview(data)
        self._parse()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self._write_deadline = self._connections.clock() + self._bounds.write_s

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_deadline = _NEVER

    # httptools calls these
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_chunked = False
        self._body_left = 0
        self._discarded = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > self._bounds.headers:
            self._refuse_headers()
        lower = name.lower()
        if lower == b"content-length" and value.isdigit():
            self._body_left = int(value)
        elif lower == b"transfer-encoding":
            self._is_chunked = True

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        self._body_end = self._connections.clock() + self._bounds.body_s
        self._enter(Phase.BODY, self._bounds.body_pause_s)
        self.scope["extensions"] = {SCOPE_KEY: {"connection": self, "target": self.url}}
        super().on_headers_complete()
        if not self.pipeline:
            self._running = self.cycle

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        self._body_left -= len(body)
        if self.cycle.response_complete:
            self._discarded += len(body)
            if self._discarded > self._bounds.discarded_bytes:
                self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head_bytes = 0
        self._is_chunked = False
        if self.cycle.response_complete:
            self._enter(Phase.IDLE, self._bounds.idle_s)
        else:
            self._enter(Phase.ANSWER, self._bounds.answer_s)

    # uvicorn calls these
    def on_response_complete(self) -> None:
        self._running = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._running is None and self._refusal is not None:
            self._send_refusal(*self._refusal)
            return
        self._restart_deadline()
        if self._unparsed and not self.pipeline:
            self.loop.call_soon(self._parse)

    def send_400_response(self, msg: str) -> None:
        self._refuse(*(self._refusal or (400, "This is not HTTP/1.1 as the server knows it")))

    # the set of connections calls these
    def check_deadlines(self, now: float) -> None:
        if self.transport.is_closing():
            if self._close_deadline is _NEVER:
                self._close_deadline = now + self._bounds.linger_s
            elif now >= self._close_deadline:
                self.transport.abort()
            return
        if now >= self._write_deadline and not self._has_sent_some(now):
            self.transport.abort()
        elif now >= self._deadline:
            self._exceed_deadline(now)

    def make_way(self) -> None:
        self._close_or_abort()

    @property
    def is_expendable(self) -> bool:
        return self._running is None and not self.transport.get_write_buffer_size()

    @property
    def is_behind(self) -> bool:
        """Whether there are bytes or requests that wait for an answer to go out."""
        return bool(self.pipeline or self._unparsed)

    # our own
    def _parse(self) -> None:
        """Hand bytes to the parser, a few at a time, until a request waits for the answer to the one before it."""
        try:
            while self._unparsed and not self.pipeline and self._refusal is None and not self.transport.is_closing():
                piece = self._unparsed[: self._piece_size()]
                self._unparsed = self._unparsed[len(piece) :]
                self._count_head(len(piece))
                self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            # nothing is upgraded to: the request is answered as HTTP/1.1, and what follows it is not read
            self._unparsed = memoryview(b"")
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        except httptools.HttpParserError:
            self._unparsed = memoryview(b"")
            self.send_400_response("")
            return
        if self._unparsed:
            self.flow.pause_reading()
        elif not self.pipeline and (self.cycle is None or len(self.cycle.body) <= HIGH_WATER_LIMIT):
            self.flow.resume_reading()

    def _piece_size(self) -> int:
        if self.phase is not Phase.BODY:
            return _HEAD_PIECE
        return _CHUNKED_PIECE if self._is_chunked else max(self._body_left, _HEAD_PIECE)

    def _count_head(self, size: int) -> None:
        if self.phase is Phase.BODY and not self._is_chunked:
            return
        self._head_bytes += size
        if self._head_bytes > self._bounds.head_bytes:
            self._refuse_headers()

    def _refuse_headers(self) -> None:
        self._refusal = (431, "The request line and the headers are too large")
        raise httptools.HttpParserError("headers too large")

    def _refuse(self, status: int, text: str) -> None:
        """Answer what is not a request, after the answers that are still owed, and close."""
        self.flow.pause_reading()
        running = self._running
        if running is not None and not running.more_body:
            self._refusal = (status, text)
            return
        is_answered = running is not None and running.response_started
        self._disconnect_application()
        if is_answered:
            self._close_or_abort()
        else:
            self._send_refusal(status, text)

    def _send_refusal(self, status: int, text: str) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(refusal_bytes(status, text))
        self.transport.close()

    def _disconnect_application(self) -> None:
        """Tell the application that nothing more comes, and that nothing more is sent."""
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _enter(self, phase: Phase, seconds: float) -> None:
        self.phase = phase
        self.phase_since = self._connections.clock()
        self._deadline = self.phase_since + seconds

    def _restart_deadline(self) -> None:
        """An answer is out. What the client could not send until now has its full time from here."""
        if self.phase is Phase.BODY:
            self._body_end = self._connections.clock() + self._bounds.body_s
            self._enter(Phase.BODY, self._bounds.body_pause_s)
        elif self._running is not None:
            self._enter(Phase.ANSWER, self._bounds.answer_s)
        elif self._unparsed:
            self._enter(Phase.HEAD, self._bounds.head_s)
        else:
            self._enter(Phase.IDLE, self._bounds.idle_s)

    def _has_sent_some(self, now: float) -> bool:
        before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        self._write_deadline = now + self._bounds.write_s
        return self._unsent < before

    def _exceed_deadline(self, now: float) -> None:
        running = self._running
        match self.phase:
            case Phase.HEAD if running is not None:
                self._deadline = now + self._bounds.head_s  # an answer is owed first
            case Phase.HEAD:
                self._refuse(408, "The headers took too long")
            case Phase.BODY if running is not None and running.more_body and not running.response_started:
                self._refuse(408, "The body took too long")
            case _:
                self._disconnect_application()
                self._close_or_abort()

    def _close_or_abort(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


def refusal_bytes(status: int, text: str) -> bytes:
    """A whole answer, after which the connection is closed."""
    code = HTTPStatus(status).name
    body = json.dumps({"status": "error", "code": code, "message": text, "reason": text}).encode()
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode("ascii") + body
