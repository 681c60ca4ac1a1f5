"""What the YAML parser stumbled over, in words that help: what it is, where, and how to mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scenario_apply.core.manifest.report import Report

if TYPE_CHECKING:
    import yaml

_QUOTE = "put the text in quotes"
_MENDS: tuple[tuple[str, str, str], ...] = (
    # part of the message of libyaml or of PyYAML, what it means, how to mend it
    (
        "mapping values are not allowed",
        "a second ': ' in a line, or a line indented more than the one above allows",
        "put the text in quotes if it holds ': ', else line it up with its neighbours",
    ),
    (
        "could not find expected ':'",
        "a key without ':', or text that begins a new line where a key is expected",
        "write `key: value`; put text that spans lines in quotes or after `|`",
    ),
    ("did not find expected key", "this is no key of the map above", "check the indentation and the quotes above it"),
    ("expected <block end>", "this is no key of the map above", "check the indentation and the quotes above it"),
    ("expected ',' or '}'", "a { that is not closed, or a comma is missing", f"close it, or {_QUOTE}"),
    ("expected ',' or ']'", "a [ that is not closed, or a comma is missing", f"close it, or {_QUOTE}"),
    (
        "did not find expected '-'",
        "a list whose items do not line up",
        "give every `- ` of the list the same indentation",
    ),
    ("block sequence entries are not allowed", "a `- ` that cannot stand here", "begin the list on a line of its own"),
    ("found unexpected end of stream", "a quote that is never closed", "close the quote"),
    (
        "unknown escape character",
        "a \\ in double quotes that begins no known escape",
        "write \\\\, or use single quotes",
    ),
    ("expected alphabetic or numeric", "text that begins with * or & and no name of an anchor", _QUOTE),
    ("control characters are not allowed", "a control character", "remove it, or write it as \\x.. in double quotes"),
    ("document indicator", "a --- or ... inside quotes", "indent it, or close the quote above"),
)


_NOT_IN_YAML = "[^\\t\\n\\r\\x20-\\x7e\\x85\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]"


def _line_and_column(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n"), at - (before.rfind("\n") + 1)


def report_yaml_error(error: yaml.YAMLError, name: str, report: Report) -> None:
    """One problem for what made the parser stop."""
    import yaml

    if not isinstance(error, yaml.MarkedYAMLError):
        text = report.sources.get(name, "")
        found = re.search(_NOT_IN_YAML, text)
        line, column = (0, 0) if found is None else _line_and_column(text, found.start())
        report.error(
            "yaml-syntax",
            f"a character that YAML does not allow: {getattr(error, 'reason', error)}",
            report.place_at(name, line, column),
            "remove the character, or write it as \\x.. in double quotes",
        )
        return
    problem = error.problem or "not readable as YAML"
    mark = error.problem_mark or error.context_mark
    if "end of stream" in problem and error.context_mark is not None:
        mark = error.context_mark  # where the quote opens says more than where the file ends
    if mark is None:
        report.error("yaml-syntax", problem, report.place_at(name, 0, 0))
        return
    place = report.place_at(name, mark.line, mark.column)
    character = (place.text or "")[mark.column : mark.column + 1]
    if "tab" in problem or ("cannot start any token" in problem and character == "\t"):
        report.error("yaml-tab", "a tab where YAML wants spaces", place, "indent with spaces, two for each level")
        return
    if "cannot start any token" in problem:
        report.error("yaml-syntax", f"text cannot begin with {character!r}", place, _QUOTE)
        return
    for part, what, mend in _MENDS:
        if part in problem:
            report.error("yaml-syntax", what, place, mend)
            return
    context = f" {error.context}" if error.context else ""
    report.error("yaml-syntax", f"{problem}{context}", place)
