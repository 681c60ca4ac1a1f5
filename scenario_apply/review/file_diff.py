"""Unified diffs of caption files. What a text cannot show, such as bytes in another encoding, is spelled out."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from scenario_apply.review.screen import Color, Screen, safe

_COLORS: dict[str, Color] = {"+": "green", "-": "red", "@": "cyan"}


def file_diff(file: str, before: str, after: str, screen: Screen, *, encoding: str, kinds: Sequence[str]) -> str:
    """The diff of one file, ending in a newline. encoding: of the file before; kinds: what is repaired in it."""
    lines = [f"--- {safe(file)}" + ("" if encoding == "UTF-8" else f" ({safe(encoding)})")]
    lines.append(f"+++ {safe(file)} ({', '.join(kinds)})")
    changed = difflib.unified_diff(_lines(before), _lines(after), n=1, lineterm="")
    lines += list(changed)[2:]  # its own two lines of names
    drawn = [_painted(safe(line), screen) for line in lines]
    return "\n".join(drawn) + "\n"


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _painted(line: str, screen: Screen) -> str:
    is_name = line.startswith(("--- ", "+++ "))
    return screen.paint(line, "bold" if is_name else _COLORS.get(line[:1]))
