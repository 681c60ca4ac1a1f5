"""May this plan be applied? Limits on cost, deletes, retrains and the share that changes."""

from __future__ import annotations

from dataclasses import fields, replace
from math import ceil

from scenario_apply.core.changes import Action
from scenario_apply.core.manifest.spec import Limits
from scenario_apply.core.plan import Plan
from scenario_apply.core.steps import DeleteModel
from scenario_apply.errors import Problem

_TRAINING = {Action.RETRAIN, Action.REPLACE}


def merged(manifest: Limits, given: Limits) -> Limits:
    """The manifest's limits with those of the command line over them."""
    over = {f.name: getattr(given, f.name) for f in fields(Limits) if getattr(given, f.name) is not None}
    return replace(manifest, **over)


def judge(plan: Plan, limits: Limits) -> tuple[Problem, ...]:
    """Every limit the plan is over, with how far; none: it may go on. Unknown cost never opens a cost gate.

    deletes counts models on the service, old versions included; those that wait for consent are not counted.
    """
    problems = []
    if limits.cost is not None and (problem := _cost(plan, limits.cost)) is not None:
        problems.append(problem)
    deletes = sum(isinstance(planned.step, DeleteModel) for planned in plan.steps)
    if limits.deletes is not None and deletes > limits.deletes:
        problems.append(_over("deletes", deletes, limits.deletes))
    retrains = sum(change.action in _TRAINING for change in plan.changes)
    if limits.retrains is not None and retrains > limits.retrains:
        problems.append(_over("retrains", retrains, limits.retrains))
    if limits.changes_percent is not None and (problem := _share(plan, limits.changes_percent)) is not None:
        problems.append(problem)
    return tuple(problems)


def _over(name: str, count: float, limit: float) -> Problem:
    return Problem(
        code="gate",
        what=f"{name}: {count:g} is over the limit of {limit:g}",
        mend=f"raise it for this run with --limit {name}={ceil(count)}, or in the manifest's limits:",
    )


def _cost(plan: Plan, limit: float) -> Problem | None:
    cu = plan.cu
    if cu is not None and cu > limit:
        return _over("cost", cu, limit)
    return None


def _share(plan: Plan, limit: float) -> Problem | None:
    """Of the resources that exist, how many would change; new ones are growth, not change."""
    existing = [change for change in plan.changes if change.before is not None or change.action is Action.NONE]
    changed = [change for change in existing if change.action not in (Action.NONE, Action.WAIT)]
    if not existing or not changed:
        return None
    percent = 100 * len(changed) / len(existing)
    if percent <= limit:
        return None
    return Problem(
        code="gate",
        what=f"changes_percent: {len(changed)} of {len(existing)} resources change ({percent:.0f}%), limit {limit:g}%",
        mend=f"raise it for this run with --limit changes_percent={ceil(percent)}, or in the manifest's limits:",
    )
