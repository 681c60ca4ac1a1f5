"""Shared by the readers of caption tables: rows with line numbers, column names, and records of JSON and YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeGuard

from scenario_apply.model.file_names import is_image_name
from scenario_apply.model.lint_rules import Finding

FILE_COLUMNS = ("file_name", "image_path", "image", "file", "filename", "path")
TEXT_COLUMNS = ("text", "caption", "prompt")
TAGS_COLUMN = "tags"

MOST_ROWS = 200_000

_INSTRUCTION_COLUMNS = ("instruction", "edit_prompt")  # of edit pairs
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BLANKS = re.compile(r"[\s_-]+")
_JOINED_NAMES = {"imagepath": "image_path"}
_LIST_IN_PYTHON = re.compile(r"""\[\s*(?:'[^'"\\]*'\s*(?:,\s*'[^'"\\]*'\s*)*,?\s*)?\]""")
_LONGEST_LIST = 20_000  # characters
_MOST_PICTURES = 20  # in a list


class Row(NamedTuple):
    """fields: values by column_name(); for maps, file_name and text. doubled: columns that the row has twice."""

    line: int
    fields: Mapping[str, str]
    doubled: frozenset[str] = frozenset()


class Table(NamedTuple):
    """header: the line that names the columns; None: each row names its own. form: a code of conventions.py."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    header: int | None = None
    form: str = "table"


class CaptionRow(NamedTuple):
    key: str
    text: str
    line: int


def column_name(written: str) -> str:
    """The name by which columns are compared: File Name, fileName and FILE_NAME are file_name."""
    name = written.strip("\ufeff \t")
    if not (name.isascii() and name.islower() and "-" not in name and " " not in name):
        name = _BLANKS.sub("_", _CAMEL.sub("_", name).casefold())
    return _JOINED_NAMES.get(name, name)


def first_of(fields: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The value of the first column of names that is not blank; "" when all are blank, None when there is none."""
    held = [fields[name] for name in names if name in fields]
    return next((value for value in held if value.strip()), held[0] if held else None)


def is_empty(fields: Mapping[str, str]) -> bool:
    return not any(value.strip() for value in fields.values())


def doubled_finding(row: Row, names: Iterable[str], *, file: str | None, header: int | None) -> Finding | None:
    """C18 for a column that is read and given twice."""
    twice = next((name for name in names if name in row.doubled), None)
    if twice is None:
        return None
    line = row.line if header is None else header
    return Finding("C18", f"the column {twice} is given twice", file, line, "keep one of them, or rename one")


def too_many_rows(file: str, line: int) -> Finding:
    """The finding for a table longer than MOST_ROWS."""
    return Finding("C18", f"more than {MOST_ROWS:,} rows; the rest is not read", file, line, "split the table")


def record(value: Mapping[str, object], *, file: str, line: int) -> tuple[Row, list[Finding]]:
    """The row of a JSON object or YAML map: lists of captions, tags and pictures become text, others fall away.

    C07 for several captions, of which the first is used; C18 for a caption or tags that are neither text nor a list.
    """
    fields: dict[str, str] = {}
    doubled = set()
    findings = []
    for written, held in value.items():
        name = column_name(str(written))
        if name in fields:
            doubled.add(name)
            continue
        finding = None
        if is_scalar(held):
            fields[name] = tags_text(held) if name == TAGS_COLUMN else as_text(held)
        elif name == TAGS_COLUMN and _is_list_of_text(held):
            fields[name] = tags_text(held)
        elif name in TEXT_COLUMNS or name in _INSTRUCTION_COLUMNS:
            fields[name], finding = _first_caption(held, f"{name} has", file=file, line=line)
        elif name not in FILE_COLUMNS and _is_list_of_pictures(held):
            for number, picture in enumerate(held):
                fields.setdefault(f"{name}_{number}" if number else name, str(picture))
        elif name == TAGS_COLUMN:
            finding = Finding("C18", f"{name} is neither text nor a list", file, line, 'write "tag, tag"')
        if finding is not None:
            findings.append(finding)
    return Row(line, fields, frozenset(doubled)), findings


def _first_caption(held: object, subject: str, *, file: str, line: int) -> tuple[str, Finding | None]:
    if not _is_list_of_text(held):
        what = f"{subject} a value that is neither text nor a list of texts"
        return "", Finding("C18", what, file, line, "write one text")
    assert isinstance(held, list)
    finding = None
    if len(held) > 1:
        what = f"{subject} {len(held)} captions; the first is used"
        finding = Finding("C07", what, file, line, "keep one of them")
    return as_text(held[0]) if held else "", finding


def _is_list_of_pictures(value: object) -> TypeGuard[list[object]]:
    """Control pictures of an edit pair. The second of control is control_1, as trainers call it."""
    return isinstance(value, list) and 0 < len(value) <= _MOST_PICTURES and all(map(is_image_name, map(str, value)))


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(is_scalar(item) for item in value)


def map_entry(key: str, entry: object, *, file: str, line: int) -> tuple[Row | None, list[Finding]]:
    """The row of a map entry: a caption, a list of captions (the first is used), or a map of caption and tags."""
    findings: list[Finding] = []
    if isinstance(entry, list):
        if len(entry) > 1:
            what = f"{key!r} has {len(entry)} captions; the first is used"
            findings.append(Finding("C07", what, file, line, "keep one of them"))
        entry = entry[0] if entry else ""
    if isinstance(entry, Mapping):
        row, more = record(entry, file=file, line=line)
        findings += more
        doubled = doubled_finding(row, (*TEXT_COLUMNS, TAGS_COLUMN), file=file, header=None)
        text = caption_of(row.fields)
        if doubled is not None:
            return None, [*findings, doubled]
        if text is None:
            if not more:
                findings.append(Finding("C18", f"{key!r} has no caption, text, prompt or tags", file, line))
            return None, findings
        if other := _other_text(row.fields):
            findings.append(_two_texts(*other, file=file, line=line))
        return Row(line, {"file_name": key, "text": text}), findings
    if not is_scalar(entry):
        return None, [*findings, Finding("C18", f"the caption of {key!r} is not text", file, line)]
    return Row(line, {"file_name": key, "text": as_text(entry)}), findings


def caption_of(fields: Mapping[str, str]) -> str | None:
    """Caption and tags, joined; None when the row has a column for neither."""
    text, tags = first_of(fields, TEXT_COLUMNS), fields.get(TAGS_COLUMN)
    if tags is not None:
        tags = tags_text(tags)
    if text is None or not text.strip():
        return text if tags is None else tags
    return f"{text}, {tags}" if tags and tags != text else text


def two_texts_finding(fields: Mapping[str, str], *, file: str, line: int) -> Finding | None:
    """C17, a warning, for a row whose columns hold different captions."""
    other = _other_text(fields)
    return None if other is None else _two_texts(*other, file=file, line=line)


def _other_text(fields: Mapping[str, str]) -> tuple[str, str] | None:
    """The column that is used and another one with another caption."""
    filled = [name for name in TEXT_COLUMNS if fields.get(name, "").strip()]
    other = next((name for name in filled[1:] if fields[name].strip() != fields[filled[0]].strip()), None)
    return None if other is None else (filled[0], other)


def _two_texts(used: str, other: str, *, file: str, line: int) -> Finding:
    what = f"the columns {used} and {other} hold different captions; {used} is used"
    return Finding("C17", what, file, line, "delete the column that is not meant", "warning")


def tags_text(value: object) -> str:
    """Tags as one text: a list, or a list as JSON or Python writes it, is joined with commas."""
    if isinstance(value, str):
        items = _listed(value)
        if items is None:
            return value
        value = items
    if isinstance(value, list):
        return ", ".join(text for item in value if (text := as_text(item).strip(" ,")))
    return as_text(value)


def _listed(text: str) -> list[object] | None:
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith("]")) or len(stripped) > _LONGEST_LIST:
        return None
    if _LIST_IN_PYTHON.fullmatch(stripped):
        stripped = stripped.replace("'", '"').replace(",]", "]")
    try:
        value = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    return value if _is_list_of_text(value) else None


def is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list)


def as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
