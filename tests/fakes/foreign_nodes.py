"""JSON values with one to three nodes replaced by nodes of other kinds: what a hand, a merge or an attacker leaves."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

NODES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.7, 1e300, 2**53 + 1, 2**63, 10**40, "", "abc", "a\nb", "..", "\x00", "a/b"),
    *([], [None], ["abc"], [[]], [1], {}, {"": None}, {"a": {}}, {"id": 1}, "9" * 400, [[[[[[[[]]]]]]]], {"kind": "x"}),
)


def with_foreign_nodes(value: Any, count: int, seed: int) -> Iterator[Any]:
    """count variations of the value, the same ones for the same seed."""
    draw = random.Random(seed)
    for _ in range(count):
        varied = copy.deepcopy(value)
        for _ in range(draw.randint(1, 3)):
            varied = _replaced(varied, draw)
        yield varied


def _replaced(value: Any, draw: random.Random) -> Any:
    places = list(_places(value))
    if not places:
        return copy.deepcopy(draw.choice(NODES))
    holder, key = draw.choice(places)
    kind = draw.random()
    if kind < 0.8:
        holder[key] = copy.deepcopy(draw.choice(NODES))
    elif isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind < 0.9:
        del holder[key]
    else:
        holder[str(draw.choice(("news", "a\nb", "..", f"{key} ")))] = holder.pop(key)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(inner)
