"""Did you mean: the known words nearest to one that is not known.

A word is compared letter by letter with a few candidates only. Which ones is found by the letters they share, in a
tenth of a microsecond each, so that thousands of slips beside thousands of names take seconds and not hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise

_CANDIDATES = 40  # compared letter by letter
_LONGEST_WORD = 100  # characters; a slip in a longer one is not looked for
_MOST_WORDS = 10_000  # known words that are looked at


def _plain(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum())


class Nearest:
    """Finds the nearest of some words, for many others. same: two words with the same value of it are nearest."""

    def __init__(self, words: Iterable[str], same: Callable[[str], str] = str.casefold) -> None:
        self._same = same
        self._exact: dict[str, list[str]] = {}
        self._masks: list[tuple[str, int]] | None = None
        for word in words:
            self._exact.setdefault(same(word), []).append(word)

    def find(self, word: str, limit: int = 3, at_least: float = 0.6) -> tuple[str, ...]:
        """At most limit of the words, best first; at_least: the likeness that counts, 0 to 1."""
        folded = self._same(word)
        if folded in self._exact:
            return tuple(self._exact[folded][:limit])
        if len(folded) > _LONGEST_WORD:
            return ()
        from difflib import get_close_matches  # only mistakes pay for it

        close = get_close_matches(folded, self._candidates(folded), n=limit, cutoff=at_least)
        return tuple(self._exact[match][0] for match in close)

    def _candidates(self, folded: str) -> Sequence[str]:
        if len(self._exact) <= _CANDIDATES:
            return [word for word in self._exact if len(word) <= _LONGEST_WORD]
        if self._masks is None:
            known = (word for word in self._exact if len(word) <= _LONGEST_WORD)
            self._masks = [(word, _mask(word)) for word, _ in zip(known, range(_MOST_WORDS), strict=False)]
        mask, size = _mask(folded), len(folded)
        likely = nlargest(
            _CANDIDATES,
            ((2 * (mask & its).bit_count() - its.bit_count() - abs(size - len(word)), -at)
             for at, (word, its) in enumerate(self._masks)),
        )  # fmt: skip
        return [self._masks[-at][0] for _, at in likely]


def _mask(word: str) -> int:
    """A bit for each pair of neighbouring letters, of 256; equal words have equal masks."""
    mask = 0
    for one, other in pairwise(word):
        mask |= 1 << ((ord(one) * 31 + ord(other)) & 255)
    return mask


def nearest(word: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """At most limit of the known words, best first: the same but for case and signs, then by likeness."""
    return _nearest(word, tuple(dict.fromkeys(known)), limit)


@lru_cache(maxsize=256)  # the same slip a thousand times is looked up once
def _nearest(word: str, words: tuple[str, ...], limit: int) -> tuple[str, ...]:
    return _index(words).find(word, limit)


@lru_cache(maxsize=8)
def _index(words: tuple[str, ...]) -> Nearest:
    return Nearest(words, _plain)


def did_you_mean(word: str, known: Iterable[str], *, but: str | None = None) -> str | None:
    """'did you mean kael?', 'did you mean kael or karl?', None when nothing is near. but: a known word not to suggest.

    Asked many times, pass the same known words each time: they are indexed once.
    """
    found = nearest(word, known) if but is None else tuple(n for n in nearest(word, known, 4) if n != but)[:3]
    if not found:
        return None
    if len(found) == 1:
        return f"did you mean {found[0]}?"
    return f"did you mean {', '.join(found[:-1])} or {found[-1]}?"


def listed(words: Iterable[str], limit: int = 12, last: str = "and") -> str:
    """'a, b and c', shortened after limit; last: 'and' or 'or'."""
    found = list(words)
    if len(found) > limit:
        return f"{', '.join(found[:limit])} and {len(found) - limit} more"
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {last} {found[-1]}" if found else ""
