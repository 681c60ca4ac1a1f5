"""Parses captions kept in one file: YAML or JSON maps, kohya metadata, JSONL, CSV. Rows keep their line numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scenario_apply.dataset.captions.draft_marks import without_draft_mark
from scenario_apply.dataset.captions.table_entries import (
    FILE_COLUMNS,
    TAGS_COLUMN,
    TEXT_COLUMNS,
    CaptionRow,
    Row,
    Table,
    caption_of,
    doubled_finding,
    first_of,
    is_empty,
    two_texts_finding,
)
from scenario_apply.model.file_names import is_unicode
from scenario_apply.model.lint_rules import Finding

_MOST_FINDINGS = 20  # on rows without a picture or a caption
_TABLE_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".yaml", ".yml", ".xml", ".html", ".toml")
_COLUMNS = (*FILE_COLUMNS, *TEXT_COLUMNS, TAGS_COLUMN)


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
    return table._replace(rows=tuple(rows), findings=tuple(findings))


def _read(text: str, file: str) -> Table:
    ending = file[file.rfind(".") :].lower()
    if ending in (".jsonl", ".ndjson", ".parquet"):  # whose rows are read as JSON lines
        from scenario_apply.dataset.captions.json_tables import read_json_lines

        return read_json_lines(text, file=file)
    if ending in (".csv", ".tsv"):
        from scenario_apply.dataset.captions.csv_tables import read_csv

        return read_csv(text, file=file)
    if ending == ".json":
        from scenario_apply.dataset.captions.json_tables import read_json

        return read_json(text, file=file)
    if ending in (".yaml", ".yml"):
        from scenario_apply.dataset.captions.yaml_map import read_yaml_map

        return read_yaml_map(text, file=file)
    if ending == ".txt":
        what = "a text file is not a table: it does not say which line belongs to which image"
        hint = "write one text for each image: a .txt file beside it, or a table with file_name and text"
        return Table((), (Finding("C18", what, file, None, hint),))
    known = ".yaml, .json, .jsonl, .csv or .tsv"
    what = f"captions cannot be read from {ending or 'such'} files"
    return Table((), (Finding("C18", what, file, None, f"use a {known} file"),))


def caption_in_file(text: str, *, file: str) -> tuple[str | None, Sequence[Finding]]:
    """The caption of a file beside its image. A .json file holds a record, a list or a text; others are plain text.

    None, with a C18 finding, when the file holds no caption.
    """
    ending = file[file.rfind(".") :].lower()
    if ending == ".json":
        from scenario_apply.dataset.captions.json_tables import read_json_caption

        return read_json_caption(text, file=file)
    if ending in _TABLE_ENDINGS:
        what = f"a caption beside its image cannot be read from a {ending} file"
        return None, [Finding("C18", what, file, hint="use .txt or .json; a table is named by `captions: ./FILE`")]
    return without_draft_mark(text, file=file)


def caption_rows(table: Table, *, file: str) -> tuple[list[CaptionRow], list[Finding]]:
    """The table's rows as (key, caption). Columns are found by their usual names; a repeated key is C17.

    Rows without any value are left out. What is wrong with the columns of a table is reported once.
    """
    rows: list[CaptionRow] = []
    findings = dict.fromkeys(table.findings)
    line_of: dict[str, int] = {}
    unusable = 0
    has_two_texts = False
    for row in table.rows:
        if is_empty(row.fields):
            continue
        if wrong := _wrong_columns(row, table.header, file):
            findings[wrong] = None
            unusable += 1
            if unusable > _MOST_FINDINGS:
                break
            continue
        if not has_two_texts and (other := two_texts_finding(row.fields, file=file, line=row.line)):
            has_two_texts = True
            findings[other] = None
        key = first_of(row.fields, FILE_COLUMNS) or ""
        if not key.strip():
            what = "the row names no picture"
            findings[Finding("C18", what, file, row.line, "add the file name, or delete the row")] = None
        elif key in line_of:
            what = f"{key!r} has two captions: on line {line_of[key]} and here"
            findings[Finding("C17", what, file, row.line, "keep one of them")] = None
        else:
            line_of[key] = row.line
            rows.append(CaptionRow(key, caption_of(row.fields) or "", row.line))
    return rows, list(findings)


def _wrong_columns(row: Row, header: int | None, file: str) -> Finding | None:
    doubled = doubled_finding(row, _COLUMNS, file=file, header=header)
    if doubled is not None:
        return doubled
    has_picture = _has(row, FILE_COLUMNS)
    if has_picture and _has(row, (*TEXT_COLUMNS, TAGS_COLUMN)):
        return None
    subject, columns = ("caption", TEXT_COLUMNS) if has_picture else ("picture", FILE_COLUMNS)
    held = ", ".join([name for name in row.fields if name][:6]) or "nothing"
    what = f"no {subject} column; found {held}"
    hint = f"name it {columns[0]} (also accepted: {', '.join(columns[1:])})"
    return Finding("C18", what, file, row.line if header is None else header, hint)


def _has(row: Row, names: Iterable[str]) -> bool:
    return any(name in row.fields for name in names)
