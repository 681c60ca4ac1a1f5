"""Diagnostics as workflow commands, which GitHub Actions shows as annotations beside the lines of a pull request.

Source: docs.github.com, "Workflow commands for GitHub Actions", and the escapes of the toolkit's command.ts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenario_apply.errors import Diagnostic, Severity
from scenario_apply.model.lint_rules import BY_CODE
from scenario_apply.review.screen import safe

_COMMANDS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def workflow_commands(problems: Iterable[Diagnostic]) -> str:
    """One `::error file=...,line=...,col=...,title=...::message` a line; files are relative to the checkout."""
    return "".join(f"{_command(problem)}\n" for problem in problems)


def _command(problem: Diagnostic) -> str:
    rule, place = BY_CODE.get(problem.code), problem.location
    name = f" {rule.name}" if rule is not None and rule.name != rule.code else ""
    properties: list[tuple[str, object]] = []
    if place is not None:
        properties.append(("file", safe(place.file)))
        properties += [("line", place.line)] if place.line is not None else []
        properties += [("col", place.column)] if place.column is not None else []
    properties.append(("title", f"{safe(problem.code)}{name}"))
    hint = f"\nhint: {safe(problem.hint)}" if problem.hint else ""
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties)
    return f"::{_COMMANDS[problem.severity]} {listed}::{_data(safe(problem.message) + hint)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
