"""Did you mean: the known words nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


def _plain(word: str) -> str:
    return "".join(c for c in word.casefold() if c.isalnum())


def nearest(word: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """At most limit of the known words, best first: the same but for case and signs, then by likeness."""
    return _nearest(word, tuple(dict.fromkeys(known)), limit)


@lru_cache(maxsize=256)  # the same slip a thousand times is looked up once
def _nearest(word: str, words: tuple[str, ...], limit: int) -> tuple[str, ...]:
    from difflib import get_close_matches  # only mistakes pay for it

    plain = _plain(word)
    same = [candidate for candidate in words if _plain(candidate) == plain]
    if same:
        return tuple(same[:limit])
    by_plain: dict[str, str] = {}
    for candidate in words:
        by_plain.setdefault(_plain(candidate), candidate)
    close = get_close_matches(plain, list(by_plain), n=limit, cutoff=0.6)
    return tuple(by_plain[match] for match in close)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """'did you mean kael?', 'did you mean kael or karl?', None when nothing is near."""
    found = nearest(word, known)
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
