"""Pages and cursors: keyset paging that stays right while things are added, and opaque tokens."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from scenario_apply.emulator.clock import parse_iso
from scenario_apply.emulator.messages import Request, bad_request


def encode_token(position: list[Any]) -> str:
    """An opaque token for a place in a list."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_token(request: Request, length: int) -> list[Any] | None:
    """The place a request's paginationToken stands for; None without one. Raises 400 for a token never handed out."""
    token = request.query.get("paginationToken")
    if not token:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        raise bad_request("paginationToken: is not one this server handed out") from None
    whole = isinstance(position, list) and len(position) == length
    if not whole or not all(isinstance(one, int) and abs(one) < 1 << 62 for one in position):
        raise bad_request("paginationToken: is not one this server handed out")
    return list(position)


def date_bounds(request: Request, field: str) -> tuple[int | None, int | None]:
    """`createdAfter` and `createdBefore` (or updated...) in milliseconds. Raises 400 for what is no date."""
    bounds: list[int | None] = []
    for name in (f"{field}After", f"{field}Before"):
        raw = request.query.get(name)
        moment = parse_iso(raw) if raw else None
        if raw and moment is None:
            raise bad_request(f"{name}: must be an ISO 8601 date")
        bounds.append(moment)
    return bounds[0], bounds[1]
