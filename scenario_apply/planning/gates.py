"""May this plan be applied? Limits on cost, on that of samples, deletes, retrains and the share that changes."""

from __future__ import annotations

from dataclasses import fields, replace
from math import ceil

from scenario_apply.errors import Diagnostic
from scenario_apply.model.amounts import amount
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.steps import DeleteModel
from scenario_apply.planning.changes import Action
from scenario_apply.planning.plan import Plan

_TRAINING = {Action.RETRAIN, Action.REPLACE}


def merged(manifest: Limits, given: Limits) -> Limits:
    """The manifest's limits with those of the command line over them."""
    over = {f.name: getattr(given, f.name) for f in fields(Limits) if getattr(given, f.name) is not None}
    return replace(manifest, **over)


def judge(plan: Plan, limits: Limits) -> tuple[Diagnostic, ...]:
    """Every limit the plan is over, with how far; none: it may go on. Unknown cost never opens a cost gate.

    deletes counts models on the service, old versions included; those that wait for consent are not counted.
    """
    problems = []
    for name, (count, limit) in _exceeded(plan, limits).items():
        what = f"{name}: {amount(count)} is over the limit of {amount(limit)}"
        if name == "changes_percent":
            existing, changed = _share(plan)
            what = f"{name}: {changed} of {existing} resources change ({count:.0f}%), limit {limit:g}%"
        hint = f"raise it for this run with --limit {name}={ceil(count)}, or in the manifest's limits:"
        problems.append(Diagnostic(code="gate", message=what, hint=hint))
    return tuple(problems)


def needed(plan: Plan, limits: Limits) -> dict[str, float]:
    """Of the limits that the plan is over, by name, the values that would let it through: what the hints say."""
    return {name: ceil(count) for name, (count, _) in _exceeded(plan, limits).items()}


def _exceeded(plan: Plan, limits: Limits) -> dict[str, tuple[float, float]]:
    """Limit -> what the plan has of it, and how much it may have; those it is over."""
    existing, changed = _share(plan)
    counts: dict[str, tuple[float | None, float | None]] = {
        "cost": (plan.cu, limits.cost),
        "samples_cost": (plan.samples_cu, limits.samples_cost),
        "deletes": (sum(isinstance(planned.step, DeleteModel) for planned in plan.steps), limits.deletes),
        "retrains": (sum(change.action in _TRAINING for change in plan.changes), limits.retrains),
        "changes_percent": (100 * changed / existing if existing else 0, limits.changes_percent),
    }
    return {
        name: (count, limit)
        for name, (count, limit) in counts.items()
        if count is not None and limit is not None and count > limit
    }


def _share(plan: Plan) -> tuple[int, int]:
    """How many resources exist, and how many of these would change; new ones are growth, not change."""
    existing = [change for change in plan.changes if change.before is not None or change.action is Action.NONE]
    changed = [
        change for change in existing if change.action not in (Action.NONE, Action.WAIT) and not change.draws_only
    ]
    return len(existing), len(changed)
