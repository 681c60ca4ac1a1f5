"""What a stream that speaks no UTF-8 gets: signs as ASCII that still tells them apart, JSON and HTML as escapes."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

_ASCII = {
    "±": "+/-",
    "↻": "R",
    "…": "...",
    "→": ">",
    "←": "<",
    "·": "|",
    "━": "=",
    "─": "-",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
}
_SIGNS = "scenario-apply-signs"
_ESCAPES = "scenario-apply-escapes"


def adapt(stream: TextIO) -> None:
    """From now on nothing that is written there fails because of its encoding."""
    if isinstance(stream, io.TextIOWrapper) and not _is_utf(stream.encoding):
        stream.reconfigure(errors=_SIGNS)


def for_people(text: str, encoding: str | None) -> str:
    """The text as far as the encoding has it. None: a stream of texts, which takes all."""
    return text if encoding is None or _is_utf(encoding) else text.encode(encoding, _SIGNS).decode(encoding)


def for_programs(text: str, encoding: str | None) -> str:
    """A JSON text that says the same in any encoding."""
    return text if encoding is None or _is_utf(encoding) else text.encode("ascii", _ESCAPES).decode("ascii")


def for_browsers(page: str, encoding: str | None) -> str:
    """A page of HTML that reads the same in any encoding. It says that it is UTF-8; its style and script are ASCII."""
    if encoding is None or encoding.lower().replace("-", "") == "utf8":
        return page
    return page.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _is_utf(encoding: str) -> bool:
    return encoding.lower().startswith("utf")


def _signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_ASCII.get(character, "?") for character in missing), error.end


def _escapes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2)), error.end


codecs.register_error(_SIGNS, _signs)
codecs.register_error(_ESCAPES, _escapes)
