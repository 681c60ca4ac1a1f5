"""Decodes caption files: UTF-8, or the dataset's `encoding`; a byte order mark overrides both.

A file that is valid UTF-8 is UTF-8 whatever the dataset says: one file in an older encoding must not spoil the others.
"""

from __future__ import annotations

import codecs
import re

from scenario_apply.model.git_content import conflict_line, is_pointer
from scenario_apply.model.lint_rules import Finding

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-16", "utf-32")
_SAMPLE_BYTES = 4096  # looked at to recognise UTF-16 without a byte order mark
_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_BLOCKS = 4
_NUL = "contains NUL bytes: it is not a text file"
# A character of two bytes in these encodings can look like one character of UTF-8 below _FIRST_OF_THREE_BYTES.
_TWO_BYTES = ("gb", "big5", "euc", "shift", "cp932", "cp949", "cp950", "johab", "iso2022", "hz")
_FIRST_OF_THREE_BYTES = "\u0800"
_ASCII_LETTER = re.compile(r"[A-Za-z]")


def decode(data: bytes, *, file: str, encoding: str) -> str | Finding:
    """The text without its byte order mark. encoding: of the dataset; files in UTF-8 or with a mark do not need it.

    A C06 finding when the bytes are not text in that encoding; C18 for what Git left instead of a caption.
    """
    if is_pointer(data):
        what = "is a Git LFS pointer, not the text itself"
        return Finding("C18", what, file, hint="run `git lfs pull`, or `git lfs checkout`")
    text = _decoded(data, file, encoding)
    if isinstance(text, Finding):
        return text
    line = conflict_line(text)
    if line is not None:
        what = "contains conflict markers of a Git merge"
        return Finding(
            "C18", what, file, line, "keep one version and delete the lines with <<<<<<<, ======= and >>>>>>>"
        )
    return text


def _decoded(data: bytes, file: str, encoding: str) -> str | Finding:
    name = _name_of(encoding)
    if name is None:
        return Finding("C06", f"unknown encoding {encoding!r}", hint="write `encoding: utf-8` or `encoding: cp1252`")
    marked = next((own for mark, own in _MARKS if data.startswith(mark)), None)
    try:
        if marked is not None:
            text = data.decode(marked)
        else:
            text = _without_mark(data, name)
    except UnicodeDecodeError as error:
        return _undecodable(data, error, file=file, encoding=marked or name, is_marked=marked is not None)
    except UnicodeError:  # of codecs that give no position
        return Finding("C06", f"is not valid {encoding.upper()}", file, hint="save the file as UTF-8")
    if "\0" in text:
        return Finding("C06", _NUL, file, hint="save it as UTF-8 text")
    return text.lstrip("\ufeff")


def _name_of(encoding: str) -> str | None:
    """Python's own name of the encoding; None when it has none that decodes bytes to text."""
    try:
        b"a".decode(encoding)  # the name of a codec such as rot13 is known, too
    except UnicodeError:
        pass
    except (LookupError, ValueError):
        return None
    return codecs.lookup(encoding).name


def _without_mark(data: bytes, encoding: str) -> str:
    """Raises UnicodeError."""
    order = _byte_order(data[:_SAMPLE_BYTES]) if b"\0" in data else None
    if order is not None and not encoding.startswith("utf-32"):
        return data.decode(order)
    if encoding in ("utf-8", "ascii"):
        return data.decode("utf-8")
    if data.isascii() and not encoding.startswith(_WIDE):
        return data.decode(encoding)  # some encodings write other letters with these bytes
    text = _as_utf_8(data, encoding)
    if text is not None:
        return text
    if encoding.startswith(_WIDE):
        return data.decode(encoding)
    try:
        return "".join([_as_utf_8(line, encoding) or line.decode(encoding) for line in data.splitlines(keepends=True)])
    except UnicodeError:
        return data.decode(encoding)  # reports the place in the file


def _byte_order(sample: bytes) -> str | None:
    """utf-16-le or utf-16-be for a sample of such text; None for other bytes.

    The first byte of a character names its block: 0 for Latin letters and blanks, and few others in one text.
    """
    for high, low, name in ((sample[1::2], sample[::2], "utf-16-le"), (sample[::2], sample[1::2], "utf-16-be")):
        if not low.count(0) and 8 * high.count(0) >= len(high) and len(set(high)) <= _MOST_BLOCKS:
            has_signs = _NOT_TEXT.search(sample.decode(name, errors="replace"))
            return None if has_signs else name
    return None


def _as_utf_8(data: bytes, encoding: str) -> str | None:
    """The text, if it is UTF-8 beyond doubt."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if encoding.startswith(_WIDE):
        return None if _NOT_TEXT.search(text) else text
    is_certain = not encoding.startswith(_TWO_BYTES) or max(text) >= _FIRST_OF_THREE_BYTES
    return text if is_certain or _ASCII_LETTER.search(text) is not None else None


def _undecodable(data: bytes, error: UnicodeDecodeError, *, file: str, encoding: str, is_marked: bool) -> Finding:
    if b"\0" in data and not is_marked:
        return Finding("C06", _NUL, file, hint="save it as UTF-8 text")
    line = data.count(b"\n", 0, error.start) + 1
    byte = data[error.start]
    what = f"byte 0x{byte:02x} at offset {error.start} is not valid {encoding.upper()}"
    hint = "save the file as UTF-8"
    if encoding == "utf-8" and not is_marked and _is_mostly_ascii(data):
        hint += ", or write `encoding: cp1252` in the dataset (Windows text); files in UTF-8 are still read as UTF-8"
    elif encoding == "utf-8" and not is_marked:
        hint += ", or name its encoding in the dataset, as in `encoding: shift_jis` (also gbk, cp1251, big5 ...)"
    return Finding("C06", what, file, line, hint)


def _is_mostly_ascii(data: bytes) -> bool:
    """Whether text is Latin with a few signs of its own, as it is in Windows' Western encoding."""
    return 4 * sum(byte > 127 for byte in data) <= len(data)
