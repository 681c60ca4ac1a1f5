"""Parts of a document made as rich as a length allows: each is shown at one of its levels, and never cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import NamedTuple

Lines = Callable[[], Iterable[str]]
"""The lines of a part, made one after another: what does not fit is not made to its end."""


class Part(NamedTuple):
    """levels: from the richest to the poorest; below the last it is left out."""

    levels: Sequence[Lines]


class Fitted(NamedTuple):
    """text: of the part, "" where it is left out. level: its index; the number of levels where it is left out."""

    text: str
    level: int


def length_of(text: str) -> int:
    """Characters as the strictest host counts them: in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fitted(parts: Sequence[Part], room: int) -> list[Fitted]:
    """Each part at the richest level that leaves room for the others; poor levels of all go before rich ones of some.

    Within a level, earlier parts go first. The lengths of all texts together are at most room.
    """
    found = [Fitted("", len(part.levels)) for part in parts]
    depth = max((len(part.levels) for part in parts), default=0)
    for steps in range(1, depth + 1):  # counted from the poorest level of each part
        for index, part in enumerate(parts):
            level = len(part.levels) - steps
            if level < 0 or found[index].level != level + 1:  # the next poorer one did not fit
                continue
            spare = room + length_of(found[index].text)
            text = _within(part.levels[level](), spare)
            if text is not None:
                room = spare - length_of(text)
                found[index] = Fitted(text, level)
    return found


def _within(lines: Iterable[str], room: int) -> str | None:
    """The lines as text with an empty line after them; None as soon as they are longer than the room."""
    kept: list[str] = []
    for line in chain(lines, ("",)):
        room -= length_of(line) + 1
        if room < 0:
            return None
        kept.append(line)
    return "\n".join(kept) + "\n"
