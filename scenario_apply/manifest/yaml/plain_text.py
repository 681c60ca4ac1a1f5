"""What YAML does to text without quotes: ` #` begins a comment, and curly quotes quote nothing."""

from __future__ import annotations

import re

_DOUBLE = "“”„‟«»＂"
_OPENING_SINGLE, _CLOSING_SINGLE = "‘‚‹", "’‘›"
_ANY_DOUBLE = re.compile(f"[{_DOUBLE}]")
_ANY_OPENING_SINGLE = re.compile(f"[{_OPENING_SINGLE}]")
# A number sign or a hashtag, not the blank of a usual comment.
_LOST_TEXT = re.compile(r"(?<![ \t])[ \t]++(#(?:[^\W_]|[ \t]?\d)[^\n\r\x85\u2028\u2029]*)")
_SHOWN = 12  # characters of what was lost


def is_curly_quoted(text: str) -> bool:
    """Whether a text stands in typographic quotes as a whole: “KAEL_07”, but not “yes” and “no”."""
    if len(text) < 2:
        return False
    inner = text[1:-1]
    if text[0] in _DOUBLE:
        return text[-1] in _DOUBLE and not _ANY_DOUBLE.search(inner)
    return text[0] in _OPENING_SINGLE and text[-1] in _CLOSING_SINGLE and not _ANY_OPENING_SINGLE.search(inner)


def lost_at_hash(source: str, end: int) -> str | None:
    """What YAML takes for a comment behind the plain scalar that ends at end, and is likely its text; else None."""
    found = _LOST_TEXT.match(source, end)
    return None if found is None else found[1]


def places_of_lost_text(source: str) -> dict[int, str]:
    """By the index at which a plain scalar would end: what YAML takes for a comment there, as lost_at_hash gives it."""
    return {found.start(): found[1] for found in _LOST_TEXT.finditer(source)} if "#" in source else {}


def cut_message(lost: str) -> str:
    """For a text of which YAML dropped `lost`."""
    shown = lost.split()[0] if lost[1:2].strip() else lost
    return f"cut at {shown[:_SHOWN]}, where YAML begins a comment"
