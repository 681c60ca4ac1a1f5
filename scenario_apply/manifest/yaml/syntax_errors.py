"""Explains the errors of the YAML parser: what is wrong, where, and how to fix it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.manifest.report import Report
from scenario_apply.manifest.yaml.invisible import odd_in_line

if TYPE_CHECKING:
    import yaml

_QUOTE = "put the text in quotes"
_HINTS: tuple[tuple[str, str, str], ...] = (
    # part of the message of libyaml or of PyYAML, what it means, how to fix it
    (
        "mapping values are not allowed",
        "a second ': ' in a line, or a line indented more than the one above allows",
        "put the text in quotes if it holds ': ', or align it with the other keys",
    ),
    (
        "could not find expected ':'",
        "a key without ':', or text that begins a new line where a key is expected",
        "write `key: value`; put text that spans lines in quotes or after `|`",
    ),
    (
        "did not find expected key",
        "this is not a key of the map above",
        "check the indentation and the quotes above it",
    ),
    ("expected <block end>", "this is not a key of the map above", "check the indentation and the quotes above it"),
    ("expected ',' or '}'", "a { that is not closed, or a comma is missing", f"close it, or {_QUOTE}"),
    ("expected ',' or ']'", "a [ that is not closed, or a comma is missing", f"close it, or {_QUOTE}"),
    (
        "did not find expected '-'",
        "a list whose items do not line up",
        "give every `- ` of the list the same indentation",
    ),
    (
        "block sequence entries are not allowed",
        "a `- ` that is not allowed here",
        "begin the list on a line of its own",
    ),
    ("found unexpected end of stream", "a quote that is never closed", "close the quote"),
    (
        "unknown escape character",
        "a \\ in double quotes that does not begin a known escape",
        "write \\\\, or use single quotes",
    ),
    ("expected alphabetic or numeric", "text that begins with * or & but is not an anchor name", _QUOTE),
    ("Unicode character escape", "half a character: one \\u of a pair", "write the character itself"),
    ("control characters are not allowed", "a control character", "remove it, or write it as \\x.. in double quotes"),
    ("document indicator", "a --- or ... inside quotes", "indent it, or close the quote above"),
)


_NOT_IN_YAML = "[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"
_LINES_BEFORE = 50  # above the place where the parser stopped
# Here the start is a better position than where the parser stopped: unclosed quotes and brackets, a lone key.
_BEGAN = ("end of stream", "expected ',' or", "could not find expected ':'")

_KEYS_EXPECTED = ("mapping values are not allowed", "could not find expected ':'")
_GLUED = re.compile(r"\s*(?:- +)?(?P<key>[A-Za-z_][\w-]{0,60}):(?P<value>(?!//)[^\s:](?:[^:]*[^\s:])?)\s*")


class Mistake(NamedTuple):
    """code and hint as in a Diagnostic; line and column from 0, always of a line that is not blank."""

    code: str
    what: str
    hint: str | None
    line: int
    column: int


def end_of_scanned(error: yaml.YAMLError) -> int | None:
    """How many characters were scanned before libyaml (0.2.6 and newer) met its own limit of nesting; else None.

    It scans ahead of the values it has given, so that the limit of the reader, which is lower, could not be met yet.
    The text up to there is read again: it is within libyaml's limit.
    """
    import yaml

    if not isinstance(error, yaml.MarkedYAMLError) or "nesting depth" not in (error.problem or ""):
        return None
    mark = error.problem_mark or error.context_mark
    return None if mark is None else mark.index


def mistake_of(error: yaml.MarkedYAMLError, text: str) -> Mistake:
    """What a syntax error means for the author of the text."""
    problem = error.problem or "not readable as YAML"
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and any(part in problem for part in _BEGAN):
        mark = error.context_mark
    lines = text.splitlines()
    line, column = _on_a_line(lines, 0 if mark is None else mark.line, 0 if mark is None else mark.column)
    glued = _glued(lines, line, problem)
    if glued is not None:
        return glued
    character = lines[line][column : column + 1] if lines else ""
    code, what, hint = _meaning(problem, character, f" {error.context}" if error.context else "")
    return Mistake(code, what, hint, line, column)


def _glued(lines: list[str], line: int, problem: str) -> Mistake | None:
    """`key:value` on that line or the one before: YAML takes it for text, which continues below."""
    if not any(part in problem for part in _KEYS_EXPECTED):
        return None
    above = next((number for number in range(line - 1, -1, -1) if lines[number].strip()), line)
    for number in (above, line) if lines else ():
        if (found := _GLUED.fullmatch(lines[number])) is not None:
            key, value = found["key"], found["value"]
            hint = f"write `{key}: {value}`"
            return Mistake("yaml-syntax", f"no space after the colon of {key}:", hint, number, found.start("key"))
    return None


def _on_a_line(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """The place itself; for one behind the end of the text, its last character."""
    if line < len(lines) and any(rest.strip() for rest in (lines[line][column:], *lines[line + 1 :])):
        return line, column
    held = [number for number in range(len(lines)) if lines[number].strip()]
    if not held:
        return 0, 0
    last = max((number for number in held if number <= line), default=held[-1])
    return last, len(lines[last].rstrip()) - 1


def _meaning(problem: str, character: str, context: str) -> tuple[str, str, str | None]:
    """Code, what, hint. character: the one where it went wrong."""
    is_odd = "cannot start any token" in problem
    if "tab" in problem or (is_odd and character == "\t"):
        return "yaml-tab", "a tab where YAML wants spaces", "indent with spaces, two for each level"
    if is_odd:
        return "yaml-syntax", f"text cannot begin with {character!r}", _QUOTE
    if "node content" in problem:
        if character in ("[", "{"):
            return "yaml-syntax", f"a {character} that is not closed", f"close it, or {_QUOTE}"
        if character in ("]", "}", ","):
            return "yaml-syntax", f"a {character} where a value is expected", f"remove it, or {_QUOTE}"
        return "yaml-syntax", "a value is missing", f"write it, or {_QUOTE}"
    for part, what, hint in _HINTS:
        if part in problem:
            return "yaml-syntax", what, hint
    return "yaml-syntax", f"{problem}{context}", None


def _line_and_column(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n"), at - (before.rfind("\n") + 1)


def _invisible_before(error: yaml.MarkedYAMLError, text: str) -> Mistake | None:
    """An invisible character on the line where the parser stopped, or on one of those above: the likely cause."""
    mark = error.problem_mark or error.context_mark
    if mark is None or text.isascii():
        return None
    lines = text.splitlines()
    for number in range(min(mark.line, len(lines) - 1), max(-1, mark.line - _LINES_BEFORE), -1):
        odd = None if lines[number].isascii() else odd_in_line(lines[number])
        if odd is not None:
            return Mistake("odd-character", odd.what, odd.hint, number, odd.at)
    return None


def report_yaml_error(error: yaml.YAMLError, name: str, report: Report) -> None:
    """Reports the error that made the parser stop."""
    import yaml

    text = report.sources.get(name, "")
    if isinstance(error, yaml.MarkedYAMLError):
        code, what, hint, line, column = _invisible_before(error, text) or mistake_of(error, text)
        report.error(code, what, report.place_at(name, line, column), hint)
        return
    found = re.search(_NOT_IN_YAML, text)
    line, column = (0, 0) if found is None else _line_and_column(text, found.start())
    report.error(
        "yaml-syntax",
        f"a character that YAML does not allow: {getattr(error, 'reason', error)}",
        report.place_at(name, line, column),
        "remove the character, or write it as \\x.. in double quotes",
    )
