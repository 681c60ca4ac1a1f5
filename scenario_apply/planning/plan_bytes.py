"""The bytes of a plan file as plain values, within bounds: its author is not known.

JSON has no bound on depth, digits or repeated keys. Here each has one, so that nothing after this has to expect more.
"""

from __future__ import annotations

import json
from collections import Counter
from math import isfinite

LARGEST_PLAN_BYTES = 64_000_000
"""A plan of 40,000 pictures is smaller."""

DEEPEST = 32
"""How far maps and lists may be nested; a plan of the tool's own has 12 levels, parameters included."""

LONGEST_NUMBER = 30
"""Characters of a number; a float takes 24."""


class BadPlanBytes(ValueError):
    """Bytes that are not JSON within the bounds. The text says which bound, or where the JSON breaks off."""


def plain_plan(content: bytes) -> object:
    """The value that the bytes hold. Raises BadPlanBytes."""
    try:
        value: object = json.loads(
            content,
            object_pairs_hook=_map,
            parse_constant=_constant,
            parse_int=_whole_number,
            parse_float=_number,
        )
    except RecursionError as error:
        raise BadPlanBytes(f"it is nested more than {DEEPEST} levels deep") from error
    except BadPlanBytes:
        raise
    except ValueError as error:
        raise BadPlanBytes(f"it is not JSON: {error}") from error
    _check(value)
    return value


def _map(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise BadPlanBytes(f"it has the key {twice[:80]!r} twice in one map")
    return found


def _constant(name: str) -> object:
    raise BadPlanBytes(f"it holds {name}, which is not a number of JSON")


def _whole_number(text: str) -> int:
    _check_length(text)
    return int(text)


def _number(text: str) -> float:
    _check_length(text)
    value = float(text)
    if not isfinite(value):
        raise BadPlanBytes(f"the number {text} is too large")
    return value


def _check_length(text: str) -> None:
    if len(text) > LONGEST_NUMBER:
        raise BadPlanBytes(f"it holds a number of {len(text)} characters; at most {LONGEST_NUMBER} are read")


def _check(value: object) -> None:
    """Raises BadPlanBytes for text that is not Unicode, and for values nested too deep."""
    waiting: list[tuple[object, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, dict | list):
            if depth > DEEPEST:
                raise BadPlanBytes(f"it is nested more than {DEEPEST} levels deep")
            inner = item if isinstance(item, list) else (*item.keys(), *item.values())
            waiting += [(one, depth + 1) for one in inner]


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadPlanBytes("it holds text that is not Unicode: half of a surrogate pair") from error
