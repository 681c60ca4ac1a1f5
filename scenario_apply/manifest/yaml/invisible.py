"""Characters that look like a blank or like nothing, where YAML wants a space: pasted from a web page or a chat."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_BLANKS = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_NOTHING = "\u00ad\u200b-\u200f\u2060\ufeff"
_ANY = f"[{_BLANKS}{_NOTHING}]"
_COLON = "\uff1a\ufe55\u2236"
_NAMES = {
    "\u00a0": "a no-break space",
    "\u202f": "a narrow no-break space",
    "\u3000": "an ideographic space",
    "\u200b": "a zero-width space",
    "\u00ad": "a soft hyphen",
    "\ufeff": "a byte order mark",
    "\uff1a": "a full-width colon",
}
_KEY = rf"\A{_ANY}|{_ANY}\Z"
_VALUE = rf"\A{_ANY}|\A-(?={_ANY})|\A[A-Za-z_][\w-]*(?::{_ANY}|[{_COLON}])"
_LINE = rf"\A *(?:- +)*({_ANY}|-{_ANY}|[\w.-]+ *(?:{_ANY} *)?:{_ANY}|[\w.-]+{_ANY} *:|[\w.-]+[{_COLON}])"
_ODD = rf"[{_BLANKS}{_NOTHING}{_COLON}]"


class OddCharacter(NamedTuple):
    """at: its index in the text that was searched."""

    at: int
    what: str
    hint: str


def odd_in_key(text: str) -> OddCharacter | None:
    """Of a key without quotes: one at its start or end, or behind its colon. Else it is part of a name."""
    return _found(text) if re.search(_KEY, text) or re.search(_VALUE, text) else None


def odd_in_value(text: str) -> OddCharacter | None:
    """Of a value without quotes: one that makes text of `key: value`, or that the text begins with."""
    return _found(text) if re.search(_VALUE, text) else None


def odd_in_line(line: str) -> OddCharacter | None:
    """Of a line that YAML cannot read: one in its indentation, or beside the colon of its key."""
    return _found(line) if re.search(_LINE, line) else None


def _found(text: str) -> OddCharacter:
    found = re.search(_ODD, text)
    assert found is not None
    sign = found[0]
    name = _NAMES.get(sign) or unicodedata.name(sign, "a character that cannot be seen").lower()
    if sign in _COLON:
        return OddCharacter(found.start(), f"U+{ord(sign):04X}, {name}, is no colon in YAML", "write `:` and a space")
    what = f"U+{ord(sign):04X}, {name}, is no blank in YAML"
    return OddCharacter(found.start(), what, "replace it with a space, or put the text in quotes if it belongs there")
