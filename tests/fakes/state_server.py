"""An HTTP state server in this process: one as plain as Terraform's documentation describes it, and GitLab's answers.

GitLab's are those of its source (lib/api/terraform/state.rb, app/services/terraform/remote_state_handler.rb): versions
by serial, of which the highest is given out; a serial that exists is 422; a lock that another holds is 409 with id,
user and time of that lock and the rest of the request's own; a write without the lock's id is 500; DELETE without an id
ends any lock.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, dict[str, str], bytes]
JSON = {"Content-Type": "application/json"}
GITLAB_PATH = "/api/v4/projects/1/terraform/state/kael"
ENDLESS = b"ENDLESS"
"""A body that is sent without an end."""


@dataclass(slots=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


Fault = Callable[[Callable[[], Answer]], Answer | None]
"""Gets what carries the request out, and gives the answer; None for a connection that is cut."""


def carried_out(carry_out: Callable[[], Answer]) -> Answer:
    """No fault."""
    return carry_out()


def lost(carry_out: Callable[[], Answer]) -> None:
    """Carried out, and the answer does not arrive."""
    carry_out()


def hidden(carry_out: Callable[[], Answer]) -> Answer:
    """Carried out, and a proxy in between answers with an error of its own."""
    carry_out()
    return 502, {}, b""


def cut(_: Callable[[], Answer]) -> None:
    """Not carried out: the connection breaks when the request is there."""


def answering(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Fault:
    """Not carried out, and answered like that."""
    return lambda _: (status, headers or {}, body)


@dataclass(slots=True)
class StateServer:
    """document: of the plain server. versions: of GitLab's, by serial. lock: what is held. faults: method -> what
    happens to the next requests of it, one after the other. users: name -> (password, may write)."""

    is_gitlab: bool = False
    can_lock: bool = True
    gives_lock_again: bool = False  # to the same id
    gives_any_lock: bool = False  # to everybody
    url: str = ""
    document: bytes | None = None
    versions: dict[int, bytes] = field(default_factory=dict)
    is_known: bool = False
    lock: dict[str, object] | None = None
    users: dict[str, tuple[str, bool]] = field(default_factory=dict)
    requests: list[Seen] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    before: Callable[[Seen], None] = lambda _: None
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def content(self) -> bytes | None:
        if self.is_gitlab:
            return self.versions[max(self.versions)] if self.versions else None
        return self.document

    def put(self, content: bytes) -> None:
        """As somebody else who writes past every lock."""
        if self.is_gitlab:
            self.versions[json.loads(content)["serial"]] = content
        self.document, self.is_known = content, True

    def count(self, method: str) -> int:
        return sum(seen.method == method for seen in self.requests)

    def answer(self, seen: Seen) -> Answer | None:
        self.before(seen)
        with self._turn:
            self.requests.append(seen)
            fault = self.faults.get(seen.method) or [carried_out]
            return fault.pop(0)(lambda: self._carried_out(seen))

    def _carried_out(self, seen: Seen) -> Answer:
        user = self._user(seen)
        if user is None:
            return 401, JSON, b'{"message": "401 Unauthorized"}'
        if seen.method != "GET" and not self.users.get(user, ("", True))[1]:
            return 403, JSON, b'{"message": "403 Forbidden"}'
        if "content-md5" in seen.headers:
            assert (
                seen.headers["content-md5"] == base64.b64encode(hashlib.md5(seen.body).digest()).decode()
            )  # the protocol's
        return self._as_gitlab(seen, user) if self.is_gitlab else self._plain(seen)

    def _user(self, seen: Seen) -> str | None:
        """Who asks; None for nobody who is known."""
        if not self.users:
            return "anonymous"
        with contextlib.suppress(ValueError):
            name, _, password = base64.b64decode(seen.headers.get("authorization", "")[6:]).decode().partition(":")
            if self.users.get(name, ("", False))[0] == password and password:
                return name
        return None

    def _plain(self, seen: Seen) -> Answer:
        held = self.lock
        match seen.method:
            case "GET":
                return (404, {}, b"") if self.document is None else (200, JSON, self.document)
            case "POST" | "PUT":
                if held is not None and seen.query.get("ID") != held["ID"]:
                    return 423, JSON, json.dumps(held).encode()
                self.document = seen.body
                return 200, {}, b""
            case "LOCK" if self.can_lock:
                asked = json.loads(seen.body)
                is_ours = self.gives_lock_again and held is not None and asked["ID"] == held["ID"]
                if held is not None and not (is_ours or self.gives_any_lock):
                    return 423, JSON, json.dumps(held).encode()
                self.lock = asked
                return 200, {}, b""
            case "UNLOCK" if self.can_lock:
                asked = json.loads(seen.body or b"{}")
                if held is not None and asked.get("ID", held["ID"]) != held["ID"]:
                    return 409, JSON, json.dumps(held).encode()
                self.lock = None
                return 200, {}, b""
        return 405, {"Content-Type": "text/html"}, b"<h1>Method Not Allowed</h1>"

    def _as_gitlab(self, seen: Seen, user: str) -> Answer:
        path = seen.path.removesuffix("/lock")
        path, _, version = path.partition("/versions/")
        if version:
            found = self.versions.get(int(version))
            return (404, JSON, b'{"message": "404 Not found"}') if found is None else (200, {}, found)
        if path != GITLAB_PATH:
            return 404, JSON, b'{"message": "404 Project Not Found"}'
        held, id = self.lock, seen.query.get("ID")
        if seen.path != path:
            return self._gitlab_lock(seen, user)
        if seen.method == "GET":
            content = self.content()
            if content is None:
                return (204, {}, b"") if self.is_known else (404, JSON, b'{"message": "404 Not found"}')
            return 200, {"Content-Type": "application/octet-stream"}, content
        if seen.method != "POST":
            return 405, JSON, b'{"error": "405 Not Allowed"}'
        try:
            serial = json.loads(seen.body)["serial"]
        except (ValueError, KeyError, TypeError):
            return 422, JSON, b'{"message": "No serial in payload"}'
        if (held["ID"] if held else None) != id:
            return 500, JSON, b'{"message": "500 Internal Server Error"}'
        if serial in self.versions:
            return 422, JSON, b'{"message": "duplicate key value violates unique constraint"}'
        self.is_known, self.versions[serial] = True, seen.body
        return 200, {}, b""

    def _gitlab_lock(self, seen: Seen, user: str) -> Answer:
        asked = {**seen.query, **(json.loads(seen.body) if seen.body else {})}
        if seen.method == "DELETE":
            if asked.get("ID") is not None and asked["ID"] != (self.lock or {}).get("ID"):
                return 409, JSON, b""
            self.lock = None
            return 200, JSON, b""
        missing = {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"} - asked.keys()
        if seen.method != "POST" or missing:
            return 400, JSON, json.dumps({"error": f"{sorted(missing)} is missing"}).encode()
        status = 409 if self.lock else 200
        if self.lock is None:
            self.is_known, self.lock = True, {"ID": asked["ID"], "Who": user, "Created": "2026-11-27T10:00:00.000Z"}
        return status, {}, json.dumps({**asked, **self.lock}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    state: StateServer

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.state.answer(Seen(self.command, parts.path, query, headers, body))
        if answer is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, named, content = answer
        self.send_response(status)
        for name, value in named.items():
            self.send_header(name, value)
        if content == ENDLESS:
            self.end_headers()
            self.close_connection = True
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b" " * (1 << 20))
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_LOCK = do_UNLOCK = _handle  # noqa: N815  # http.server's names

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that hung up is no news."""


@contextlib.contextmanager
def serving_states(state: StateServer, path: str = "/states/kael") -> Iterator[StateServer]:
    """The server on a free port, for the block; its url is that of the state."""
    handler = type("Handler", (_Handler,), {"state": state})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}{GITLAB_PATH if state.is_gitlab else path}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
