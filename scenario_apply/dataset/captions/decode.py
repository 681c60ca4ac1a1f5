"""Decodes caption files: strict UTF-8, or the dataset's `encoding`; a byte order mark overrides both."""

from __future__ import annotations

import codecs

from scenario_apply.model.lint_rules import Finding


def decode(data: bytes, *, file: str, encoding: str) -> str | Finding:
    """The text without its byte order mark; a C06 finding when the bytes are not in that encoding."""
    if data.startswith(codecs.BOM_UTF8):
        data, encoding = data[3:], "utf-8"
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        text = data.decode(encoding)
    except LookupError:
        return Finding("C06", f"unknown encoding {encoding!r}", hint="write `encoding: utf-8` or `encoding: cp1252`")
    except UnicodeDecodeError as error:
        return _undecodable(data, error, file=file, encoding=encoding)
    if "\0" in text:
        return Finding("C06", "contains NUL bytes: it is not a text file", file, hint="save it as UTF-8 text")
    return text


def _undecodable(data: bytes, error: UnicodeDecodeError, *, file: str, encoding: str) -> Finding:
    line = data.count(b"\n", 0, error.start) + 1
    byte = data[error.start]
    what = f"byte 0x{byte:02x} at offset {error.start} is not valid {encoding.upper()}"
    hint = "save the file as UTF-8"
    if encoding.replace("-", "").lower() == "utf8":
        hint += ", or write `encoding: cp1252` in the dataset (Windows text)"
    return Finding("C06", what, file, line, hint)
