"""A plan as a page: what changes, what it costs, what stops it, and the pictures."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.planning.plan import Plan
from scenario_apply.review.html.page import Section, page_text
from scenario_apply.review.plan_view import plan_view
from scenario_apply.review.plan_words import counts_text, subject_text


def plan_sections(plan: Plan) -> Sequence[Section]:
    """The sections of a plan, in their order."""
    changes = [change for change in plan.changes if change.action != "none"]
    summary = {"counts": counts_text(plan_view(plan)), "changes": changes}
    return [Section("changes", "Changes", "plan_summary.html.jinja", summary, f"{len(changes):,}")]


def plan_page(plan: Plan, *, more: Sequence[Section] = ()) -> str:
    """The page of a plan. more: sections below those of the plan."""
    return page_text(
        f"Plan for {plan.source.manifest_path}",
        [*plan_sections(plan), *more],
        about=subject_text(plan_view(plan)),
        made=f"Made {plan.created_at} by scenario-apply {plan.tool_version}.",
    )
