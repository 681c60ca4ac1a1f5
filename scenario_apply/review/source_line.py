"""One line of a manifest with a marker under the value that is wrong, cut to a width."""

from __future__ import annotations

import re
from typing import NamedTuple

from scenario_apply.review.screen import columns, fit, head, safe

_CLOSING = {"{": "}", "[": "]"}
_LEAD = 24
"""Columns kept in front of the marker when the start of a long line is cut off."""


class Excerpt(NamedTuple):
    """text: safe to print. column, length: of the marker, in columns from 0."""

    text: str
    column: int
    length: int


def marked_length(line: str, start: int) -> int:
    """Characters of the YAML value that begins at index start; at least 1.

    A quoted scalar ends with its closing quote and a collection with its bracket; anything else at a comment, at `: `,
    inside of brackets also at `,`, `}` and `]`, or at the end of the line.
    """
    rest = line[start:].rstrip()
    if not rest:
        return 1
    if rest[0] in "\"'":
        return _quoted_length(rest)
    if rest[0] in _CLOSING:
        return _collection_length(rest)
    end = r"\s+#|:(?=\s|$)" + (r"|[,}\]]" if _depth(line[:start]) > 0 else "")
    found = re.search(end, rest)
    plain = (rest if found is None else rest[: found.start()]).rstrip(" \t,")
    return max(len(plain), 1)


def excerpt(line: str, start: int, width: int) -> Excerpt:
    """The line with its indentation, as much of it around index start as fits into width columns."""
    line = line.rstrip()
    end = start + marked_length(line, start)
    text, value = safe(line), safe(line[start:end])
    column, length = columns(safe(line[:start])), max(columns(value), 1)
    if columns(text) > width and column + length >= width:
        length = min(length, width - 2)
        lead = min(_LEAD, width - 2 - length)
        before = head(safe(line[:start])[::-1], lead)[::-1]
        text, column = f"…{before}{safe(line[start:])}", 1 + columns(before)
    return Excerpt(fit(text, width), column, length)


def _quoted_length(text: str) -> int:
    """Of a quoted scalar that may go on in the next line."""
    pattern = r'"(?:[^"\\]|\\.)*"?' if text[0] == '"' else r"'(?:[^']|'')*'?"
    found = re.match(pattern, text)
    return len(text) if found is None else found.end()


def _collection_length(text: str) -> int:
    index = depth = 0
    while index < len(text):
        if text[index] in "\"'" and text[index - 1] in " ,:[{":
            index += _quoted_length(text[index:])
            continue
        depth += (text[index] in "{[") - (text[index] in "}]")
        index += 1
        if depth == 0:
            break
    return index


def _depth(text: str) -> int:
    """How many brackets are open after the text."""
    bare = re.sub(r"\"(?:[^\"\\]|\\.)*\"|(?<=[ ,:\[{])'[^']*'", "", text)
    return sum((c in "{[") - (c in "}]") for c in bare)
