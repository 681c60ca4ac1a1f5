"""A server before a server: it passes requests on, counts them, and goes wrong where a test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote, urlsplit

Kind = Literal["lost", "reset", "refused", "after"]


@dataclass(slots=True)
class Fault:
    """kind: "lost": carried out, the connection is cut before the answer; "reset": cut before it is carried out;
    "refused": answered with status, not carried out; "after": carried out, and answered with status."""

    kind: Kind
    method: str
    part: str  # of the path
    status: int = 503
    body: bytes = b"<Error><Code>SlowDown</Code><Message>the secret text</Message></Error>"
    times: int = 1


@dataclass(slots=True)
class FaultyProxy:
    """url: where it listens. seen: "PUT /bucket/key" of every request. Shifts of all parts that fit are added."""

    url: str = ""
    seen: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None  # called once, before the next request of `held_up` is passed on
    held_up: tuple[str, str] = ("", "")  # method, part of the path
    shifts: dict[str, float] = field(default_factory=dict)  # part of a path -> seconds added to Last-Modified
    aged: list[str] = field(default_factory=list)  # parts whose shift ends with the next write
    hidden: tuple[str, ...] = ()  # headers that the server does not get
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, method: str, path: str) -> Fault | None:
        """The next fault of a request, and what is left of it."""
        with self._lock:
            self.seen.append(f"{method} {path}")
            for known in self.faults:
                if known.times and known.method == method and known.part in path:
                    known.times -= 1
                    return known
        return None

    def age(self, part: str, seconds: float) -> None:
        """Shift the times of the objects that are there; of one that is written from now on they are right."""
        self.shifts[part] = seconds
        self.aged.append(part)

    def written(self, path: str) -> None:
        """An object was written."""
        for part in [part for part in self.aged if part in path]:
            self.aged.remove(part)
            del self.shifts[part]

    def shifted(self, path: str, modified: str) -> str:
        """A Last-Modified as the test wants it to be."""
        by_s = sum(seconds for part, seconds in self.shifts.items() if part in path)
        return format_datetime(parsedate_to_datetime(modified) + timedelta(seconds=by_s), usegmt=True)


@contextmanager
def faulty_proxy(target: str) -> Iterator[FaultyProxy]:
    """Passes on to http://host:port."""
    proxy = FaultyProxy()
    place = urlsplit(target).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # headers and body leave at once

        def handle_any(self) -> None:
            body, path = self.rfile.read(int(self.headers.get("Content-Length") or 0)), unquote(self.path)
            act = proxy.meanwhile
            if act is not None and self.command == proxy.held_up[0] and proxy.held_up[1] in path:
                proxy.meanwhile = None
                act()
            fault = proxy.fault(self.command, path)
            if fault is not None and fault.kind == "reset":
                return self.cut()
            if fault is not None and fault.kind == "refused":
                return self.answer(fault.status, fault.body, {})
            onward = HTTPConnection(place, timeout=20)
            passed = {name: value for name, value in self.headers.items() if name.lower() not in proxy.hidden}
            onward.request(self.command, self.path, body, passed)
            answer = onward.getresponse()
            content, headers = answer.read(), dict(answer.getheaders())
            onward.close()
            if self.command == "PUT" and answer.status < 300:
                proxy.written(path)
            for name in headers:
                if name.lower() == "last-modified":
                    headers[name] = proxy.shifted(path, headers[name])
            if fault is not None and fault.kind == "lost":
                return self.cut()
            if fault is not None:
                return self.answer(fault.status, fault.body, {})
            return self.answer(answer.status, content, headers)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):  # every method is handled alike
                return self.handle_any
            raise AttributeError(name)

        def cut(self) -> None:
            self.close_connection = True

        def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            length = headers.get("Content-Length") if self.command == "HEAD" else None
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
