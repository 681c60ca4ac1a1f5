"""What views draw on: width, colour, how much to list; and texts made safe to print and measured in columns.

Captions, names and the service's reasons are other people's texts: control characters, terminal escapes and
direction overrides in them are shown as what they are, never sent to the terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from scenario_apply.review.printable import JOINERS, backslashed, spelled_out

Color = Literal["red", "green", "yellow", "cyan", "magenta", "bold", "dim"]
_SGR: dict[Color, str] = {
    "red": "31", "green": "32", "yellow": "33", "cyan": "36", "magenta": "35", "bold": "1", "dim": "2",
}  # fmt: skip
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SPACES = "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
_WORDS = re.compile(r"\S+")
_ID = re.compile(r"[^\w\s]{0,3}(?=[a-zA-Z]*[0-9_])[A-Za-z0-9_.-]{1,128}[^\w\s]{0,3}", re.ASCII)

LISTED = 6
"""How many images, and how many captions, a change lists unless asked for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """width in columns. verbose: list everything, shorten nothing. terminal: whether this is a terminal.

    quiet: results and errors only; no warnings, notes and hints.
    """

    width: int = 80
    color: bool = False
    verbose: bool = False
    terminal: bool = False
    quiet: bool = False

    def paint(self, text: str, *colors: Color | None) -> str:
        """The text in colours, where there are any; the text must be safe already."""
        codes = [_SGR[color] for color in colors if color is not None]
        if not self.color or not codes or not text:
            return text
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m"


def safe(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would act upon."""
    if any(space in text for space in _SPACES):
        text = "".join(" " if c in _SPACES else c for c in text)
    return spelled_out(text, _spelled)


def _spelled(character: str) -> str:
    return _SHORT.get(character) or backslashed(character)


def columns(text: str) -> int:
    """Columns a safe text takes on a terminal: East Asian wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_columns(c) for c in text)


def _columns(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1


def fit(text: str, width: int) -> str:
    """A safe text in at most width columns; what is cut ends in …."""
    if columns(text) <= width:
        return text
    return head(text, width - 1) + "…"


def head(text: str, width: int) -> str:
    """The longest start of a safe text that takes at most width columns."""
    used = 0
    for index, character in enumerate(text):
        used += _columns(character)
        if used > width:
            return text[:index].rstrip(JOINERS)
    return text


def fit_path(text: str, width: int) -> str:
    """A path in at most width columns: its end says more than its start."""
    if columns(text) <= width:
        return text
    return "…" + head(text[::-1], width - 1)[::-1]


def pad(text: str, width: int) -> str:
    """A safe text, filled with spaces up to width columns."""
    return text + " " * (width - columns(text))


def wrap(text: str, width: int, *, whole_ids: bool = False) -> list[str]:
    """A safe text in lines of at most width columns, broken between words where there are any.

    whole_ids: what is copied from the screen, such as an id, is not broken even where it is wider.
    """
    lines: list[str] = []
    line = ""
    for word in _pieces(text, width, whole_ids=whole_ids):
        if line and columns(line) + 1 + columns(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line or not lines else lines


def _pieces(text: str, width: int, *, whole_ids: bool) -> Iterator[str]:
    for match in _WORDS.finditer(text):
        word = match[0]
        if columns(word) <= width or (whole_ids and _is_copied(word)):
            yield word
            continue
        start = used = 0
        for at, character in enumerate(word):
            size = _columns(character)
            if used + size > max(width, 2):
                yield word[start:at]
                start, used = at, 0
            used += size
        yield word[start:]


def _is_copied(word: str) -> bool:
    """Whether a word may be an id, or is the long option of a command: a line end in it would change its meaning."""
    return _ID.fullmatch(word) is not None or word.startswith("--include=")


def prose(text: str, width: int, screen: Screen) -> list[str]:
    """A sentence, wrapped on a terminal; whole elsewhere, for those who search logs."""
    return wrap(text, width, whole_ids=True) if screen.terminal else [text]


NARROW = 34
"""Columns that words need beside a label: an id in brackets, say. With fewer they go below it."""


def beside(label: str, text: str, screen: Screen, *, indent: int = 6) -> tuple[str, list[str]]:
    """The safe text as it starts beside its label, and the lines below; all of it below where the label is too long."""
    room = screen.width - columns(label)
    if not screen.terminal or room >= NARROW or columns(text) <= room:
        first, *rest = prose(text, max(room, 20), screen)
        return first, [" " * columns(label) + line for line in rest]
    return "", [" " * indent + line for line in wrap(text, screen.width - indent, whole_ids=True)]


def hanging(label: str, text: str, screen: Screen, *, color: Color | None = None) -> list[str]:
    """Lines of label and safe text; further lines stand under the text. One line when this is not a terminal."""
    start = columns(label)
    lines = prose(text, max(screen.width - start, 20), screen)
    return [(label if number == 0 else " " * start) + screen.paint(line, color) for number, line in enumerate(lines)]


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """'1 image', '3 images'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """'45 s', '2 min 8 s', '1 h 20 min'."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole, 3600)
    return f"{hours} h {rest // 60} min" if rest >= 60 else f"{hours} h"
