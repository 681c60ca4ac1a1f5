"""What was approved of a plan, as plain values that go with a task, and what a later plan has beyond it. Pure.

Time passes between the plan that people saw and its apply, and more between looks at trainings. What is begun later
must be a part of what was approved: the same inputs, no other training, no other delete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from scenario_apply.fleet.tasks import Plain
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.plan import Plan

_IDLE = (Action.NONE.value, Action.WAIT.value)
_AGAIN = {
    "training-ended": "its training failed or was cancelled, and another one is charged again",
    "remotely-deleted": "it was deleted on Scenario",
    "sample-failed": "a sample failed, and another try is charged again",
    "manifest-changed-meanwhile": "its running training is not the one that was approved",
}
"""Reasons that ask for approval each time they are new."""


def approved_of(plan: Plan) -> Plain:
    """The part of a plan that approval is about."""
    source = plan.source
    return {
        "endpoint": source.endpoint,
        "project": source.project,
        "manifest": source.manifest_digest,
        "datasets": dict(source.datasets),
        "changes": {
            str(change.address): {
                "action": change.action.value,
                "reasons": _codes(change),
                "paid": change.total_cost.source != "none",
            }
            for change in plan.changes
            if change.action.value not in _IDLE or change.samples.draw
        },
    }


def changed_inputs(now: Plan, approved: Plain) -> str | None:
    """What the plan is made from that differs from what was approved; None: nothing."""
    current = approved_of(now)
    for key, words in (
        ("manifest", "the manifest changed"),
        ("datasets", "images or captions changed"),
        ("endpoint", "the endpoint differs"),
        ("project", "the project differs"),
    ):
        if current[key] != approved[key]:
            return f"{words} since the plan was approved"
    return None


def beyond(now: Plan, approved: Plain, *, begun: bool) -> dict[str, str]:
    """The resources that are to be changed otherwise than approved, each with the reason; empty: none.

    begun: the fleet has launched some of it. What failed since is not launched again.
    """
    return dict(_beyond(now, approved["changes"], begun=begun))


def _beyond(now: Plan, approved: Mapping[str, Plain], *, begun: bool) -> Iterator[tuple[str, str]]:
    for change in now.changes:
        address, action = str(change.address), change.action.value
        if action in _IDLE:
            continue
        known = approved.get(address)
        if known is None:
            yield address, f"{action} was not part of the approved plan"
            continue
        codes = _codes(change)
        again = _again(codes, () if begun else known["reasons"])
        if again is not None:
            yield address, again
        elif action == Action.DELETE.value and known["action"] != action:
            yield address, "delete was not part of the approved plan"
        elif change.total_cost.source != "none" and not known["paid"]:
            yield address, f"{action} is paid for, and what was approved of it was free"


def _codes(change: Change) -> list[str]:
    return [reason.code for reason in (*change.reasons, *change.notes)]


def _again(codes: Collection[str], approved: Collection[str]) -> str | None:
    return next((_AGAIN[code] for code in codes if code in _AGAIN and code not in approved), None)
