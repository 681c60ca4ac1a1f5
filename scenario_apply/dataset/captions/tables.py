"""Parses captions kept in one file: YAML or JSON maps, kohya metadata, JSONL, CSV. Rows keep their line numbers."""

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
_MOST_FINDINGS = 20  # reported for unreadable lines of one table
_STRINGS = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(\s*+:)?', re.DOTALL)


def read_table(text: str, *, file: str) -> Table:
    """Parsed by extension: .yaml .yml .json .jsonl .ndjson .csv .tsv. Problems are C18 findings with their line."""
    table = _read(text, file)
    return _without_surrogates(table, file) if "\\u" in text else table


def _without_surrogates(table: Table, file: str) -> Table:
    """Without rows that hold a lone surrogate, which JSON can write (\\ud83d) and nothing can store or send."""
    rows = []
    findings = list(table.findings)
    for row in table.rows:
        if all(is_unicode(part) for item in row.fields.items() for part in item):
            rows.append(row)
        else:
            what = "contains a lone surrogate: one \\u escape of a pair"
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
    return _failed(file, None, f"captions cannot be read from {ending or 'such'} files", f"use a {known} file")


def caption_rows(table: Table, *, file: str) -> tuple[list[CaptionRow], list[Finding]]:
    """The table's rows as (key, caption). Columns are found by their usual names; a repeated key is C17."""
    rows: list[CaptionRow] = []
    findings = list(table.findings)
    line_of: dict[str, int] = {}
    for row in table.rows:
        key = first_of(row.fields, FILE_COLUMNS)
        text = first_of(row.fields, TEXT_COLUMNS)
        if key is None or text is None:
            subject, columns = ("picture", FILE_COLUMNS) if key is None else ("caption", TEXT_COLUMNS)
            held = ", ".join(list(row.fields)[:6]) or "nothing"
            what = f"no {subject} column; found {held}"
            findings.append(
                Finding("C18", what, file, row.line, f"name it {columns[0]} (also accepted: {', '.join(columns[1:])})")
            )
            if len(findings) > 20:
                break
        elif not key:
            findings.append(
                Finding("C18", "the row names no picture", file, row.line, "add the file name, or delete the row")
            )
        elif key in line_of:
            what = f"{key!r} has two captions: on line {line_of[key]} and here"
            findings.append(Finding("C17", what, file, row.line, "keep one of them"))
        else:
            line_of[key] = row.line
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
            findings.append(Finding("C18", "nested too deeply", file, number, "write one object per line"))
            continue
        except ValueError as error:
            findings.append(Finding("C18", f"not a JSON object: {_why(error)}", file, number, "one object per line"))
            continue
        if not isinstance(value, dict):
            findings.append(Finding("C18", "not a JSON object", file, number, "write one object per line"))
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
            return _failed(file, 1, "the table is empty", f"begin with a header line: {FILE_COLUMNS[0]},text")
        if len(reader.fieldnames) > _MOST_COLUMNS:
            what = f"{len(reader.fieldnames):,} columns; at most {_MOST_COLUMNS} are read"
            return _failed(file, 1, what, f"keep {FILE_COLUMNS[0]} and text")
        for number, fields in enumerate(reader, 1):
            if number > MOST_ROWS:
                findings = [*findings[:_MOST_FINDINGS], too_many_rows(file, reader.line_num)]
                break
            if "" in fields:
                what = "the row has more fields than the header has columns"
                findings.append(Finding("C18", what, file, reader.line_num, 'quote captions with a comma: "..."'))
            else:
                held = {k.strip(): v for k, v in fields.items() if k is not None and v is not None}
                rows.append(Row(reader.line_num, held))
    except csv.Error as error:
        line = getattr(reader.reader, "line_num", None)
        broken = Finding("C18", f"not a CSV table: {error}", file, line, "check the quotes")
        findings = [*findings[:_MOST_FINDINGS], broken]
    return Table(tuple(rows), tuple(findings[: _MOST_FINDINGS + 1]))


def _json(text: str, file: str) -> Table:
    """A map from picture to caption, {caption, tags} of kohya or a list of captions; or a list of objects."""
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
        return _failed(file, 1, "nested too deeply for a captions file")
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        return _failed(file, line, f"not JSON: {_why(error)}", "check the quotes and commas near this line")
    if isinstance(value, dict | list) and len(value) > MOST_ROWS:
        return _failed(file, 1, f"{len(value):,} captions; at most {MOST_ROWS:,} are read", "split the file")
    lines = _KeyLines(text)
    findings = [
        Finding("C17", f"{key!r} appears twice", file, lines.last(key), "keep one of them")
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
        return _failed(file, 1, "a captions file must hold a map from picture to caption")
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
    """The line of each key in a JSON text, found in one pass over its strings."""

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
