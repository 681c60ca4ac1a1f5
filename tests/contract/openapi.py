"""Requests checked against scenario-openapi.yaml: the path is there, its query parameters, the shape of the body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.contract import request_bodies

_BASE = "urn:contract"


@cache
def contract() -> dict[str, Any]:
    return request_bodies.document()


def violations(method: str, url: str, body: bytes | None, *, base_path: str = "/v1") -> list[str]:
    """What is wrong with a request, one sentence each; none when it keeps the contract."""
    parts = urlsplit(url)
    if not parts.path.startswith(base_path + "/"):
        return [f"{parts.path} is not below {base_path}"]
    found = _operation(method, parts.path.removeprefix(base_path))
    if found is None:
        return [f"no operation {method} {parts.path}"]
    operation, segments = found
    wrong = [f"path parameter {name} is empty" for name, value in segments.items() if not unquote(value)]
    wrong += _query_violations(
        operation, parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    )
    return wrong + _body_violations(operation, body)


def _operation(method: str, path: str) -> tuple[dict[str, Any], Mapping[str, str]] | None:
    """The operation a path means; a literal path wins over one with a parameter."""
    for template in sorted(contract()["paths"], key=lambda t: t.count("{")):
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]*)", template)
        match = re.fullmatch(pattern, path)
        operation = contract()["paths"][template].get(method.lower())
        if match is not None and operation is not None:
            return operation, match.groupdict()
    return None


def _query_violations(operation: dict[str, Any], given: list[tuple[str, str]]) -> list[str]:
    known = {p["name"]: p for p in map(_resolved, operation.get("parameters", [])) if p["in"] == "query"}
    wrong = [
        f"query parameter {name} given twice" for name in {n for n, _ in given if [k for k, _ in given].count(n) > 1}
    ]
    for name, text in given:
        if name not in known:
            wrong.append(f"unknown query parameter {name}")
            continue
        schema = known[name]["schema"]
        wrong += [f"query parameter {name}: {e.message}" for e in _validator(schema).iter_errors(_typed(text, schema))]
    names = {name for name, _ in given}
    wrong += [
        f"query parameter {name} is missing" for name, p in known.items() if p.get("required") and name not in names
    ]
    return wrong


def _body_violations(operation: dict[str, Any], body: bytes | None) -> list[str]:
    due = operation.get("requestBody")
    if due is None:
        return ["a body where none is known"] if body else []
    if body is None:
        return ["the body is missing"] if due.get("required") else []
    schema = due["content"]["application/json"]["schema"]
    value = json.loads(body)
    wrong = [f"body{e.json_path[1:]}: {e.message}" for e in _validator(schema).iter_errors(value)]
    if isinstance(value, dict):
        wrong += [f"body: unknown property {name}" for name in value if name not in _properties(schema)]
    return wrong


def _properties(schema: dict[str, Any]) -> set[str]:
    schema = _resolved(schema)
    names = set(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        names |= _properties(part)
    return names


def _resolved(value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        target: Any = contract()
        for step in value["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        value = target
    return value


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    anchored = json.loads(json.dumps(schema).replace('"#/components/', f'"{_BASE}#/components/'))
    return Draft202012Validator(anchored, registry=_registry())


@cache
def _registry() -> Any:
    return Registry().with_resource(_BASE, DRAFT202012.create_resource(contract()))


def _typed(text: str, schema: dict[str, Any]) -> object:
    """A query's text as its schema types it."""
    kind = _resolved(schema).get("type")
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind in ("integer", "number"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text.split(",") if kind == "array" else text
