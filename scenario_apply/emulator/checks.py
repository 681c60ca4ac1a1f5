"""Checks on what a request carries: JSON bodies against small tables, query parameters one by one.

A table maps a key to a check; a check takes the value and the place it stands in and raises a 400 that names the place.
Unknown keys pass: the contract allows them everywhere. null is a value like any other and has to be allowed explicitly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from scenario_apply.emulator.messages import Json, Request, bad_request

Check = Callable[[Any, str], None]


def json_object(request: Request, table: Mapping[str, Check], required: tuple[str, ...] = ()) -> Json:
    """The request's body as a checked object."""
    body = _decode(request)
    if not isinstance(body, dict):
        raise bad_request("body: must be a JSON object")
    check_object(body, "body", table, required)
    return body


def optional_object(request: Request, table: Mapping[str, Check]) -> Json:
    """The same where the contract lets the body be left out."""
    if not request.body:
        return {}
    return json_object(request, table)


def json_array(request: Request, item: Check) -> list[Any]:
    """The request's body as a checked array."""
    body = _decode(request)
    if not isinstance(body, list):
        raise bad_request("body: must be a JSON array")
    for index, value in enumerate(body):
        item(value, f"body[{index}]")
    return body


def check_object(value: Json, place: str, table: Mapping[str, Check], required: tuple[str, ...] = ()) -> None:
    """Raise for the first missing or wrong property."""
    for key in required:
        if key not in value:
            raise bad_request(f"{place}.{key}: is required")
    for key, check in table.items():
        if key in value:
            check(value[key], f"{place}.{key}")


def text(max_length: int | None = None, nullable: bool = False) -> Check:
    """A string."""

    def check(value: Any, place: str) -> None:
        if value is None and nullable:
            return
        if not isinstance(value, str):
            raise bad_request(f"{place}: must be a string" + (" or null" if nullable else ""))
        if max_length is not None and len(value) > max_length:
            raise bad_request(f"{place}: must not be longer than {max_length} characters")

    return check


def number(
    low: float | None = None, high: float | None = None, above: float | None = None, whole: bool = False
) -> Check:
    """A number; low and high are allowed themselves, above is not."""

    def check(value: Any, place: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise bad_request(f"{place}: must be a number")
        if whole and value != int(value):
            raise bad_request(f"{place}: must be a whole number")
        if (low is not None and value < low) or (high is not None and value > high):
            bounds = f"within {low} and {high}" if high is not None and low is not None else f"at least {low}"
            raise bad_request(f"{place}: must be {bounds}, not {value}")
        if above is not None and value <= above:
            raise bad_request(f"{place}: must be more than {above}, not {value}")

    return check


def boolean(value: Any, place: str) -> None:
    """true or false."""
    if not isinstance(value, bool):
        raise bad_request(f"{place}: must be true or false")


def one_of(*choices: str) -> Check:
    """One of a few words."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, str) or value not in choices:
            raise bad_request(f"{place}: must be one of {', '.join(choices)}")

    return check


def array(item: Check, least: int = 0, most: int | None = None, too_many: str | None = None) -> Check:
    """A list of such things. too_many replaces the sentence for a list that is too long."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, list):
            raise bad_request(f"{place}: must be an array")
        if len(value) < least:
            raise bad_request(f"{place}: must hold at least {least}")
        if most is not None and len(value) > most:
            raise bad_request(too_many or f"{place}: must not hold more than {most}")
        for index, entry in enumerate(value):
            item(entry, f"{place}[{index}]")

    return check


def nested(table: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """An object inside the body."""

    def check(value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise bad_request(f"{place}: must be an object")
        check_object(value, place, table, required)

    return check


def query_number(request: Request, name: str, low: int, high: int | None, default: int) -> int:
    """A whole number from the query."""
    raw = request.query.get(name)
    if raw is None:
        return default
    digits = raw.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise bad_request(f"{name}: must be a whole number")
    value = int(digits)
    if value < low or (high is not None and value > high):
        limits = f"within {low} and {high}" if high is not None else f"at least {low}"
        raise bad_request(f"{name}: must be {limits}, not {value}")
    return value


def query_flag(request: Request, name: str) -> bool | None:
    """true or false from the query; None when it is not there."""
    raw = request.query.get(name)
    if raw is None:
        return None
    if raw not in ("true", "false"):
        raise bad_request(f"{name}: must be true or false")
    return raw == "true"


def query_choice(request: Request, name: str, choices: tuple[str, ...]) -> str | None:
    """One of a few words from the query; None when it is not there."""
    raw = request.query.get(name)
    if raw is not None and raw not in choices:
        raise bad_request(f"{name}: must be one of {', '.join(choices)}")
    return raw


def query_list(request: Request, name: str) -> tuple[str, ...]:
    """A comma-joined list from the query."""
    return tuple(filter(None, request.query.get(name, "").split(",")))


def is_dry_run(request: Request) -> bool:
    """Whether the query asks for a price only. The body does not count."""
    return query_choice(request, "dryRun", ("true", "api", "false")) in ("true", "api")


def _decode(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise bad_request(
            f"content-type: must be application/json, not {kind or 'missing'}", "UNSUPPORTED_CONTENT_TYPE"
        )
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError as problem:
        raise bad_request(f"body: not valid JSON: {problem}", "INVALID_JSON") from None
