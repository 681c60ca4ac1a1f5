"""A double of the APIs of GitHub and GitLab on this machine: it keeps comments and issues and records every request."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

OWN, OTHER = "github-actions[bot]", "mallory"
PAGE = 3
"""Entries on a page, whatever per_page asks for: lists of several pages come up in every test."""


@dataclass
class Fault:
    """The next request of that method and path gets this answer. does: whether it is carried out all the same."""

    method: str
    path: str
    status: int = 502
    headers: dict[str, str] = field(default_factory=dict)
    does: bool = False
    cuts: bool = False  # the connection breaks instead of an answer


@dataclass
class HostDouble:
    """calls: METHOD path, in order. bodies: of writes. tokens: of headers. comments, issues: by number."""

    url: str = ""
    calls: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    next_number: int = 100

    def add_comment(self, body: str, login: str = OWN) -> int:
        number = self._number()
        self.comments[number] = self._entry(number, body, login) | {"id": number}
        return number

    def add_issue(self, body: str, login: str = OWN, **more: Any) -> int:
        number = self._number()
        self.issues[number] = self._entry(number, body, login) | {"number": number, "iid": number} | more
        return number

    def writes(self) -> list[str]:
        """What changed anything, with paths that are easy to read."""
        reads = re.compile(r"GET |POST /graphql (query|\?)")
        return [re.sub(r"/repos/o/r|/projects/7", "", call) for call in self.calls if not reads.match(call)]

    def _number(self) -> int:
        self.next_number += 1
        return self.next_number

    def _entry(self, number: int, body: str, login: str) -> dict[str, Any]:
        user = {"login": login, "username": login, "type": "Bot" if login.endswith("[bot]") else "User"}
        return {
            "node_id": f"node-{number}", "body": body, "description": body, "user": user, "author": user,
            "html_url": f"https://host.test/{number}", "web_url": f"https://host.test/{number}", "state": "open",
        }  # fmt: skip

    # -- what it answers

    def answer(self, method: str, path: str, query: dict[str, str], sent: Any) -> tuple[int, Any]:
        path = re.sub(r"^/(repos/o/r|projects/7)", "", path)
        if path == "/graphql":
            return 200, self._graphql(sent)
        if path == "/user":
            return 200, {"username": OWN}
        if re.fullmatch(r"/commits/[0-9a-f]+/pulls|/repository/commits/[0-9a-f]+/merge_requests", path):
            return 200, self.pulls
        if path == "/actions/artifacts":
            return 200, [one for one in self.artifacts if one["name"] == query["name"]]
        if re.fullmatch(r"/issues/\d+/comments|/merge_requests/\d+/notes", path):
            return (200, list(self.comments.values())) if method == "GET" else self._created(self.add_comment, sent)
        if found := re.fullmatch(r"(?:/issues/comments|/merge_requests/\d+/notes)/(\d+)", path):
            return self._changed(method, self.comments, int(found[1]), sent)
        if path == "/issues":
            return (200, list(self.issues.values())) if method == "GET" else self._created(self.add_issue, sent)
        if found := re.fullmatch(r"/issues/(\d+)", path):
            return self._changed(method, self.issues, int(found[1]), sent)
        return 404, {"message": "Not Found"}

    def _created(self, add: Any, sent: Any) -> tuple[int, Any]:
        number = add(sent.get("body", sent.get("description")))
        return 201, (self.comments | self.issues)[number]

    def _changed(self, method: str, kept: dict[int, dict[str, Any]], number: int, sent: Any) -> tuple[int, Any]:
        if number not in kept:
            return 404, {"message": "Not Found"}
        if method == "DELETE":
            del kept[number]
            return 204, None
        if "description" in sent:
            sent = sent | {"body": sent["description"]}
        kept[number] |= sent
        return 200, kept[number]

    def _graphql(self, sent: Any) -> Any:
        query, variables = sent["query"], sent["variables"]
        if "viewer" in query:
            return {"data": {"viewer": {"login": OWN}}}
        if "minimizeComment" in query:
            self.hidden.add(variables["id"])
            return {"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}}
        return {"data": {"nodes": [{"id": one, "isMinimized": one in self.hidden} for one in variables["ids"]]}}


def _handler(double: HostDouble) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            size = int(self.headers.get("Content-Length", 0))
            sent: Any = json.loads(self.rfile.read(size)) if size else None
            what = f" {sent['query'].split('(')[0].split()[0]}" if parts.path == "/graphql" else ""
            double.calls.append(f"{self.command} {parts.path}{what}")
            if sent is not None and what == "":
                double.bodies.append(sent)
            double.tokens |= {self.headers[key] for key in ("Authorization", "PRIVATE-TOKEN") if self.headers[key]}
            fault = next((f for f in double.faults if f.method == self.command and re.search(f.path, parts.path)), None)
            status, value, more = 0, None, dict[str, str]()
            if fault is None or fault.does:
                status, value = double.answer(self.command, parts.path, query, sent)
                value, more = _paged(value, query) if self.command == "GET" else (value, more)
            if fault is not None:
                double.faults.remove(fault)
                status, value, more = fault.status, {"message": "try again"}, fault.headers
                if fault.cuts:
                    self.close_connection = True
                    return
            content = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            for name, text in more.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815  # the names of http.server

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def _paged(value: Any, query: dict[str, str]) -> tuple[Any, dict[str, str]]:
    if not isinstance(value, list):
        return value, {}
    page = int(query["page"])
    part = value[(page - 1) * PAGE : page * PAGE]
    has_more = len(value) > page * PAGE
    headers = {"Link": '<https://evil.test/>; rel="next"' if has_more else '<https://host.test/>; rel="first"'}
    return ({"total_count": len(value), "artifacts": part} if "name" in query else part), headers


@contextmanager
def running_double() -> Iterator[HostDouble]:
    """A double that listens on this machine."""
    double = HostDouble()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(double))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
