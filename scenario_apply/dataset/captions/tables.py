"""Captions kept in one file: YAML or JSON maps, kohya metadata, JSONL, CSV. Text in, rows with their lines out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from scenario_apply.dataset.captions.table_entries import (
    FILE_COLUMNS,
    MOST_ROWS,
    TEXT_COLUMNS,
    CaptionRow,
    Row,
    Table,
    as_text,
    first_of,
    is_scalar,
    map_entry,
    too_many_rows,
)
from scenario_apply.model.file_names import is_unicode
from scenario_apply.model.lint_rules import Finding

_MOST_COLUMNS = 500
_MOST_FINDINGS = 20  # of lines that cannot be read
_STRINGS = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(\s*+:)?', re.DOTALL)


def read_table(text: str, *, file: str) -> Table:
    """By the file's ending: .yaml .yml .json .jsonl .ndjson .csv .tsv. Problems are C18 findings at their line."""
    table = _read(text, file)
    return _without_halves(table, file) if "\\u" in text else table


def _without_halves(table: Table, file: str) -> Table:
    """JSON can spell half of a character, \\ud83d alone, which nothing can store or send."""
    rows = []
    findings = list(table.findings)
    for row in table.rows:
        if all(is_unicode(part) for item in row.fields.items() for part in item):
            rows.append(row)
        else:
            what = "holds half a character: one \\u of a pair"
            findings.append(Finding("C18", what, file, row.line, "write the character itself"))
    return Table(tuple(rows), tuple(findings))


def _read(text: str, file: str) -> Table:
    ending = file[file.rfind(".") :].lower()
    if ending in (".jsonl", ".ndjson"):
        return _jsonl(text, file)
    if ending in (".csv", ".tsv"):
        return _csv(text, file)
    if ending == ".json":
        return _json(text, file)
    if ending in (".yaml", ".yml"):
        from scenario_apply.dataset.captions.yaml_map import read_yaml_map

        return read_yaml_map(text, file=file)
    known = ".yaml, .json, .jsonl, .csv or .tsv"
    return _failed(file, None, f"captions are not read from {ending or 'such'} files", f"name a {known} file")


def caption_rows(table: Table, *, file: str) -> tuple[list[CaptionRow], list[Finding]]:
    """The table's rows as (key, caption): columns by their usual names, each key once."""
    rows: list[CaptionRow] = []
    findings = list(table.findings)
    seen: dict[str, int] = {}
    for row in table.rows:
        key = first_of(row.fields, FILE_COLUMNS)
        text = first_of(row.fields, TEXT_COLUMNS)
        if key is None or text is None:
            wanted, columns = ("the picture", FILE_COLUMNS) if key is None else ("the caption", TEXT_COLUMNS)
            held = ", ".join(list(row.fields)[:6]) or "nothing"
            what = f"no column names {wanted}: found {held}"
            findings.append(
                Finding("C18", what, file, row.line, f"name it {columns[0]} (also read: {', '.join(columns[1:])})")
            )
            if len(findings) > 20:
                break
        elif not key:
            findings.append(
                Finding("C18", "the line names no picture", file, row.line, "fill it in or delete the line")
            )
        elif key in seen:
            what = f"{key!r} has two captions: on line {seen[key]} and here"
            findings.append(Finding("C17", what, file, row.line, "keep one of them"))
        else:
            seen[key] = row.line
            tags = row.fields.get("tags")
            rows.append(CaptionRow(key, f"{text}, {tags}" if tags and tags != text else text, row.line))
    return rows, findings


def _failed(file: str, line: int | None, what: str, hint: str | None = None) -> Table:
    return Table((), (Finding("C18", what, file, line, hint),))


def _jsonl(text: str, file: str) -> Table:
    rows: list[Row] = []
    findings: list[Finding] = []
    for number, line in enumerate(_lines(text), 1):
        if number > MOST_ROWS:
            findings = [*findings[:_MOST_FINDINGS], too_many_rows(file, number)]
            break
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        except RecursionError:
            findings.append(Finding("C18", "nested too deep for a captions file", file, number, "one object a line"))
            continue
        except ValueError as error:
            findings.append(Finding("C18", f"not a JSON object: {_why(error)}", file, number, "one object a line"))
            continue
        if not isinstance(value, dict):
            findings.append(Finding("C18", "not a JSON object", file, number, "one object a line"))
            continue
        rows.append(Row(number, {str(k): as_text(v) for k, v in value.items() if is_scalar(v)}))
    return Table(tuple(rows), tuple(findings[: _MOST_FINDINGS + 1]))


def _lines(text: str) -> Iterator[str]:
    import io

    return iter(io.StringIO(text, newline=None))


def _csv(text: str, file: str) -> Table:
    import csv
    import io

    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count) if file.lower().endswith(".csv") else "\t"
    rows: list[Row] = []
    findings: list[Finding] = []
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, restkey="", restval=None)
    try:
        if not reader.fieldnames:
            return _failed(file, 1, "the table is empty", f"start it with a header line: {FILE_COLUMNS[0]},text")
        if len(reader.fieldnames) > _MOST_COLUMNS:
            what = f"{len(reader.fieldnames):,} columns; at most {_MOST_COLUMNS} are read"
            return _failed(file, 1, what, f"keep {FILE_COLUMNS[0]} and text")
        for number, fields in enumerate(reader, 1):
            if number > MOST_ROWS:
                findings = [*findings[:_MOST_FINDINGS], too_many_rows(file, reader.line_num)]
                break
            if "" in fields:
                what = "more fields than the header has columns"
                findings.append(Finding("C18", what, file, reader.line_num, 'quote captions that hold a comma: "..."'))
            else:
                held = {k.strip(): v for k, v in fields.items() if k is not None and v is not None}
                rows.append(Row(reader.line_num, held))
    except csv.Error as error:
        line = getattr(reader.reader, "line_num", None)
        broken = Finding("C18", f"not a CSV table: {error}", file, line, "check the quotes")
        findings = [*findings[:_MOST_FINDINGS], broken]
    return Table(tuple(rows), tuple(findings[: _MOST_FINDINGS + 1]))


def _json(text: str, file: str) -> Table:
    """A map of picture to caption, kohya's {caption, tags}, lists of captions, or a list of objects."""
    duplicates: list[str] = []

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        held: dict[str, object] = {}
        for key, value in pairs:
            if key in held:
                duplicates.append(key)
            held[key] = value
        return held

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_float=str, parse_int=str, parse_constant=str)
    except RecursionError:
        return _failed(file, 1, "nested too deep for a captions file")
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        return _failed(file, line, f"not JSON: {_why(error)}", "check quotes and commas near there")
    if isinstance(value, dict | list) and len(value) > MOST_ROWS:
        return _failed(file, 1, f"{len(value):,} captions; at most {MOST_ROWS:,} are read", "split the file")
    lines = _KeyLines(text)
    findings = [
        Finding("C17", f"{key!r} stands there twice", file, lines.last(key), "keep one of them")
        for key in dict.fromkeys(duplicates)
    ]
    if isinstance(value, list):
        rows = [
            Row(1, {str(k): as_text(v) for k, v in item.items() if is_scalar(v)})
            for item in value
            if isinstance(item, dict)
        ]
        return Table(tuple(rows), tuple(findings))
    if not isinstance(value, dict):
        return _failed(file, 1, "a captions file holds a map: picture to caption")
    rows = []
    for key, entry in value.items():
        line = lines.first(key)
        fields, finding = map_entry(key, entry, file=file, line=line)
        if finding is not None:
            findings.append(finding)
        if fields is not None:
            rows.append(Row(line, fields))
    return Table(tuple(rows), tuple(findings))


class _KeyLines:
    """The line of each key of a JSON text, found in one pass over its strings."""

    def __init__(self, text: str) -> None:
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        line, counted = 1, 0
        for string in _STRINGS.finditer(text):
            if string[2] is None:
                continue
            line += text.count("\n", counted, string.start())
            counted = string.start()
            key = json.loads(f'"{string[1]}"') if "\\" in string[1] else string[1]
            self._first.setdefault(key, line)
            self._last[key] = line

    def first(self, key: str) -> int:
        return self._first.get(key, 1)

    def last(self, key: str) -> int:
        return self._last.get(key, 1)


def _why(error: Exception) -> str:
    return str(getattr(error, "msg", error)) or type(error).__name__
