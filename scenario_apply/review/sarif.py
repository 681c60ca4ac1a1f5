"""Diagnostics as a SARIF 2.1.0 log, which code scanning and editors read. Source: OASIS, SARIF Version 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from urllib.parse import quote

from scenario_apply.errors import Diagnostic, Location, Severity
from scenario_apply.model.lint_rules import BY_CODE
from scenario_apply.review.diagnostic_explanations import DIAGNOSTIC_TEXTS
from scenario_apply.review.explanations import how_to_silence
from scenario_apply.review.lint_explanations import LINT_TEXTS
from scenario_apply.review.screen import safe
from scenario_apply.version import VERSION

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVELS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}

Json = dict[str, object]


def sarif(problems: Sequence[Diagnostic], *, valid: bool) -> str:
    """A log of one run. Files of locations are relative to the checkout; rules are those that were broken."""
    codes = sorted({problem.code for problem in problems})
    index = {code: at for at, code in enumerate(codes)}
    driver = {"name": "scenario-apply", "version": VERSION, "rules": [_rule(code, problems) for code in codes]}
    run: Json = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder of the checkout."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "exitCode": 0 if valid else 1}],
        "results": [_result(problem, index[problem.code]) for problem in problems],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str, problems: Sequence[Diagnostic]) -> Json:
    """The rule with its severity, what it catches, why it matters, and how to fix and to silence it."""
    rule = BY_CODE.get(code)
    if rule is None:
        severity = next(problem.severity for problem in problems if problem.code == code)
        whole = DIAGNOSTIC_TEXTS.get(code, code)
        short, name, help_ = whole.partition(". ")[0].rstrip(".") + ".", code, whole
    else:
        text = LINT_TEXTS[code]
        severity, name = rule.severity, rule.name
        short, whole = text.catches, f"{text.catches} {text.why}"
        help_ = f"{whole}\n\nHow to fix it: {text.fix}\n\n{how_to_silence(rule)}"
    return {
        "id": code,
        "name": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": whole},
        "help": {"text": help_, "markdown": help_},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }


def _result(problem: Diagnostic, rule_index: int) -> Json:
    hint = f" Hint: {safe(problem.hint)}" if problem.hint else ""
    message = safe(problem.message)
    place = problem.location
    uri = _uri(place.file) if place is not None else ""
    identity = "\n".join((problem.code, uri, message))
    result: Json = {
        "ruleId": problem.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[problem.severity],
        "message": {"text": f"{message}.{hint}" if hint else message},
        "partialFingerprints": {"scenarioApply/v1": sha256(identity.encode()).hexdigest()[:32]},
    }
    if place is not None:
        result["locations"] = [{"physicalLocation": _physical(place, uri)}]
    return result


def _physical(place: Location, uri: str) -> Json:
    found: Json = {"artifactLocation": {"uri": uri, "uriBaseId": _ROOT}}
    if place.line is not None:
        region: Json = {"startLine": place.line}
        if place.column is not None:
            region["startColumn"] = place.column
        if place.text:
            region["snippet"] = {"text": safe(place.text)}
        found["region"] = region
    return found


def _uri(file: str) -> str:
    """A relative reference: a colon or a percent sign of a name is escaped, bytes that are no UTF-8 as they are."""
    return quote(file.encode("utf-8", "surrogateescape"), safe="/")
