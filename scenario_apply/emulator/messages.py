"""Requests and answers as values, and the error that becomes an answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

Json = dict[str, Any]
"""A decoded JSON object. What comes from outside has passed `request_bodies` before anything reads it."""


class ApiError(Exception):
    """An answer other than success. extra goes to the top level of the body beside status, code, message, reason."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        extra: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.extra = extra or {}
        self.headers = dict(headers or {})

    def body(self) -> Json:
        """The error guide's shape, and the same sentence under `reason`, where the live service puts it."""
        return {"status": "error", "code": self.code, "message": self.message, "reason": self.message, **self.extra}


def bad_request(message: str, code: str = "INVALID_PARAMETER", **extra: Any) -> ApiError:
    """400 with its reason."""
    return ApiError(400, message, code, extra=extra)


def not_found(what: str, identifier: str) -> ApiError:
    """404 for an unknown id."""
    return ApiError(404, f"{what} {identifier[:80]} not found", "NOT_FOUND")


class Sink(Protocol):
    """Takes a body piece by piece instead of keeping it in memory."""

    def write(self, data: bytes) -> None:
        """The next piece."""

    def abandon(self) -> None:
        """The rest will never come."""


class Request:
    """One request as it came off the wire; path and query are decoded once, on first use."""

    __slots__ = (
        "_query",
        "_segments",
        "authority",
        "body",
        "headers",
        "id",
        "method",
        "operation",
        "params",
        "path",
        "project",
        "public_only",
        "raw_headers",
        "raw_query",
        "received_s",
        "refusal",
        "sink",
        "size",
    )

    def __init__(
        self, method: str, path: str, query: str, headers: list[tuple[str, str]], authority: str | None = None
    ) -> None:
        """Names of headers are in lower case. authority is what a target in absolute form names, user included."""
        self.method = method
        self.path = path
        """As it was sent: for logs. What the path means is in `segments`."""
        self.raw_query = query
        self.raw_headers = headers
        self.headers = dict(headers)
        """Of a header given twice the last counts; `all` has every one."""
        self.authority = authority
        self.body = b""
        self.size = 0
        self.refusal: ApiError | None = None
        """Why the request is refused, whatever its route is; its body was not read, or not kept."""
        self.id = ""
        self.received_s = 0.0
        self.project = ""
        self.public_only = False
        self.operation = ""
        """The route it was matched with: `POST /models/*/train`; params holds what the stars stand for."""
        self.params: tuple[str, ...] = ()
        self.sink: Sink | None = None
        self._query: dict[str, str] | None = None
        self._segments: list[str] | None = None

    def all(self, header: str) -> list[str]:
        """Every value of a header."""
        return [value for name, value in self.raw_headers if name == header]

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; of one given twice the last counts."""
        if self._query is None:
            self._query = dict(parse_qsl(self.raw_query, keep_blank_values=True)) if self.raw_query else {}
        return self._query

    @property
    def origin(self) -> str:
        """`http://host:port` as the client sees the server."""
        return "http://" + self.headers.get("host", "localhost")

    def segments(self) -> list[str]:
        """Decoded path segments, one of them empty for a trailing slash; an id may hold any encoded character.

        This is the one place where a path is decoded. Routes and guards both go by it.
        """
        if self._segments is None:
            parts = self.path.removeprefix("/").split("/")
            self._segments = [unquote(part) for part in parts] if "%" in self.path else parts
        return self._segments

    @property
    def decoded_path(self) -> str:
        """The path that the segments make, for signatures and for rules on paths."""
        return "/" + "/".join(self.segments())


class Response:
    """One answer. body is sent as it is; a file, when there is one, is sent instead of it, without being read."""

    __slots__ = ("body", "content_type", "file", "headers", "status")

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        file: Path | None = None,
    ) -> None:
        self.file = file
        self.body = body
        self.status = status
        self.content_type = content_type
        self.headers = headers
