"""A plan as JSON, for other programs: the shape is the design page's, the same as in a saved plan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from scenario_apply.model import codec
from scenario_apply.planning.changes import SUMMARY_ACTIONS
from scenario_apply.planning.plan import PLAN_FORMAT_VERSION, Plan
from scenario_apply.planning.plan_format import plan_to_json, sealed
from scenario_apply.planning.reasons import Reason
from scenario_apply.review.reason_words import reason_text
from scenario_apply.review.validation_text import diagnostic
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.errors import Diagnostic


def plan_json(plan: Plan) -> str:
    """One JSON document."""
    return _document(sealed(plan_values(plan)))


def plan_values(plan: Plan) -> dict[str, object]:
    """The plan as plain values, each reason and note with its text beside its code."""
    values = plan_to_json(plan)
    changes = values["changes"]
    assert isinstance(changes, list)
    for change, plain in zip(plan.changes, changes, strict=True):
        plain["reasons"] = [reason_json(reason) for reason in change.reasons]
        plain["notes"] = [reason_json(note) for note in change.notes]
    return values


def reason_json(reason: Reason) -> dict[str, object]:
    """A reason's code, its text and its fields."""
    return {"code": reason.code, "text": reason_text(reason), **codec.plain(reason)}


def failed_plan_json(problems: Iterable[Diagnostic], *, manifest: str | None, endpoint: str, created_at: str) -> str:
    """The document of a plan that could not be made: errored, of nothing, with every problem. created_at: ISO 8601."""
    return _document(
        {
            "format_version": PLAN_FORMAT_VERSION,
            "tool_version": VERSION,
            "created_at": created_at,
            "applyable": False,
            "complete": False,
            "errored": True,
            "manifest": {"path": manifest, "digest": None},
            "state": {"lineage": None, "serial": 0},
            "endpoint": endpoint,
            "project": None,
            "summary": {action.value: 0 for action in SUMMARY_ACTIONS},
            "requests": {"total": 0, "by_step": {}, "seconds_at_limit": 0},
            "cost": {"cu": None, "quoted": [], "from_history": [], "unknown": []},
            "changes": [],
            "steps": [],
            "drift": [],
            "diagnostics": [diagnostic(problem) for problem in problems],
        }
    )


def _document(values: dict[str, object]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"
