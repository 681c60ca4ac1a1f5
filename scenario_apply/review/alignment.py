"""Which words two texts have in common, in order: exactly for short captions, by unique words for long ones.

Comparing every word with every other takes the square of their number: minutes for two captions of two thousand words.
A long text is cut at words that stand once in both, in the same order; what lies between is short, or is cut again.
Where no such word is left, the stretch counts as replaced.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

_MOST_WORDS = 800  # of both texts, compared each with each
_MOST_PAIRS = 12_000  # of equal words, one of each text: a caption of a hundred words has ten thousand, mostly blanks
_DEEPEST = 12


class Block(NamedTuple):
    """Words old_start to old_end of the one text and new_start to new_end of the other: equal, or replaced."""

    is_same: bool
    old_start: int
    old_end: int
    new_start: int
    new_end: int


def aligned(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """The blocks of both texts, in order, none empty on both sides, equal and changed ones in turn."""
    found: list[Block] = []
    for block in _blocks(old, new, Block(False, 0, len(old), 0, len(new)), 0):
        if found and found[-1].is_same == block.is_same:
            last = found.pop()
            block = Block(block.is_same, last.old_start, block.old_end, last.new_start, block.new_end)
        found.append(block)
    return found


def _blocks(old: Sequence[str], new: Sequence[str], part: Block, depth: int) -> Iterator[Block]:
    _, a, b, c, d = part
    if depth == 0 and _is_short(old, new, part):
        yield from _exactly(old, new, part)
        return
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    if a > part.old_start:
        yield Block(True, part.old_start, a, part.new_start, c)
    inner = Block(False, a, b, c, d)
    if a < b and c < d:
        yield from _changed(old, new, inner, depth)
    elif a < b or c < d:
        yield inner
    if b < part.old_end:
        yield Block(True, b, part.old_end, d, part.new_end)


def _changed(old: Sequence[str], new: Sequence[str], part: Block, depth: int) -> Iterator[Block]:
    """A part whose first words differ, and its last ones."""
    if _is_short(old, new, part):
        yield from _exactly(old, new, part)
        return
    anchors = _anchors(old, new, part) if depth < _DEEPEST else []
    if not anchors:
        yield part
        return
    a, c = part.old_start, part.new_start
    for at, its in anchors:
        yield from _blocks(old, new, Block(False, a, at, c, its), depth + 1)
        yield Block(True, at, at + 1, its, its + 1)
        a, c = at + 1, its + 1
    yield from _blocks(old, new, Block(False, a, part.old_end, c, part.new_end), depth + 1)


def _is_short(old: Sequence[str], new: Sequence[str], part: Block) -> bool:
    """Whether comparing every word with every equal one takes no time."""
    _, a, b, c, d = part
    if b - a + d - c > _MOST_WORDS:
        return False
    counts = Counter(new[c:d])
    return sum(number * counts[word] for word, number in Counter(old[a:b]).items()) <= _MOST_PAIRS


def _exactly(old: Sequence[str], new: Sequence[str], part: Block) -> Iterator[Block]:
    _, a, b, c, d = part
    for tag, i, j, k, m in SequenceMatcher(None, old[a:b], new[c:d], autojunk=False).get_opcodes():
        yield Block(tag == "equal", a + i, a + j, c + k, c + m)


def _anchors(old: Sequence[str], new: Sequence[str], part: Block) -> list[tuple[int, int]]:
    """Places in both texts of words that stand once in each: as many as follow each other in the same order."""
    _, a, b, c, d = part
    here = {word: at for word, at in _once(old, a, b).items() if at >= 0}
    there = _once(new, c, d)
    pairs = [(at, there[word]) for word, at in here.items() if there.get(word, -1) >= 0]
    return _longest_rising(pairs)


def _once(words: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Word -> its place; -1 for one that stands there again."""
    places: dict[str, int] = {}
    for at in range(start, end):
        places[words[at]] = -1 if words[at] in places else at
    return places


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of pairs in rising order of their first number, the most whose second numbers rise as well."""
    tops: list[int] = []  # the lowest last number of a rising row of each length
    last: list[int] = []  # the pair it belongs to
    before: list[int] = []  # the pair that stands before each in its row
    for index, (_, number) in enumerate(pairs):
        length = bisect_left(tops, number)
        before.append(last[length - 1] if length else -1)
        if length == len(tops):
            tops.append(number)
            last.append(index)
        else:
            tops[length], last[length] = number, index
    row = []
    index = last[-1] if last else -1
    while index >= 0:
        row.append(pairs[index])
        index = before[index]
    return row[::-1]
