"""Shared by the readers of caption tables: rows with line numbers, column names, and entries of maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scenario_apply.model.lint_rules import Finding

FILE_COLUMNS = ("file_name", "image_path", "image", "file", "filename", "path")
TEXT_COLUMNS = ("text", "caption", "prompt")

MOST_ROWS = 200_000


class Row(NamedTuple):
    """fields: values by column or key; for maps, file_name and text."""

    line: int
    fields: Mapping[str, str]


class Table(NamedTuple):
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]


class CaptionRow(NamedTuple):
    key: str
    text: str
    line: int


def first_of(fields: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((fields[name] for name in names if name in fields), None)


def too_many_rows(file: str, line: int) -> Finding:
    """The finding for a table longer than MOST_ROWS."""
    return Finding("C18", f"more than {MOST_ROWS:,} rows; the rest is not read", file, line, "split the table")


def map_entry(key: str, entry: object, *, file: str, line: int) -> tuple[dict[str, str] | None, Finding | None]:
    """The fields of a map entry: a caption, a list of captions (the first is used), or a map of caption and tags."""
    finding = None
    if isinstance(entry, list):
        if len(entry) > 1:
            what = f"{key!r} has {len(entry)} captions; the first is used"
            finding = Finding("C07", what, file, line, "keep one of them")
        entry = entry[0] if entry else ""
    if isinstance(entry, dict):
        text = first_of(entry, TEXT_COLUMNS)
        tags = entry.get("tags")
        if text is None and tags is None:
            return None, Finding("C18", f"{key!r} has no caption, text, prompt or tags", file, line)
        parts = [as_text(part) for part in (text, tags) if part is not None and is_scalar(part) and part != ""]
        return {"file_name": key, "text": ", ".join(parts)}, finding
    if not is_scalar(entry):
        return None, Finding("C18", f"the caption of {key!r} is not text", file, line)
    return {"file_name": key, "text": as_text(entry)}, finding


def is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list)


def as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
