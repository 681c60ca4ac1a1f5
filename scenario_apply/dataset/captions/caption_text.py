"""A caption as found -> one line of text: lines joined, control characters and empty tags gone."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from scenario_apply.dataset.captions.matching import Raw
from scenario_apply.model.lint_rules import Finding

_LINE_BREAK = r"\r\n|\n|\r"
_COLOURS = r"\x1b\[[0-9;:?]{0,40}[A-Za-z]"  # of terminals
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]"
_CONTROLS = rf"(?<![ \t])[ \t]*+{_CONTROL}(?:[ \t]|{_CONTROL})*+"
_INVISIBLE = "[\u00ad\u2060\ufeff]"  # soft hyphen, word joiner, byte order mark
_ZERO_WIDTH_SPACE = "\u200b"
_WRITTEN_WITHOUT_BLANKS = "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"  # Thai, Lao, Burmese, Khmer
_EMPTY_TAGS = r"(?<![\s,])\s*+,(?:\s*+,)++\s*+"
_ENDS = ", \t\n\r\f\v"
_DICT_IN_PYTHON = r"\{\s*'[^'{}]{1,100}'\s*:"
_LIST_IN_PYTHON = r"\[\s*'[^'\[\]]{1,200}'\s*[,\]]"
_ENDS_A_SENTENCE = (".", "!", "?", ":", ";", "…", "。")
_WORDS_OF_A_TAG = 3  # at most


class CaptionLine(NamedTuple):
    """text: on one line; "" for a caption without a letter or digit. separator: what its lines were joined with."""

    text: str
    line_count: int = 1
    separator: str = " "
    findings: tuple[Finding, ...] = ()


def caption_line(raw: Raw, lines: str) -> CaptionLine:
    """The caption on one line. lines: as in the manifest: join, space, comma or first.

    Findings: C20 for characters that are not sent, C18 for JSON.
    """
    text = raw.text
    if text.isascii() and text.isprintable():
        held, removed = [text.strip()], ""
    else:
        text, removed = _cleaned(text)
        held = [line.strip() for line in re.split(_LINE_BREAK, text) if line.strip()]
    separator = " "
    if len(held) > 1:
        separator = _separator(held, lines)
        text = held[0] if lines == "first" else _joined(held, separator)
    else:
        text = held[0] if held else ""
    findings = []
    is_empty = not any(map(str.isalnum, text))
    if removed and not is_empty:
        what = f"contains {removed}, which is not sent"
        findings.append(Finding("C20", what, raw.file, raw.line, "delete it from the caption"))
    if kind := _kind_of_json(raw.text.strip()):
        hint = "write the text alone; a file with JSON is read under the name .json and `captions: { suffix: .json }`"
        findings.append(Finding("C18", f"the caption is a {kind}", raw.file, raw.line, hint))
    return CaptionLine("" if is_empty else text, len(held), separator, tuple(findings))


def without_empty_tags(text: str) -> str:
    """Without commas at its ends and without tags of blanks: ", fox,, red ," becomes "fox, red"."""
    text = text.strip()
    if "," not in text:
        return text
    return re.sub(_EMPTY_TAGS, ", ", text).strip(_ENDS)


def _cleaned(text: str) -> tuple[str, str]:
    """The text without characters that no caption should have, and the name of the first of them."""
    found = re.search(_CONTROL, text) or re.search(_INVISIBLE, text.strip("\ufeff"))
    if found is not None:
        text = re.sub(_INVISIBLE, "", re.sub(_COLOURS, "", text))
        text = re.sub(_CONTROLS, " ", text)
    elif "\ufeff" in text:
        text = text.strip("\ufeff")
    removed = f"U+{ord(found[0]):04X}" if found is not None else ""
    if _ZERO_WIDTH_SPACE in text and not re.search(_WRITTEN_WITHOUT_BLANKS, text):
        text = text.replace(_ZERO_WIDTH_SPACE, "")
        removed = removed or "U+200B"
    return text, removed


def _separator(held: list[str], lines: str) -> str:
    if lines == "join":
        tags = [line for line in held if len(line.split()) <= _WORDS_OF_A_TAG and not line.endswith(_ENDS_A_SENTENCE)]
        return ", " if 2 * len(tags) > len(held) else " "
    return ", " if lines == "comma" else " "


def _joined(held: list[str], separator: str) -> str:
    if separator == " ":
        return " ".join(held)
    return separator.join(part for line in held if (part := line.strip(_ENDS)))


def _kind_of_json(text: str) -> str | None:
    """What a caption is that was written by a program and never taken apart; None for text."""
    if not text.endswith(("}", "]")) or not text.startswith(("{", "[")):
        return None
    kind = "map" if text[0] == "{" else "list"
    if re.match(_DICT_IN_PYTHON, text) or re.match(_LIST_IN_PYTHON, text):
        return f"{kind} as Python writes it"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_written = bool(value) and (isinstance(value, dict) or any(isinstance(item, str | dict) for item in value))
    return f"JSON {'object' if kind == 'map' else 'list'}" if is_written else None
