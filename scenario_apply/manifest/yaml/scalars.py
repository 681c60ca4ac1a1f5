"""Plain YAML scalars as the 1.2 core schema reads them: 1e-4 is a number, no and 2024-01-01 are text."""

from __future__ import annotations

import re
from math import isfinite

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_STARTS = frozenset("+-.0123456789")
_MOST_DIGITS = 300


class NotANumber(ValueError):
    """A number in YAML that cannot be sent: infinite, not a number, or with hundreds of digits."""


def plain_scalar(text: str) -> bool | int | float | str | None:
    """The value of a plain (unquoted, untagged) scalar. Raises NotANumber."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INT.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            raise NotANumber(f"a number of {len(text)} digits")
        return int(text)
    if text.startswith(("0o", "0x")) and len(text) <= _MOST_DIGITS:
        try:
            return int(text[2:], 8 if text[1] == "o" else 16) if "_" not in text else text
        except ValueError:
            return text
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not isfinite(value):
            raise NotANumber(f"{text} is too large for a number")
        return value
    if _NOT_FINITE.fullmatch(text):
        raise NotANumber(f"{text} is not a finite number")
    return text
