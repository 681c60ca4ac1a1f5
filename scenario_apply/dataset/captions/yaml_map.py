"""Parses a captions map in YAML: every scalar is text, repeated keys and unquoted captions are reported."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from scenario_apply.dataset.captions.pair_columns import names_a_picture
from scenario_apply.dataset.captions.table_entries import (
    MOST_ROWS,
    TEXT_COLUMNS,
    Row,
    Table,
    map_entry,
    record,
    too_many_rows,
)
from scenario_apply.manifest.yaml.plain_text import cut_message, is_curly_quoted, lost_at_hash
from scenario_apply.model.lint_rules import Finding

if TYPE_CHECKING:
    import yaml

_KEY_AND_TEXT = re.compile(r"""\s*(?:-\s+)?(?P<key>"[^"]*"|'[^']*'|[^:#]+?)\s*:\s+(?P<text>\S.*)""")

_STRAIGHT_QUOTES = "write \"...\" or '...'; around curly quotes that belong to the caption, too"
_LONGEST_SHOWN = 400  # characters of a line that is repeated in a hint


def read_yaml_map(text: str, *, file: str) -> Table:
    """Rows of file_name and text, of a map or a list of records. A syntax error or an alias is one C18 and no rows."""
    import yaml

    try:
        return _table(text, file)
    except yaml.MarkedYAMLError as error:
        return Table((), (_explain(error, text, file),))
    except yaml.YAMLError as error:
        return Table((), (Finding("C18", f"not YAML: {str(error).splitlines()[0]}", file, 1),))


def _table(text: str, file: str) -> Table:
    """Raises yaml.YAMLError."""
    import yaml

    from scenario_apply.manifest.yaml.syntax_errors import end_of_scanned

    try:
        return _Reader(file, text).read(_events(text))
    except yaml.YAMLError as error:
        end = end_of_scanned(error)
        if end is None:
            raise
        return _Reader(file, text[:end]).read(_events(text[:end]))


def _events(text: str) -> Iterator[yaml.Event]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML was built with it
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)
    return events


def _explain(error: yaml.MarkedYAMLError, text: str, file: str) -> Finding:
    """Most syntax errors in captions files are captions that need quotes; the hint shows the quoted line."""
    from scenario_apply.manifest.yaml.syntax_errors import mistake_of

    mistake = mistake_of(error, text)
    lines = text.splitlines()
    shown = lines[mistake.line] if lines else ""
    hint = mistake.hint
    match = _KEY_AND_TEXT.match(shown) if len(shown) <= _LONGEST_SHOWN else None
    if match and any(part in (hint or "") for part in ("in quotes", "quotes above", "a line of its own")):
        caption = match["text"]
        if caption[0] == "'":
            hint = "write '' for a ' inside single quotes"
        elif any(sign.isalnum() for sign in caption):  # not for a bracket alone
            doubled = caption.replace("'", "''")
            hint = f"quote this caption: {match['key']}: '{doubled}'"
    return Finding("C18", f"not YAML: {mistake.what}", file, mistake.line + 1, hint)


class _Refused(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


class _Reader:
    """Builds the map from parser events, so that every scalar stays text."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._findings: list[Finding] = []
        self._is_cut = False

    def read(self, events: Iterator[object]) -> Table:
        import yaml

        rows: list[Row] = []
        form = "captions-map"
        try:
            for event in events:
                if isinstance(event, yaml.MappingStartEvent):
                    rows = list(self._top(events))
                    break
                if isinstance(event, yaml.SequenceStartEvent):
                    form, rows = "records", list(self._records(events))
                    break
                if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                    raise _Refused(self._wrong(event, "a captions file must hold a map from picture to caption"))
        except _Refused as refused:
            return Table(tuple(rows), (*self._findings, refused.finding), form=form)
        if not self._is_cut:
            self._read_to_the_end(events)
        return Table(tuple(rows), tuple(self._findings), form=form)

    def _records(self, events: Iterator[object]) -> Iterator[Row]:
        """The rows of a list of maps with file_name and text."""
        import yaml

        for count, event in enumerate(events, 1):
            if isinstance(event, yaml.SequenceEndEvent):
                return
            line = _line(event)
            if count > MOST_ROWS:
                self._findings.append(too_many_rows(self._file, line))
                self._is_cut = True
                return
            entry = self._value(event, events)
            if not isinstance(entry, dict):
                wrong = self._wrong(event, "a list of captions must hold maps with file_name and text")
                raise _Refused(wrong._replace(hint="or write a map from picture to caption"))
            row, findings = record(entry, file=self._file, line=line)
            self._findings += findings
            yield row

    def _read_to_the_end(self, events: Iterator[object]) -> None:
        """Finds syntax errors further down, and further documents."""
        import yaml

        begins = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                begins = event
            elif begins is not None and not isinstance(event, yaml.DocumentEndEvent | yaml.StreamEndEvent):
                if not isinstance(event, yaml.ScalarEvent) or event.value:
                    what = "a second YAML document begins here, and only the first is read"
                    wrong = self._wrong(begins, what)
                    self._findings.append(wrong._replace(hint="remove the line ---, or make it a second file"))
                begins = None

    def _top(self, events: Iterator[object]) -> Iterator[Row]:
        import yaml

        line_of: dict[str, int] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused(self._wrong(event, "a picture's name must be text; quote it"))
            key, line = event.value, _line(event)
            if len(line_of) >= MOST_ROWS:
                self._findings.append(too_many_rows(self._file, line))
                self._is_cut = True
                return
            value_event = next(events)
            entry = self._value(value_event, events)
            if key in line_of:
                what = f"{key!r} has two captions: on line {line_of[key]} and here"
                self._findings.append(Finding("C17", what, self._file, line, "keep one of them"))
                continue
            line_of[key] = line
            if isinstance(value_event, yaml.MappingStartEvent) and value_event.flow_style and not _is_record(entry):
                what = f"the caption of {key!r} starts with {{, which makes it a map"
                self._findings.append(Finding("C18", what, self._file, line, "quote the caption"))
                continue
            if isinstance(entry, list) and entry and all(map(names_a_picture, entry)):
                for item in entry:
                    listed, findings = record(item, file=self._file, line=line)
                    self._findings += findings
                    yield listed
                continue
            row, findings = map_entry(key, entry, file=self._file, line=line)
            self._findings += findings
            if row is not None:
                yield row

    def _value(self, event: object, events: Iterator[object], depth: int = 0) -> object:
        import yaml

        if depth > 5:
            raise _Refused(self._wrong(event, "nested too deeply for a captions file"))
        if isinstance(event, yaml.ScalarEvent):
            return self._text_of(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[object] = []
            for item in events:
                if isinstance(item, yaml.SequenceEndEvent):
                    return items
                items.append(self._value(item, events, depth + 1))
        if isinstance(event, yaml.MappingStartEvent):
            held: dict[str, object] = {}
            for key in events:
                if isinstance(key, yaml.MappingEndEvent):
                    return held
                name = self._value(key, events, depth + 1)
                value = self._value(next(events), events, depth + 1)
                if str(name) in held:
                    what = f"{name} is given twice"
                    self._findings.append(Finding("C17", what, self._file, _line(key), "keep one of them"))
                held.setdefault(str(name), value)
        what = "anchors and aliases are not supported in captions files"
        raise _Refused(self._wrong(event, what)._replace(hint="quote a caption that begins with *"))

    def _text_of(self, event: yaml.ScalarEvent) -> str:
        """The scalar's text. Reports what YAML does to texts without quotes."""
        text: str = event.value
        if event.style in (None, ""):
            lost = lost_at_hash(self._text, event.end_mark.index) if event.end_mark is not None else None
            if lost is not None:
                hint = "quote the caption; a comment has a blank after its #"
                self._findings.append(Finding("C19", cut_message(lost), self._file, _line(event), hint))
            if is_curly_quoted(text):
                self._findings.append(self._wrong(event, "these are not YAML quotes")._replace(hint=_STRAIGHT_QUOTES))
        return text

    def _wrong(self, event: object, what: str) -> Finding:
        return Finding("C18", what, self._file, _line(event))


def _is_record(entry: object) -> bool:
    return isinstance(entry, dict) and not entry.keys().isdisjoint((*TEXT_COLUMNS, "tags"))


def _line(event: object) -> int:
    mark = getattr(event, "start_mark", None)
    return mark.line + 1 if mark is not None else 1
