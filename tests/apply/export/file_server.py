"""A web server with one file, whose answers go wrong as a test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class FileServer:
    """script: one word for each request to come, then all is well.

    403, 404, 500: that status. cut: half of what is left is sent. whole: ranges are ignored. cut-whole: both.
    other: the range of a file with another size. no-length: HTTP/1.0 without a length.
    asked: Range and If-Range of each request.
    """

    content: bytes
    etag: str = '"one"'
    script: list[str] = field(default_factory=list)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append((handler.headers["Range"], handler.headers["If-Range"]))
        self.queries.append(handler.path.partition("?")[2])
        word = self.script.pop(0) if self.script else ""
        if word.isdigit():
            handler.send_response(int(word))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start = self._start(handler) if not word.endswith("whole") else 0
        if start >= len(self.content) and start:
            handler.send_response(416)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        total = len(self.content) + (7 if word == "other" else 0)
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if self.etag:
            handler.send_header("ETag", self.etag)
        if word != "no-length":
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2] if word.startswith("cut") else body)
        handler.close_connection = True

    def _start(self, handler: BaseHTTPRequestHandler) -> int:
        asked = handler.headers["Range"]
        if asked is None or handler.headers["If-Range"] not in (None, self.etag):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))


@contextmanager
def file_server(content: bytes) -> Iterator[FileServer]:
    served = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_address[1]}/file"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
