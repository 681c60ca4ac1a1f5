"""Changed copies of seeds: bytes anywhere, and in JSON documents one to three nodes replaced by other kinds.

Deterministic for a given random.Random.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

Path = tuple[Any, ...]

_OTHER_KINDS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**70, -(10**30), 0.5, 1e308, -0.0,
    "", "x", "0", "null", "\0", "\ud83d", "é" * 40, "2026-13-45T99:99:99Z", "../..", "a" * 5000,
    [], [[]], [None], [1, "a", {}], {}, {"": None}, {"id": 1}, {"x": [{}]},
)  # fmt: skip
_NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1", b"\0\0\xff\xff")


def mutated(draw: random.Random, seeds: Sequence[bytes], words: Sequence[bytes] = ()) -> bytes:
    """One of the seeds, changed. words: what belongs to the format, put in here and there."""
    data = draw.choice(seeds)
    if draw.random() < 0.7 and (changed := _with_other_nodes(draw, data)) is not None:
        return changed
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        data = draw.choice(_BYTE_CHANGES)(draw, data, seeds, words)
    return data[: 1 << 20]


def _with_other_nodes(draw: random.Random, data: bytes) -> bytes | None:
    """A JSON document, or one line of several, with nodes of another kind; None for anything else."""
    lines = data.split(b"\n")
    whole = _parsed(data)
    if whole is not None:
        return _dumped(_replaced(draw, whole))
    documents = [number for number, line in enumerate(lines) if _parsed(line) is not None]
    if not documents:
        return None
    number = draw.choice(documents)
    lines[number] = _dumped(_replaced(draw, _parsed(lines[number])))
    return b"\n".join(lines)


def _parsed(data: bytes) -> Any:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _replaced(draw: random.Random, document: Any) -> Any:
    """The document with one to three nodes replaced, left out, or put where another one was."""
    changed = copy.deepcopy(document)
    for _ in range(draw.choice((1, 1, 2, 3))):
        paths = list(_paths(changed))
        if not paths:
            return copy.deepcopy(draw.choice(_OTHER_KINDS))
        path = draw.choice(paths)
        parent = _at(changed, path[:-1])
        how = draw.random()
        if how < 0.15:
            del parent[path[-1]]
        elif how < 0.3:
            parent[path[-1]] = copy.deepcopy(_at(changed, draw.choice(paths)))
        else:
            parent[path[-1]] = copy.deepcopy(draw.choice(_OTHER_KINDS))
    return changed


def _paths(value: Any, path: Path = ()) -> list[Path]:
    """Where each node below the top stands."""
    found: list[Path] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        found.append((*path, key))
        found += _paths(part, (*path, key))
    return found


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _flip(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + bytes(byte ^ 1 << draw.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def _set(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]


def _set_number(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at, number = draw.randrange(len(data) + 1), draw.choice(_NUMBERS)
    number = number[: draw.choice((1, 2, 4))]
    return data[:at] + number + data[at + len(number) :]


def _insert(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    word = draw.choice(words) if words and draw.random() < 0.8 else draw.randbytes(draw.randrange(1, 9))
    return data[:at] + word * draw.choice((1, 1, 1, 2, 50)) + data[at:]


def _delete(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + data[at + draw.choice((1, 1, 2, 4, 16, 200)) :]


def _double(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    piece = data[at : at + draw.choice((1, 4, 16, 100, 1000))]
    return data[:at] + piece * draw.choice((2, 2, 3, 30)) + data[at + len(piece) :]


def _cut(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _splice(draw: random.Random, data: bytes, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    other = draw.choice(seeds)
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


_BYTE_CHANGES: tuple[Callable[[random.Random, bytes, Sequence[bytes], Sequence[bytes]], bytes], ...] = (
    _flip,
    _set,
    _set_number,
    _insert,
    _delete,
    _double,
    _cut,
    _splice,
)
