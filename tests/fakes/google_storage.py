"""A small Google Cloud Storage: the requests of its XML API that obstore makes, with generations and ETags.

As there, an ETag is the MD5 of the content, so that only the generation tells two writes of the same bytes apart.
Source: cloud.google.com/storage/docs/xml-api.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from scenario_apply.model.timestamps import iso

_PAGE = 100


class _Stored(NamedTuple):
    content: bytes
    generation: int
    modified: float

    @property
    def headers(self) -> dict[str, str]:
        return {
            "ETag": f'"{md5(self.content).hexdigest()}"',
            "x-goog-generation": str(self.generation),
            "Last-Modified": formatdate(self.modified, usegmt=True),
        }


@contextmanager
def google_storage(bucket: str) -> Iterator[str]:
    """Serves one empty bucket at a port of this machine; its URL."""
    objects: dict[str, _Stored] = {}
    generations = itertools.count(1_700_000_000_000_000)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16

        def key(self) -> str | None:
            """The key of the object; None when the request is refused, because it is of another bucket."""
            named, _, key = unquote(urlsplit(self.path).path).removeprefix("/").partition("/")
            if named != bucket:
                self.refuse(404, "NoSuchBucket")
                return None
            return key

        def do_GET(self) -> None:
            key = self.key()
            if key == "":
                return self.list(parse_qs(urlsplit(self.path).query))
            found = objects.get(key or "")
            if found is None:
                return None if key is None else self.refuse(404, "NoSuchKey")
            return self.answer(200, found.content, found.headers)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name == "do_HEAD":
                return self.do_GET
            raise AttributeError(name)

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            wanted = self.headers.get("x-goog-if-generation-match")
            if (key := self.key()) is None:
                return None
            with lock:
                held = objects.get(key)
                if wanted is not None and int(wanted) != (0 if held is None else held.generation):
                    return self.refuse(412, "PreconditionFailed")
                stored = objects[key] = _Stored(content, next(generations), time.time())
            return self.answer(200, b"", stored.headers)

        def do_DELETE(self) -> None:
            key = self.key()
            if key is not None and objects.pop(key, None) is None:
                self.refuse(404, "NoSuchKey")
            elif key is not None:
                self.answer(204, b"", {})

        def list(self, query: dict[str, list[str]]) -> None:
            prefix = query.get("prefix", [""])[0]
            after = max(query.get("start-after", [""])[0], query.get("continuation-token", [""])[0])
            with lock:
                keys = sorted(key for key in objects if key.startswith(prefix) and key > after)
                rows = [(key, objects[key]) for key in keys[:_PAGE]]
            text = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(held.content)}</Size>"
                f"<ETag>{escape(held.headers['ETag'])}</ETag>"
                f"<LastModified>{iso(held.modified)}</LastModified></Contents>"
                for key, held in rows
            )
            more = f"<NextContinuationToken>{escape(keys[_PAGE - 1])}</NextContinuationToken>" if keys[_PAGE:] else ""
            self.answer(200, f"<ListBucketResult>{text}{more}</ListBucketResult>".encode(), {})

        def refuse(self, status: int, code: str) -> None:
            body = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>no</Message></Error>"
            self.answer(status, body.encode(), {})

        def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
