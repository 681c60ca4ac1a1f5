"""Globs over POSIX paths, matched in time that grows with pattern and path, not with the ways to fit them.

** any folders, * and ? within a name, [ab] one of them. A star takes as little as it can and never gives back: what
stands between two stars is found at its first place, which leaves the most room for the rest. Only what follows the
last star of a name, and the last ** of a path, is tied to an end, and needs a second look.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_GLOB = 4096
"""Signs. Linux takes no longer path, so a longer pattern matches nothing."""

MOST_ALTERNATIVES = 100
"""Of the braces in one pattern."""

_MAGIC = re.compile(r"[*?\[]")
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")  # the innermost, which list at least two parts
_NEVER = re.compile(r"(?!)")


def has_magic(pattern: str) -> bool:
    return _MAGIC.search(pattern) is not None


def alternatives(pattern: str) -> tuple[str, ...]:
    """What braces stand for: a.{png,jpg} -> a.png, a.jpg. The pattern alone where they list nothing, or too much."""
    found = [pattern]
    at = 0
    while at < len(found):
        inner = _BRACES.search(found[at])
        if inner is None:
            at += 1
            continue
        start, end = inner.span()
        found[at : at + 1] = [found[at][:start] + part + found[at][end:] for part in inner[1].split(",")]
        if len(found) > MOST_ALTERNATIVES:
            return (pattern,)
    return tuple(dict.fromkeys(found))


def with_low_ending(path: str) -> str:
    """A path, or a glob whose ending holds no magic, with its ending in lower case: a.PNG -> a.png."""
    dot = path.rfind(".")
    if dot <= path.rfind("/") or _MAGIC.search(path, dot):
        return path
    return path[:dot] + path[dot:].lower()


def escaped(name: str) -> str:
    """The glob that matches this name alone."""
    return _MAGIC.sub(lambda sign: f"[{sign[0]}]", name)


@lru_cache(maxsize=256)
def glob_pattern(pattern: str) -> re.Pattern[str]:
    """What full-matches the paths that the glob means. Hidden names are no match: they are not listed."""
    tokens = _tokens(pattern)
    if len(tokens) > LONGEST_GLOB:
        return _NEVER
    try:
        return re.compile(_whole(tokens), re.DOTALL)
    except re.error:  # an odd [set]: taken as it stands
        return re.compile(re.escape(pattern))


@lru_cache(maxsize=64)
def any_glob(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What full-matches the paths that one of the globs means: one expression, for many globs on many paths."""
    return re.compile("|".join(f"(?:{glob_pattern(pattern).pattern})" for pattern in patterns), re.DOTALL)


_ANY_FOLDERS, _ANYTHING, _IN_A_NAME = "(?:[^/]+/)*?", ".*?", "[^/]*?"


def _tokens(pattern: str) -> list[str]:
    """Regular expressions of one sign each, and the three stars; of stars side by side the one that means them all."""
    out: list[str] = []
    at, size = 0, len(pattern)
    while at < size:
        if pattern.startswith("**/", at):
            if out and out[-1] != "/" and out[-1] != _ANY_FOLDERS:
                _add_star(out, _ANYTHING)  # in the middle of a name: the rest of it, and folders
                out.append("/")
            else:
                _add_star(out, _ANY_FOLDERS)
            at += 3
        elif pattern.startswith("**", at):
            _add_star(out, _ANYTHING)
            at += 2
        elif pattern[at] == "*":
            _add_star(out, _IN_A_NAME)
            at += 1
        elif pattern[at] == "?":
            out.append("[^/]")
            at += 1
        elif pattern[at] == "[" and (end := pattern.find("]", at + 2)) > 0:
            inside = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            one_of = "[^" + inside[1:] + "]" if inside[0] == "!" else "[" + inside.replace("^", "\\^") + "]"
            out.append(f"(?!/){one_of}")
            at = end + 1
        else:
            out.append(re.escape(pattern[at]))
            at += 1
    return out


def _add_star(out: list[str], star: str) -> None:
    last = out[-1] if out else ""
    if star == last or last == _ANYTHING:
        return
    if star == _ANYTHING:
        while out and out[-1] in (_ANY_FOLDERS, _IN_A_NAME):
            out.pop()
    out.append(star)


def _whole(tokens: list[str]) -> str:
    """The tokens, each star with what follows it up to the next one in a group that is not entered again."""
    chunks = _split(tokens, (_ANY_FOLDERS, _ANYTHING))
    parts = [_names(chunks[0], tied=len(chunks) == 1)]
    for number, chunk in enumerate(chunks[1:], 2):
        is_last = number == len(chunks)
        inner = chunk[0] + _names(chunk[1:], tied=is_last)
        parts.append(inner if is_last else f"(?>{inner})")
    return "".join(parts)


def _names(tokens: list[str], *, tied: bool) -> str:
    """Part of a path without **. tied: its end is the end of the path."""
    names = _split_at_slashes(tokens)
    return "/".join(_name(name, tied=tied or number < len(names)) for number, name in enumerate(names, 1))


def _name(tokens: list[str], *, tied: bool) -> str:
    """tied: a slash or the end of the path follows."""
    chunks = _split(tokens, (_IN_A_NAME,))
    parts = ["".join(chunks[0])]
    for number, chunk in enumerate(chunks[1:], 2):
        inner = "".join(chunk)
        parts.append(inner if tied and number == len(chunks) else f"(?>{inner})")
    return "".join(parts)


def _split(tokens: list[str], stars: tuple[str, ...]) -> list[list[str]]:
    """The tokens before the first star, then from each star to the next."""
    chunks: list[list[str]] = [[]]
    for token in tokens:
        if token in stars:
            chunks.append([])
        chunks[-1].append(token)
    return chunks


def _split_at_slashes(tokens: list[str]) -> list[list[str]]:
    names: list[list[str]] = [[]]
    for sign in tokens:
        if sign == "/":
            names.append([])
        else:
            names[-1].append(sign)
    return names
