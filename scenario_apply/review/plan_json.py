"""A plan as JSON, for other programs: the shape is the design page's, the same as in a saved plan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from scenario_apply.planning.changes import SUMMARY_ACTIONS
from scenario_apply.planning.plan import PLAN_FORMAT_VERSION, Plan
from scenario_apply.planning.plan_format import plan_to_json, sealed
from scenario_apply.review.validation_text import diagnostic
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.errors import Diagnostic


def plan_json(plan: Plan) -> str:
    """One JSON document."""
    return _document(sealed(plan_to_json(plan)))


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
