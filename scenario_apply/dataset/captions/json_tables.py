"""Parses JSON and JSON Lines: maps from picture to caption, kohya metadata, lists of records, one record a line."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping

from scenario_apply.dataset.captions.pair_columns import names_a_picture
from scenario_apply.dataset.captions.table_entries import (
    MOST_ROWS,
    Row,
    Table,
    column_name,
    map_entry,
    record,
    too_many_rows,
)
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

_MOST_FINDINGS = 20  # reported for unreadable lines of one table
_STRINGS = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"(\s*+:)?', re.DOTALL)
_NOT_BLANK = re.compile(r"[^ \t\n\r]")


class _Json:
    """Reads JSON text: numbers stay text, and keys that appear twice are kept in doubled."""

    def __init__(self) -> None:
        self.doubled: list[str] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._unique, parse_float=str, parse_int=str, parse_constant=str
        )

    def _unique(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        held: dict[str, object] = {}
        for key, value in pairs:
            if key in held:
                self.doubled.append(key)
            held[key] = value
        return held

    def value(self, text: str) -> object:
        """Raises ValueError or RecursionError."""
        return self._decoder.decode(text)

    def items(self, text: str, start: int) -> Iterator[tuple[int, object]]:
        """The items of a sound list that begins at start, each with its place."""
        while (found := _NOT_BLANK.search(text, start + 1)) and found[0] != "]":
            value, end = self._decoder.raw_decode(text, found.start())
            yield found.start(), value
            following = _NOT_BLANK.search(text, end)
            if following is None or following[0] != ",":
                return
            start = following.start()


def read_json_lines(text: str, *, file: str) -> Table:
    """One record a line; or a list of records, which some tools write under this name."""
    first = _NOT_BLANK.search(text)
    if first is not None and first[0] == "[":
        table = read_json(text, file=file)
        if table.rows or not text[first.start() :].rstrip().count("\n"):
            return table
    return _lines(text, file)


def _lines(text: str, file: str) -> Table:
    source = _Json()
    rows: list[Row] = []
    findings: list[Finding] = []
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if number > MOST_ROWS:
            findings = [*findings[:_MOST_FINDINGS], too_many_rows(file, number)]
            break
        if not line.strip():
            continue
        source.doubled.clear()
        try:
            value = source.value(line)
        except RecursionError:
            findings.append(Finding("C18", "nested too deeply", file, number, "write one object per line"))
            continue
        except ValueError as error:
            findings.append(Finding("C18", f"not a JSON object: {_why(error)}", file, number, "one object per line"))
            continue
        if not isinstance(value, dict):
            findings.append(Finding("C18", "not a JSON object", file, number, "write one object per line"))
            continue
        row, more = record(value, file=file, line=number)
        rows.append(row._replace(doubled=row.doubled.union(map(column_name, source.doubled))))
        findings += more
    form = "trainer-jsonl" if rows and "image_path" in rows[0].fields else "jsonl"
    return Table(tuple(rows), tuple(findings[: _MOST_FINDINGS + 1]), form=form)


def read_json(text: str, *, file: str) -> Table:
    """A map from picture to caption, {caption, tags} of kohya or a list of captions; or a list of records."""
    source = _Json()
    try:
        value = source.value(text)
    except RecursionError:
        return _failed(file, 1, "nested too deeply for a captions file")
    except ValueError as error:
        if getattr(error, "msg", "") == "Extra data" and text.lstrip().startswith("{"):
            lines = _lines(text, file)
            if lines.rows:
                return lines
        line = getattr(error, "lineno", 1)
        return _failed(file, line, f"not JSON: {_why(error)}", "check the quotes and commas near this line")
    if isinstance(value, dict | list) and len(value) > MOST_ROWS:
        return _failed(file, 1, f"{len(value):,} captions; at most {MOST_ROWS:,} are read", "split the file")
    places = _KeyLines(text)
    findings = [
        Finding("C17", f"{key!r} appears twice", file, places.last(key), "keep one of them")
        for key in dict.fromkeys(source.doubled)
    ]
    if isinstance(value, list):
        rows, more = _records(text, file)
    elif isinstance(value, dict):
        rows, more = _entries(value, places, file)
    else:
        return _failed(file, 1, "a captions file must hold a map from picture to caption")
    return Table(tuple(rows), (*findings, *more[:_MOST_FINDINGS]), form=_form_of(value))


def _form_of(value: Mapping[str, object] | list[object]) -> str:
    """Whose file it is, by the values: kohya's metadata have tags, those of ai-toolkit a short caption."""
    if isinstance(value, list):
        return "records"
    entry = next((entry for entry in value.values() if entry), None)
    if isinstance(entry, list):
        return "records" if all(map(names_a_picture, entry)) else "caption-lists"
    if isinstance(entry, dict):
        return "ai-toolkit" if "caption_short" in entry else "kohya"
    return "captions-map"


def _records(text: str, file: str) -> tuple[list[Row], list[Finding]]:
    rows: list[Row] = []
    findings: list[Finding] = []
    line, counted = 1, 0
    for start, value in _Json().items(text, text.index("[")):
        line += text.count("\n", counted, start)
        counted = start
        if isinstance(value, dict):
            row, more = record(value, file=file, line=line)
            rows.append(row)
            findings += more
        else:
            what = "this entry of the list is not an object"
            findings.append(Finding("C18", what, file, line, 'write {"file_name": "...", "text": "..."}'))
    return rows, findings


def _entries(value: Mapping[str, object], places: _KeyLines, file: str) -> tuple[list[Row], list[Finding]]:
    rows: list[Row] = []
    findings: list[Finding] = []
    for key, entry in value.items():
        line = places.first(key)
        if isinstance(entry, list) and entry and all(map(names_a_picture, entry)):
            for item in entry:
                row, more = record(item, file=file, line=line)
                rows.append(row)
                findings += more
            continue
        entry_row, more = map_entry(key, entry, file=file, line=line)
        findings += more
        if entry_row is not None:
            rows.append(entry_row)
    return rows, findings


def read_json_caption(text: str, *, file: str) -> tuple[str | None, list[Finding]]:
    """The caption in a .json file of one image: {caption, tags}, a list of captions, or one text.

    None, with a C18 finding, when it holds none.
    """
    source = _Json()
    try:
        value = source.value(text)
    except RecursionError:
        return None, [Finding("C18", "nested too deeply for a caption", file)]
    except ValueError as error:
        line = getattr(error, "lineno", None)
        return None, [Finding("C18", f"not JSON: {_why(error)}", file, line, "check the quotes and commas")]
    name = name_of(file)
    row, findings = map_entry(name, value, file=file, line=1)
    twice = [f"{key!r} appears twice" for key in dict.fromkeys(source.doubled)]
    findings += [Finding("C17", what, file, 1, "keep one of them") for what in twice]
    return (None if row is None else row.fields["text"]), findings


def _failed(file: str, line: int | None, what: str, hint: str | None = None) -> Table:
    return Table((), (Finding("C18", what, file, line, hint),))


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
