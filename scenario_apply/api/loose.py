"""Reads what an answer may leave out: times, progress, prices. One in another form is no reason to refuse the answer.

Every function gives None for what it cannot read.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Final, TypeVar

from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit

Value = TypeVar("Value")

_MILLISECONDS_ABOVE: Final = 1e11
"""A time larger than this is in milliseconds: as seconds it would lie in the year 5138."""

_MOST: Final = 2.0**53
_NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?")
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_ROUNDED: Final = 1e-6

MOST_DETAILS: Final = 24


def fitted(value: object, type_: type[Value]) -> Value | None:
    """A part of an answer that may be missing."""
    if value is None:
        return None
    try:
        return codec.fitted(value, type_)
    except Misfit:
        return None


def amount(value: object) -> float | None:
    """A finite number, at least 0, also written as text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        return None
    return float(value)


def count(value: object) -> int | None:
    """A whole number, at least 0."""
    number = amount(value)
    return None if number is None or number != math.floor(number) else int(number)


def price(value: object) -> float | None:
    """CU, at least 0."""
    return amount(value)


def cost_details(value: object) -> dict[str, float] | None:
    """The parts of a price: names with CU, at most MOST_DETAILS. What is none is left out; None where nothing is left.

    Names come from the service and are stored, so they are short and visible ASCII.
    """
    if not isinstance(value, dict):
        return None
    parts = {
        name: cu
        for name, part in value.items()
        if isinstance(name, str) and _NAME.fullmatch(name) and (cu := price(part)) is not None
    }
    return dict(sorted(parts.items())[:MOST_DETAILS]) or None


def share(value: object) -> float | None:
    """A number from 0 to 1."""
    number = amount(value)
    return None if number is None or number > 1 + _ROUNDED else min(number, 1.0)


def words(value: object) -> str | None:
    """A message: text, or an object that holds one."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("message", "reason", "error", "detail") if value.get(key)), None)
    return value if isinstance(value, str) and value else None


def label(value: object) -> str | None:
    """A short name, also written as a whole number."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value == math.floor(value):
        value = str(int(value))
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def time_s(value: object) -> float | None:
    """Seconds since the epoch of an ISO 8601 text, or of a number of seconds or milliseconds."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value) / 1000 if value > _MILLISECONDS_ABOVE else float(value)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value)
            seconds = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= _MILLISECONDS_ABOVE else None
