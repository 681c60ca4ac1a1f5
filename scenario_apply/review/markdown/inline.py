"""Texts of other people in Markdown: as code spans, in which nothing means anything, and which no host looks into.

Hosts link @mentions, #1, !1, ~label, :emoji: and addresses after they have parsed the Markdown, so a backslash does not
stop them. A code span does: cmark-gfm, GitLab's and Bitbucket's parsers and markdown-it take it as it is, and the
filters for references leave code alone. Source: the GFM specification, 6.1 "Code spans" and 6.9 "Autolinks"; the
references documentation of GitHub, GitLab and Azure DevOps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from scenario_apply.review.screen import safe
from scenario_apply.review.word_diff import Stretch

_TICKS = re.compile(r"`+")
_PLAIN = re.compile(r"\(?(?:[A-Z]?[a-z]+|[A-Z]|\d{1,4}|\d{1,3}(?:,\d{3})+)\)?[,;:.]?")
_EMPTY = "(empty)"


def code(text: str) -> str:
    """A foreign text as a code span, with nothing in it that acts or cannot be seen; '(empty)' for none."""
    return _span(safe(text)) if text else _EMPTY


def _span(shown: str) -> str:
    """A code span of a text that is safe already."""
    longest = max((len(run) for run in _TICKS.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    # one blank on both sides is taken off again, unless there is nothing else
    padded = shown.startswith(("`", " ")) or shown.endswith(("`", " "))
    return f"{fence} {shown} {fence}" if padded and shown.strip() else f"{fence}{shown}{fence}"


def words(text: str) -> str:
    """A sentence of ours, which may hold other people's words: as it is where it is plain English, else as code."""
    shown = safe(text)
    is_plain = all(_PLAIN.fullmatch(word) for word in shown.removesuffix(".").split(" "))
    return shown if is_plain else code(text)


def diff(stretches: Iterable[Stretch]) -> str:
    """A word diff: what stays as code, what is gone struck through, what came in bold. Renders on every host."""
    parts: list[str] = []
    for same, gone, new in stretches:
        parts += [_span(same.strip())] if same.strip() else []
        parts += [f"~~{_span(gone.strip() or gone)}~~"] if gone else []
        parts += [f"**{_span(new.strip() or new)}**"] if new else []
    return " ".join(parts)


def in_html(text: str) -> str:
    """A foreign text within HTML, such as a summary, where Markdown means nothing."""
    return f"<code>{escape(safe(text))}</code>"


def fence(text: str, language: str = "text") -> str:
    """Lines of a view that are safe already, as a block of code."""
    ticks = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table. A bar within a cell is escaped: also within a code span it would end the cell."""
    lines = [_row(header), _row(["---"] * len(header))]
    return lines + [_row(row) for row in rows]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
