"""A plan as annotations of GitHub Actions: what stops it, findings, and what is paid for, at its lines of the manifest.

GitHub shows ten annotations of each kind and step; where there are more, the last of them counts the rest. Source:
docs.github.com, "Workflow commands for GitHub Actions", and the limits that its community documentation gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from scenario_apply.errors import Diagnostic, Location, Severity
from scenario_apply.planning.changes import Action
from scenario_apply.review.affected_text import affected_text
from scenario_apply.review.change_view import ChangeView
from scenario_apply.review.plan_view import PlanView
from scenario_apply.review.plan_words import (
    counts_text,
    drift_sentence,
    nothing_text,
    price_text,
    requests_text,
    title_address,
)
from scenario_apply.review.screen import counted
from scenario_apply.review.values import cost_text

SHOWN = 10
"""Annotations of a kind that GitHub shows for each step."""

_NOUNS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}
_SAVES_A_TRAINING = ("looks-renamed", "unrecorded-model")
"""Notes with a line for the manifest that saves what the plan would pay for."""
_FREE_BUT_SHOWN = (Action.DELETE, Action.FORGET)


def plan_annotations(view: PlanView, *, notes: bool = False) -> list[Diagnostic]:
    """What to annotate, at most SHOWN of each severity; the first notice is the sum of the plan.

    notes: findings that are mere notes are shown as well. Files are as in the diagnostics.
    """
    at = Location(file=view.manifest) if view.manifest.endswith((".yaml", ".yml", ".j2")) else None
    found = [*_against(view, at), *_findings(view, notes=notes)]
    found.append(Diagnostic(code="plan", message=_sum(view), location=at, severity="info"))
    found += _changes(view, at)
    return [one for severity in _NOUNS for one in _bounded([p for p in found if p.severity == severity])]


def _against(view: PlanView, at: Location | None) -> Iterator[Diagnostic]:
    """What stands against the plan; of a gate the place is the manifest."""
    for problem in (*view.status.stale, *view.status.blocked):
        yield problem if problem.location is not None else replace(problem, location=at)
    for reason in view.status.partial:
        yield Diagnostic(
            code="plan-partial", message=f"This plan is partial: {reason}", location=at, severity="warning"
        )


def _findings(view: PlanView, *, notes: bool) -> Iterator[Diagnostic]:
    if view.mode != "destroy":
        rank: list[Severity] = ["error", "warning", "info"]
        yield from sorted(
            (p for p in view.diagnostics if notes or p.severity != "info" or p.code in _SAVES_A_TRAINING),
            key=lambda p: rank.index(p.severity),
        )


def _sum(view: PlanView) -> str:
    if view.status.kind == "errored" and not view.changes:
        return "This plan could not be made."
    if view.mode == "drift":
        return drift_sentence(view)
    if not view.changes:
        return nothing_text(view)
    return f"Plan: {counts_text(view)}. {requests_text(view.totals)} {price_text(view)}"


def _changes(view: PlanView, at: Location | None) -> Iterator[Diagnostic]:
    """What is paid for, the dearest first, then what is deleted; what is free is in the sum only."""
    paid = [change for change in view.changes if change.cost.source != "none"]
    for change in sorted(paid, key=_price, reverse=True):
        yield _change(change, at)
    for change in view.changes:
        if change.action in _FREE_BUT_SHOWN:
            yield _change(change, at)


def _price(change: ChangeView) -> float:
    return float("inf") if change.cost.cu is None else change.cost.cu


def _change(change: ChangeView, at: Location | None) -> Diagnostic:
    cost = f": {text}" if (text := cost_text(change.cost)) else ""
    reached = f"; it {affected_text(change.beside.dependants)}" if change.beside.dependants else ""
    why = "; ".join(reason.text for reason in change.reasons)
    return Diagnostic(
        code=f"plan {change.action.value}",
        message=f"{title_address(change)} {change.phrase}{cost}{f' (because {why})' if why else ''}{reached}",
        location=change.place or at,
        severity="info",
    )


def _bounded(problems: Sequence[Diagnostic]) -> Iterable[Diagnostic]:
    """The first of them, and, where there are more than GitHub shows, how many there are."""
    if len(problems) <= SHOWN:
        return problems
    left = len(problems) - SHOWN + 1
    severity = problems[0].severity
    message = f"and {counted(left, f'more {_NOUNS[severity]}')}; the plan in text, JSON or Markdown has all"
    return [*problems[: SHOWN - 1], Diagnostic(code="plan", message=message, severity=severity)]
