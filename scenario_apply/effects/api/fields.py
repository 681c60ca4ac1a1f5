"""Reading JSON objects field by field. Missing and null read the same; a wrong type is a BadAnswer naming the field."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from scenario_apply.errors import BadAnswer

_MILLISECONDS_ABOVE: Final = 1e11
"""A time larger than this is in milliseconds: as seconds it would lie in the year 5138."""

_KINDS: Final = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


class Fields:
    """One JSON object and the path that leads to it."""

    __slots__ = ("_at", "_values")

    def __init__(self, value: object, at: str) -> None:
        if not isinstance(value, dict):
            raise wrong(at, "an object", value)
        self._values: Mapping[str, object] = value
        self._at = at

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def path(self, name: str) -> str:
        return f"{self._at}.{name}" if self._at else name

    def text(self, *names: str) -> str:
        """The first of these fields that is there. Raises BadAnswer when none is, or it is empty."""
        found = self.text_or_none(*names)
        if not found:
            raise BadAnswer(f"the service's answer has no {' or '.join(self.path(name) for name in names)}")
        return found

    def text_or_none(self, *names: str) -> str | None:
        for name in names:
            value = self._values.get(name)
            if value is None:
                continue
            if not isinstance(value, str):
                raise wrong(self.path(name), "text", value)
            return value
        return None

    def number_or_none(self, name: str) -> float | None:
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise wrong(self.path(name), "a number", value)
        return float(value)

    def count_or_none(self, name: str) -> int | None:
        """A whole number, at least 0; the contract types counts as plain numbers, so 3.0 is one."""
        number = self.number_or_none(name)
        if number is None:
            return None
        if number < 0 or number != int(number):
            raise wrong(self.path(name), "a count", number)
        return int(number)

    def time_or_none(self, name: str) -> float | None:
        """Seconds since the epoch of an ISO 8601 text, or of a number of seconds or milliseconds; None for all else.

        Times only help to recognise things: one in another form is no reason to refuse an answer.
        """
        text = self._values.get(name)
        if isinstance(text, int | float) and not isinstance(text, bool):
            return float(text) / 1000 if text > _MILLISECONDS_ABOVE else float(text)
        if not isinstance(text, str):
            return None
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None

    def object_or_none(self, name: str) -> Fields | None:
        value = self._values.get(name)
        return None if value is None else Fields(value, self.path(name))

    def mapping_or_none(self, name: str) -> Mapping[str, object] | None:
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise wrong(self.path(name), "an object", value)
        return value

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of a list; none when it is missing."""
        for i, value in enumerate(self._list(name)):
            yield Fields(value, f"{self.path(name)}[{i}]")

    def texts(self, name: str) -> Iterator[str]:
        """The texts of a list; none when it is missing."""
        for i, value in enumerate(self._list(name)):
            if not isinstance(value, str):
                raise wrong(f"{self.path(name)}[{i}]", "text", value)
            yield value

    def _list(self, name: str) -> list[object]:
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise wrong(self.path(name), "a list", value)
        return value


def wrong(at: str, due: str, value: object) -> BadAnswer:
    """The error for a field of a wrong type. The value itself is not shown: it may be anything."""
    got = "null" if value is None else _KINDS.get(type(value), type(value).__name__)
    return BadAnswer(f"the service's answer is not what its contract says: {at or 'it'} should be {due}, it is {got}")


def unwrap(value: object, name: str) -> Fields:
    """The resource in an answer, wrapped ({"model": {...}}) as the API does, or bare as the older guides show it."""
    outer = Fields(value, "")
    inner = outer.object_or_none(name)
    return outer if inner is None else inner
