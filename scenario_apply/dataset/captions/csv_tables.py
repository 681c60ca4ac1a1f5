"""Parses CSV and TSV as spreadsheets, pandas and people write them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from scenario_apply.dataset.captions.table_entries import (
    FILE_COLUMNS,
    MOST_ROWS,
    Row,
    Table,
    column_name,
    too_many_rows,
)
from scenario_apply.model.file_names import is_image_name
from scenario_apply.model.lint_rules import Finding

_MOST_COLUMNS = 500
_MOST_FINDINGS = 20  # reported for unreadable lines of one table
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\r?\n", re.IGNORECASE)  # written and read by Excel
_BROKEN = "not a CSV table"
_QUOTE_IT = 'quote captions with a comma: "..."'
_CURLY = ("“", "”", "„", "«")
_BLANKS_AFTER_A_QUOTE = re.compile(r'"[ \t]++(?=[,;|\r\n]|\Z)')


def read_csv(text: str, *, file: str) -> Table:
    """Rows by the names in the header line. Columns without a name and empty rows are left out. Problems are C18."""
    start, delimiter = _delimiter(text, file)
    table = _table(text, start, delimiter, file)
    if any(finding.what.startswith(_BROKEN) for finding in table.findings):
        closer = _BLANKS_AFTER_A_QUOTE.sub('"', text)
        if closer != text:
            table = _table(closer, start, delimiter, file)
    return table


def header_of(text: str, file: str) -> tuple[list[str], str]:
    """The names of the columns as they are written, and what separates the fields; no names for what is no table."""
    start, delimiter = _delimiter(text, file)
    try:
        return next(_FilledRows(text, start, delimiter), (1, []))[1], delimiter
    except (csv.Error, TypeError, ValueError):
        return [], delimiter


def _delimiter(text: str, file: str) -> tuple[int, str]:
    """Where the table begins, and what separates its fields."""
    if declared := _SEPARATOR_LINE.match(text):
        return declared.end(), declared[1]
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    if file.lower().endswith(".tsv") and "\t" in first:
        return 0, "\t"
    return 0, max(_DELIMITERS, key=first.count)


def _table(text: str, start: int, delimiter: str, file: str) -> Table:
    try:
        lines = _FilledRows(text, start, delimiter)
    except (TypeError, ValueError):  # sep= with a quote or another sign that separates nothing
        return Table((), (_problem(file, 1, f"fields cannot be separated by {delimiter!r}", "use a comma"),))
    try:
        line, header = next(lines, (1, []))
    except csv.Error as error:
        return Table((), (_broken(error, file, lines.line),))
    wrong = _wrong_header(header, file, line)
    if wrong is not None:
        return Table((), (wrong,))
    rows, findings = _rows(header, lines, file)
    return Table(tuple(rows), tuple(findings[: _MOST_FINDINGS + 1]), line, "tsv" if delimiter == "\t" else "csv")


class _FilledRows:
    """Rows that are not empty, each with the line on which it begins. line: the last one that was read."""

    def __init__(self, text: str, start: int, delimiter: str) -> None:
        lines = io.StringIO(text, newline="")
        lines.seek(start)
        self._before = text.count("\n", 0, start)
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)

    @property
    def line(self) -> int:
        return self._before + self._reader.line_num

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        """Raises csv.Error."""
        while True:
            begins = self.line + 1
            fields = next(self._reader)
            if any(field.strip() for field in fields):
                return begins, fields


def _wrong_header(header: Sequence[str], file: str, line: int) -> Finding | None:
    if not header:
        return _problem(file, 1, "the table is empty", f"begin with a header line: {FILE_COLUMNS[0]},text")
    if len(header) > _MOST_COLUMNS:
        what = f"{len(header):,} columns; at most {_MOST_COLUMNS} are read"
        return _problem(file, line, what, f"keep {FILE_COLUMNS[0]} and text")
    pictures = sum(is_image_name(cell.strip()) for cell in header)
    if pictures:
        names = "before,after,instruction" if pictures > 1 else f"{FILE_COLUMNS[0]},text"
        return _problem(file, line, "this line is no header: it names a picture", f"add {names} above it")
    return None


def _rows(header: Sequence[str], lines: _FilledRows, file: str) -> tuple[list[Row], list[Finding]]:
    names = [column_name(cell) for cell in header]
    width = max((at + 1 for at, name in enumerate(names) if name), default=0)
    counts = Counter(filter(None, names))
    doubled = frozenset(name for name, count in counts.items() if count > 1)
    rows: list[Row] = []
    findings: list[Finding] = []
    try:
        for number, (line, values) in enumerate(lines, 1):
            if number > MOST_ROWS:
                return rows, [*findings[:_MOST_FINDINGS], too_many_rows(file, line)]
            if any(value.strip() for value in values[width:]):
                what = "the row has more fields than the header has columns"
                is_curly = any(sign in value for value in values for sign in _CURLY)
                hint = 'curly quotes quote nothing in a table: write "..."' if is_curly else _QUOTE_IT
                findings.append(_problem(file, line, what, hint))
                continue
            fields: dict[str, str] = {}
            for name, value in zip_longest(names, values[:width], fillvalue=""):
                if name:
                    fields.setdefault(name, value)
            rows.append(Row(line, fields, doubled))
    except csv.Error as error:
        findings = [*findings[:_MOST_FINDINGS], _broken(error, file, lines.line)]
    return rows, findings


def _broken(error: csv.Error, file: str, line: int) -> Finding:
    return _problem(file, line, f"{_BROKEN}: {error}", "check the quotes")


def _problem(file: str, line: int, what: str, hint: str) -> Finding:
    return Finding("C18", what, file, line, hint)
