"""Which characters may reach a terminal as they are, and how the others are spelled.

Names, captions, answers of the service and states are other people's texts. In them, whatever moves the cursor, changes
colours, turns the direction of writing round or cannot be seen is spelled out: control characters of C0 and C1, DEL,
bidirectional controls, zero-width characters, line separators, halves of surrogate pairs. What makes text readable
stays: letters of every script and their marks, emoji with their joiners and variation selectors, joiners in the scripts
that need them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

JOINERS = "\u200c\u200d"
_LETTERS_WITH_JOINERS = (
    (0x0600, 0x08FF),  # Arabic, Syriac, Thaana, N'Ko, Mandaic
    (0x0900, 0x0DFF),  # Devanagari to Sinhala
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0xA840, 0xABFF),
    (0xFB50, 0xFDFF),  # Arabic presentation forms
    (0xFE70, 0xFEFC),
    (0x10A00, 0x11FFF),
    (0x1E900, 0x1E95F),  # Adlam
)
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
"""Marks and letters that are printable to Python and drawn as nothing."""
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_DOUBTFUL = re.compile(f"[{_BLANK}{_SELECTORS}]")
_TAGS = range(0xE0020, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"
_OWN_COLORS = re.compile(r"(\x1b\[(?:0|1|2|3[1-6])(?:;(?:1|2|3[1-6]))*m)")  # what Screen.paint writes
_SPACES = "\n\t"
_COMMAND_V2 = re.compile(r"^((?:\s|\x1b\[[\d;]*m)*)::", re.MULTILINE)
_COMMAND_V1 = re.compile(r"##(?=[A-Za-z]*\[)")


def is_harmless(text: str) -> bool:
    """Whether nothing in the text is to be spelled out."""
    return (text.isprintable() and _DOUBTFUL.search(text) is None) or all(
        is_shown(text, index) for index in range(len(text))
    )


def is_shown(text: str, index: int) -> bool:
    """Whether the character at that index can be printed as it is, after the one before it."""
    character = text[index]
    before = text[index - 1] if index else ""
    if character in JOINERS:
        return bool(before) and (_takes_joiner(before) or _joins_emoji(text, index, before))
    if "\ufe00" <= character <= "\ufe0f":
        return bool(before) and _takes_selector(before)
    if "\U000e0100" <= character <= "\U000e01ef":
        return bool(before) and unicodedata.category(before) == "Lo"
    if ord(character) in _TAGS:
        return _is_in_flag(text, index)
    if character in _BLANK:
        return False
    return character.isprintable() or unicodedata.category(character) == "Zs"


def spelled_out(text: str, spell: Callable[[str], str], *, keep: str = "") -> str:
    """The text with spell() of every character that must not be printed; those in keep stay."""
    if text.isprintable() and _DOUBTFUL.search(text) is None:
        return text
    return "".join(c if c in keep or is_shown(text, n) else spell(c) for n, c in enumerate(text))


def backslashed(character: str) -> str:
    """\\x1b, \\u202e, \\U000e0001: as Python spells it."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def terminal_text(text: str, *, color: bool) -> str:
    """Lines as they may be written to a terminal or a log. color: the colours of Screen.paint stay.

    The one gate of all text output: views make each piece safe, so that no line is broken; this holds when one forgets.
    """
    if not color:
        return spelled_out(text, backslashed, keep=_SPACES)
    pieces = _OWN_COLORS.split(text)  # every second one is a colour
    return "".join(p if n % 2 else spelled_out(p, backslashed, keep=_SPACES) for n, p in enumerate(pieces))


def without_commands(text: str) -> str:
    """Lines for the log of a pipeline, in which the runner sees no command of its own: `::error::` and `##[error]` of
    GitHub Actions, `##vso[...]` of Azure Pipelines. Source: ActionCommand.cs of actions/runner, which skips blanks at
    the start of a line and finds `##[` anywhere; the logging commands of Azure Pipelines.
    """
    if "::" in text:
        text = _COMMAND_V2.sub(r"\1\\x3a:", text)
    return _COMMAND_V1.sub(r"\\x23#", text) if "##" in text else text


def json_without_commands(text: str) -> str:
    """The same of a JSON document, which still says the same. Its lines begin with no text."""
    return _COMMAND_V1.sub(r"\\u0023#", text) if "##" in text else text


def json_text(text: str) -> str:
    """A JSON document that says the same, in characters that may be printed. Outside of its texts JSON is ASCII."""
    return spelled_out(text, _json_escape, keep=_SPACES)


def yaml_escaped(text: str) -> str:
    """A YAML document that says the same, if every text with such a character stands in double quotes."""
    return spelled_out(text, _yaml_escape, keep=_SPACES)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))


def _yaml_escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _takes_joiner(character: str) -> bool:
    """A letter or mark of a script in which a joiner changes how words look, such as Persian and Hindi."""
    code = ord(character)
    return unicodedata.category(character)[0] in "LM" and any(
        low <= code <= high for low, high in _LETTERS_WITH_JOINERS
    )


def _joins_emoji(text: str, index: int, before: str) -> bool:
    after = text[index + 1] if index + 1 < len(text) else ""
    is_first = unicodedata.category(before) == "So" or before == "\ufe0f" or "\U0001f3fb" <= before <= "\U0001f3ff"
    return text[index] == "\u200d" and is_first and bool(after) and unicodedata.category(after) == "So"


def _takes_selector(character: str) -> bool:
    """A sign, digit or ideograph that has another form; no letter of ours, no mark, no second selector."""
    if character.isascii():
        return character in "0123456789#*"
    return character.isprintable() and unicodedata.category(character)[0] != "M"


def _is_in_flag(text: str, index: int) -> bool:
    """In the flag of a region, such as Scotland's: a black flag, then tags."""
    start = index
    while start > 0 and ord(text[start]) in _TAGS:
        start -= 1
        if index - start > 8:
            return False
    return text[start] == _BLACK_FLAG
