"""What validate says: a sentence when all is well, or every diagnostic as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.lint_rules import BY_CODE
from scenario_apply.review.screen import counted, safe
from scenario_apply.review.starting_points_text import Suggestion, suggestions_json

FORMAT_VERSION = "1.0"


def validation_text(manifest: Manifest, datasets: Mapping[str, Dataset]) -> str:
    """One sentence: what was read and found in order."""
    images = sum(dataset.image_count for dataset in datasets.values())
    parts = [
        counted(len(manifest.models), "model"),
        counted(len(manifest.compositions), "composition"),
        f"{counted(len(datasets), 'dataset')} with {counted(images, 'image')}",
    ]
    return f"{safe(manifest.path)} is valid: {', '.join(parts)}.\n"


def diagnostic(problem: Diagnostic) -> dict[str, object]:
    """A problem as the JSON formats show it: severity, code, message, hint, file, line, column, source."""
    place = problem.location
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "file": place.file if place is not None else None,
        "line": place.line if place is not None else None,
        "column": place.column if place is not None else None,
        "source": place.text if place is not None else None,
    }


def _rule_name(code: str) -> str | None:
    """The readable name of a lint rule, which `lint:` takes as well as its code; None for other diagnostics."""
    return BY_CODE[code].name if code in BY_CODE else None


def validation_json(
    problems: Sequence[Diagnostic], *, valid: bool, suggested: Sequence[Suggestion] | None = None
) -> str:
    """format_version, valid, error_count, warning_count, diagnostics; suggestions where they were asked for."""
    counts = Counter(problem.severity for problem in problems)
    report: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "valid": valid,
        "error_count": counts["error"],
        "warning_count": counts["warning"],
        "diagnostics": [{**diagnostic(problem), "rule": _rule_name(problem.code)} for problem in problems],
    }
    if suggested is not None:
        report["suggestions"] = suggestions_json(suggested)
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
