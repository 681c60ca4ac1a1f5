"""The contract as a judge: does an answer have the shape that scenario-openapi.yaml gives its operation?"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema_rs

from tests.contract import request_bodies

plain = httpx.Client(verify=False, timeout=10)
"""A client that judges nothing. One for all: each new one reads the machine's certificates, which takes a while."""

EXTRA_STATUSES = frozenset({405})
"""Plain HTTP, not in the contract: a method that a path does not have."""


@cache
def document() -> dict[str, Any]:
    """The contract, parsed."""
    return request_bodies.document()


@cache
def operations() -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Method, path segments and path template of every operation, literals first."""
    found = [
        (method.upper(), tuple(path.strip("/").split("/")), path)
        for path, item in document()["paths"].items()
        for method in item
        if method in ("get", "put", "post", "delete")
    ]
    return tuple(sorted(found, key=lambda one: sum(part.startswith("{") for part in one[1])))


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation a request is, by its path after /v1."""
    segments = path.strip("/").split("/")
    for known, template, name in operations():
        if known != method or len(template) != len(segments):
            continue
        if all(part.startswith("{") or part == given for part, given in zip(template, segments, strict=True)):
            operation: dict[str, Any] = document()["paths"][name][method.lower()]
            return operation
    return None


@cache
def _validator(operation_id: str, status: str) -> jsonschema_rs.Validator | None:
    operation = next(
        document()["paths"][name][method.lower()]
        for method, _, name in operations()
        if document()["paths"][name][method.lower()]["operationId"] == operation_id
    )
    response = operation["responses"].get(status)
    if response is None:
        return None
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    schema = response["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": document()["components"]})


def violations(method: str, path: str, status: int, content: bytes, *, content_type: str) -> list[str]:
    """What is wrong with an answer to a path under /v1, one sentence each; none when it keeps the contract."""
    operation = operation_of(method, path.removeprefix("/v1"))
    where = f"{method} {path} -> {status} {content[:300]!r}"
    if content_type != "application/json":
        return [f"content type {content_type}: {where}"]
    if operation is None or status in EXTRA_STATUSES:
        return [] if status in (401, 403, 404, 405, 429) else [f"undocumented path: {where}"]
    validator = _validator(operation["operationId"], str(status))
    if validator is None:
        return [f"undocumented status: {where}"]
    body = json.loads(content)
    wrong = [f"{error.instance_path}: {error.message}: {where}" for error in validator.iter_errors(body)]
    if status >= 400 and not wrong:
        complete = body["status"] == "error" and body["reason"] == body["message"] and body["code"]
        wrong = [] if complete else [f"not this emulator's shape of an error: {where}"]
    return wrong


def check(response: httpx.Response) -> None:
    """Raise AssertionError when an answer under /v1 is outside the contract. An httpx event hook."""
    path = urlsplit(str(response.request.url)).path
    if path.startswith("/v1/"):
        response.read()
        kind = response.headers["content-type"]
        wrong = violations(response.request.method, path, response.status_code, response.content, content_type=kind)
        assert not wrong, "\n".join(wrong)


def client(
    url: str, auth: tuple[str, str] | None = ("k", "s"), hook: Callable[[httpx.Response], None] = check
) -> httpx.Client:
    """A plain HTTP client whose every answer is judged."""
    return httpx.Client(base_url=url, auth=auth, timeout=10, verify=False, event_hooks={"response": [hook]})
