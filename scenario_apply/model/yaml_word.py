"""A text as a value in a line of YAML that a hint suggests."""

from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*")
_OTHER_MEANING = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}


def yaml_word(text: str) -> str:
    """The text itself where YAML reads it as that text everywhere, in `{ a: b }` too; else in double quotes."""
    if _PLAIN.fullmatch(text) and text.casefold() not in _OTHER_MEANING:
        return text
    return json.dumps(text, ensure_ascii=False)
