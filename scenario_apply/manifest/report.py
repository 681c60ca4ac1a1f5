"""Collects the diagnostics of a load, with their positions. Errors are raised together, not one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from scenario_apply.errors import Diagnostic, Location, ManifestError, Severity
from scenario_apply.manifest.positions import Map, Mark, Node, Seq, marks_in
from scenario_apply.manifest.secret_detection import masked_in_place, without_secret_values
from scenario_apply.model.secret import MASK

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what libyaml counts as the end of a line
_LONGEST_LINE = 400
_SHORTEST_HIDDEN = 4  # characters; to hide less would hide parts of every word
MOST_ERRORS = 500


class Report:
    """sources: the text of each file read, by the name the user would give it.

    most: the number of errors at which the load ends with a ManifestError. None: no limit.
    """

    def __init__(self, most: int | None = MOST_ERRORS) -> None:
        self._most = most
        self._errors = 0
        self.sources: dict[str, str] = {}
        self.problems: list[Diagnostic] = []
        self.is_incomplete = False
        self.values_read = 0  # of all YAML files, before aliases and defaults repeat any
        self.is_oversized = False  # a list or map has more entries than are read
        self._cut: dict[tuple[str, int, int], str] = {}
        self._hidden: list[str] = []
        self._unquoted: set[str] = set()
        self._lines: dict[str, list[str]] = {}
        self._wrong: set[tuple[str, int | None, int | None]] = set()
        self._said: set[tuple[str, str, tuple[str, int | None, int | None] | None]] = set()

    def add_source(self, name: str, text: str) -> None:
        self.sources[name] = text
        self._lines.pop(name, None)

    def note_cut(self, mark: Mark, lost: str) -> None:
        """Remembers what YAML took for a comment behind the text at mark; only some texts are reported for it."""
        self._cut[mark.name, mark.line, mark.column] = lost

    def lost_behind(self, mark: Mark) -> str | None:
        """What note_cut was told of the text at mark."""
        return self._cut.get((mark.name, mark.line, mark.column)) if self._cut else None

    def place(self, mark: Mark) -> Location:
        return self.place_at(mark.name, mark.line, mark.column)

    def place_at(self, name: str, line: int, column: int) -> Location:
        """line and column from 0."""
        lines = self._lines.get(name)
        if lines is None:
            lines = self._lines[name] = _LINE_BREAK.split(self.sources.get(name, ""))
        shown = line < len(lines) and name not in self._unquoted
        text = without_secret_values(lines[line][:_LONGEST_LINE]) if shown else None
        return Location(file=name, line=line + 1, column=column + 1, text=text)

    def place_of_variable(self, name: str, text: str, mark: Mark) -> Location | None:
        """Where in the source of a text the template reads `env.X` or a variable; None when the name is not found.

        text: the value at mark. Its source may be longer: indented, folded, escaped.
        """
        expression = _reading(name)
        self.place_at(mark.name, 0, 0)  # splits the source
        left = len(text) + 4
        for line, source in enumerate(self._lines[mark.name][mark.line :], mark.line):
            start = mark.column if line == mark.line else len(source) - len(source.lstrip())
            found = expression.search(source, start, max(start, start + left))
            if found is not None:
                return self.place_at(mark.name, line, found.start())
            left -= len(source) - start
            if left <= 0:
                break
        return None

    def add(
        self, code: str, what: str, where: Mark | Location | None, hint: str | None = None, severity: Severity = "error"
    ) -> None:
        place = where if where is None or isinstance(where, Location) else self.place(where)
        position = _position_of(place)
        if (code, what, position) in self._said:  # an alias or a shared default is wrong once
            return
        self._said.add((code, what, position))
        what = what if len(what) <= _LONGEST_LINE else f"{what[:_LONGEST_LINE]} ..."
        self.problems.append(Diagnostic(code=code, message=what, location=place, hint=hint, severity=severity))
        if severity == "error" and position is not None:
            self._wrong.add(position)
        if severity == "error":
            self._errors += 1
            if self._errors == self._most:
                what = f"stopped after {self._most} errors"
                self.problems.append(Diagnostic(code="too-many", message=what, location=place))
                self.raise_errors()

    def error(self, code: str, what: str, where: Mark | Location | None, hint: str | None = None) -> None:
        self.add(code, what, where, hint)

    def warn(self, code: str, what: str, where: Mark | Location | None, hint: str | None = None) -> None:
        self.add(code, what, where, hint, "warning")

    def note(self, code: str, what: str, where: Mark | Location | None, hint: str | None = None) -> None:
        self.add(code, what, where, hint, "info")

    def mark_wrong(self, mark: Mark) -> None:
        """Records that the value at mark is wrong, when its diagnostic points at another position inside it."""
        self._wrong.add((mark.name, mark.line + 1, mark.column + 1))

    def forget_undefined(self, value: Node, mark: Mark) -> None:
        """Takes back what was said of unknown names in the templates of a value, since its key is wrong already."""
        places = {(text.name, text.line + 1, text.column + 1) for text in marks_in(value, mark)}
        if places & self._wrong:
            self.problems = [
                p for p in self.problems if p.code != "undefined-variable" or _position_of(p.location) not in places
            ]

    def is_wrong(self, mark: Mark) -> bool:
        """Whether an error was already reported at exactly this position: a second one would only repeat it."""
        return bool(self._wrong) and (mark.name, mark.line + 1, mark.column + 1) in self._wrong

    def raise_errors_of_size(self) -> None:
        """Raises ManifestError when something is too large to continue."""
        if self.is_oversized:
            self.raise_errors()

    def raise_errors_of_reading(self) -> None:
        """Raises ManifestError when a file could not be read completely: later errors would only follow from that."""
        if self.is_incomplete:
            self.raise_errors()

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def hide(self, text: str) -> None:
        """Never show this text: it is a secret in a place where secrets are not allowed."""
        self._hidden += [piece for piece in {text, *text.split()} if len(piece) >= _SHORTEST_HIDDEN]
        self._hidden.sort(key=len, reverse=True)

    def quote_nothing_of(self, name: str) -> None:
        """Show no line of this file: it may contain secrets."""
        self._unquoted.add(name)

    def shown_problems(self) -> tuple[Diagnostic, ...]:
        """All diagnostics, with hidden texts masked."""
        return tuple(map(self._shown, self.problems)) if self._hidden else tuple(self.problems)

    def _shown(self, problem: Diagnostic) -> Diagnostic:
        place, what, hint = problem.location, problem.message, problem.hint
        for secret in self._hidden:
            if place is not None and place.text is not None:
                place = replace(place, text=place.text.replace(secret, masked_in_place(secret)))
            what = what.replace(secret, MASK)
            hint = None if hint is None else hint.replace(secret, MASK)
        return replace(problem, location=place, message=what, hint=hint)

    def raise_errors(self) -> None:
        """Raises ManifestError with every problem, errors first in file order, when one of them is an error."""
        if not self.has_errors:
            return
        ordered = sorted(map(self._shown, self.problems), key=_reading_order)
        first = ordered[0]
        raise ManifestError(first.message, code=first.code, problems=ordered)


def _position_of(place: Location | None) -> tuple[str, int | None, int | None] | None:
    return None if place is None else (place.file, place.line, place.column)


def _reading(name: str) -> re.Pattern[str]:
    """Matches each way to read `env.X`, or the variable of that name."""
    holder, dot, key = name.partition(".")
    if not dot:
        return re.compile(rf"\b{re.escape(name)}\b")
    key = re.escape(key)
    return re.compile(rf"\b{holder}\s*(?:\.\s*{key}\b|\[\s*[\"']{key}[\"']|\.\s*get\s*\(\s*[\"']{key}[\"'])")


def _reading_order(problem: Diagnostic) -> tuple[bool, str, int, int]:
    place = problem.location
    if place is None:
        return problem.severity != "error", "", 0, 0
    return problem.severity != "error", place.file, place.line or 0, place.column or 0


class Places(Mapping[str, Location]):
    """Field -> Location, computed on access: a thousand models have ten thousand of them and usually need none."""

    __slots__ = ("_fields", "_found", "_report")

    def __init__(self, report: Report, fields: Map) -> None:
        self._report = report
        self._fields = fields
        self._found: dict[str, Mark] | None = None

    @property
    def _marks(self) -> dict[str, Mark]:
        """The values' marks, and those of each parameter; a block is at the position of its key."""
        if self._found is None:
            self._found = {}
            for key, (key_mark, value_mark) in self._fields.marks.items():
                value = self._fields.get(key)
                self._found[key] = key_mark if isinstance(value, Map) else value_mark
                if key == "parameters" and isinstance(value, Map):
                    self._found.update((f"parameters.{name}", mark) for name, (_, mark) in value.marks.items())
                elif isinstance(value, Map):  # captions, pairs and lint of a dataset
                    self._found.update((f"{key}.{name}", marks[0]) for name, marks in value.marks.items())
                elif isinstance(value, Seq):
                    self._found.update((f"{key}.{index}", mark) for index, mark in enumerate(value.marks))
        return self._found

    def __getitem__(self, field: str) -> Location:
        return self._report.place(self._marks[field])

    def __iter__(self) -> Iterator[str]:
        return iter(self._marks)

    def __len__(self) -> int:
        return len(self._marks)

    def __repr__(self) -> str:
        return f"Places({list(self._marks)})"
