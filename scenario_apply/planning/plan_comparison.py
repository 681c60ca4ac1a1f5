"""Whether a saved plan is the one that planning gives now. Pure.

A plan file is not trusted: its digest has no key, so any process that can write the file can seal it again. An apply
therefore plans again, from the manifest, the state and the service, and carries out that plan. The file only says what
was reviewed: where the two differ, nothing is done. One difference is allowed, because it takes a step away that does
nothing on the service: a training that the file waits for may have ended since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.model.codec import compact
from scenario_apply.model.steps import AwaitSample, AwaitTraining, StepId
from scenario_apply.planning.approved_cost import approved_cost, approved_samples
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.plan_format import plan_to_json
from scenario_apply.planning.reasons import QuoteCovers
from scenario_apply.planning.sample_reasons import SamplesDrawing

DIFFERENCES_NAMED = 10
"""More differences than this are counted."""

_HINT = "the file was edited, or the service changed since: plan again and review it"
_HINT_UNREFRESHED = "the plan was made with --no-refresh: plan again without it, and review that"
_COMPARED_SEPARATELY = ("cost", "place", "steps", "requests", "affects")
"""Keys that are compared separately (cost, steps), follow from others, or depend on where the command is run."""

_PASSING = (QuoteCovers, SamplesDrawing)
"""Notes that come and go while the plan stays the same."""

Plain = dict[str, object]


def differences(saved: Plan, made: Plan) -> list[Diagnostic]:
    """Why the saved plan must not be carried out: what it says and planning again does not, by resource.

    made: the plan of the same inputs, made now. Both carry the file's JSON values: secrets are compared by digest.
    """
    ended = _ended(saved, made)
    found = [*_other_project(saved, made), *_other_steps(saved, made, ended)]
    named = {problem.message.split(":")[0] for problem in found}
    found += [p for p in _other_changes(saved, made, ended) if p.message.split(":")[0] not in named]
    found += _dearer(saved, made)
    if not saved.refreshed:
        found = [replace(problem, hint=_HINT_UNREFRESHED) for problem in found]
    if len(found) > DIFFERENCES_NAMED:
        left = len(found) - DIFFERENCES_NAMED
        found = [*found[:DIFFERENCES_NAMED], _differs(f"and {left} more differences")]
    return found


def _differs(what: str) -> Diagnostic:
    return Diagnostic(code="plan-differs", message=what, hint=_HINT)


def _ended(saved: Plan, made: Plan) -> frozenset[Address]:
    """Resources whose training the file waits for, and planning again does not: it has ended.

    What else is done about them, such as their samples, is compared step by step: one whose training failed, and is
    to be trained again, differs in its steps.
    """
    now = {change.address: change for change in made.changes}
    return frozenset(
        change.address
        for change in saved.changes
        if change.action is Action.WAIT
        and change.address in now
        and now[change.address].action in (Action.NONE, Action.UPDATE)
        and not now[change.address].edit
    )


def _other_project(saved: Plan, made: Plan) -> list[Diagnostic]:
    if saved.source.project == made.source.project:
        return []
    return [_differs(f"the plan is for project {saved.source.project}, the manifest for {made.source.project}")]


# -- steps


def _other_steps(saved: Plan, made: Plan, ended: frozenset[Address]) -> list[Diagnostic]:
    """The resources whose steps differ: in number, kind, content, or what they wait for."""
    before, after = _steps(saved, ended), _steps(made, frozenset())
    differing = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    return [_differs(f"{name}: {_how(before.get(name, []), after.get(name, []))}") for name in differing]


def _steps(plan: Plan, without_waits_of: frozenset[Address]) -> dict[str, list[Plain]]:
    """The steps as JSON by resource, and counted by resource, so that those of two plans can be compared.

    What waits for samples is left out: it does nothing on the service, and a sample may have ended since.
    """
    left_out = {
        planned.id
        for planned in plan.steps
        if isinstance(planned.step, AwaitSample)
        or (planned.address in without_waits_of and isinstance(planned.step, AwaitTraining))
    }
    plain = plan_to_json(plan)["steps"]
    assert isinstance(plain, list)
    by_address: dict[str, list[Plain]] = {}
    names: dict[StepId, str] = {}
    for step in plain:
        if step["id"] not in left_out:
            own = by_address.setdefault(step["address"], [])
            own.append(step)
            names[step["id"]] = f"step {len(own)} of {step['address']}"
    return {address: [_renamed(step, names) for step in steps] for address, steps in by_address.items()}


def _renamed(step: Plain, names: Mapping[StepId, str]) -> Plain:
    after = step["after"]
    assert isinstance(after, list)
    values = {key: _with_names(value, names) for key, value in step.items()}
    return {**values, "id": names[str(step["id"])], "after": sorted(names[one] for one in after if one in names)}


def _with_names(value: object, names: Mapping[StepId, str]) -> object:
    """A value in which an asset that a step makes has that step's name."""
    if isinstance(value, list):
        return [_with_names(item, names) for item in value]
    if isinstance(value, dict):
        if value.keys() == {"id", "step"} and isinstance(value["step"], str):
            return {**value, "step": names.get(value["step"], value["step"])}
        return {key: _with_names(item, names) for key, item in value.items()}
    return value


def _how(before: list[Plain], after: list[Plain]) -> str:
    """How the steps of a resource differ, in words."""
    if _kinds(before) != _kinds(after):
        return f"the plan has {_counted(before)}; planning again gives {_counted(after)}"
    old, new = next((old, new) for old, new in zip(before, after, strict=True) if old != new)
    keys = ", ".join(sorted(key for key in {*old, *new} if old.get(key) != new.get(key)))
    return f"its step {new['kind']} differs from what planning gives ({keys})"


def _kinds(steps: Iterable[Plain]) -> list[object]:
    return [step["kind"] for step in steps]


def _counted(steps: Iterable[Plain]) -> str:
    counts = Counter(str(step["kind"]) for step in steps)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "no steps"


# -- changes


def _other_changes(saved: Plan, made: Plan, ended: frozenset[Address]) -> list[Diagnostic]:
    """The resources whose change reads otherwise; the plan's own list of deletes that wait for consent."""
    before, after = _changes(saved), _changes(made)
    found = []
    for address in dict.fromkeys((*before, *after)):
        if address in ended:
            continue
        old, new = before.get(address), after.get(address)
        if old is None or new is None:
            found.append(
                _differs(f"{address}: the plan {'leaves it out' if old is None else 'has it, planning has not'}")
            )
        elif keys := sorted(key for key in new if old[key] != new[key]):
            found.append(_differs(f"{address}: the plan shows something else than planning gives ({', '.join(keys)})"))
    if set(saved.withheld) != set(made.withheld):
        found.append(_differs("the deletes that wait for consent are others than planning gives"))
    return found


def _changes(plan: Plan) -> dict[Address, Plain]:
    """The changes as JSON, without what may differ between two plans of the same inputs."""
    listed = plan_to_json(plan)["changes"]
    assert isinstance(listed, list)
    return {change.address: _lasting(change, plain) for change, plain in zip(plan.changes, listed, strict=True)}


def _lasting(change: Change, plain: Plain) -> Plain:
    lasting = {key: value for key, value in plain.items() if key not in _COMPARED_SEPARATELY}
    # the place in the queue moves; the service lists images in no promised order
    lasting["reasons"] = [] if change.action is Action.WAIT else sorted(map(compact, change.reasons))
    # follows from the state, and earlier releases did not write it
    lasting["image_details"] = [{k: v for k, v in one.items() if k != "previous_sha256"} for one in _details(plain)]
    lasting["notes"] = sorted(compact(note) for note in change.notes if not isinstance(note, _PASSING))
    # what is drawn is compared; its price is compared separately, and samples that are being drawn may have ended
    lasting["samples"] = [compact(sample) for sample in change.samples.draw]
    return lasting


def _details(plain: Plain) -> list[Plain]:
    details = plain["image_details"]
    assert isinstance(details, list)
    return details


def _dearer(saved: Plan, made: Plan) -> list[Diagnostic]:
    """The resources that cost more now than the plan approves. One whose cost it calls unknown is left to limits."""
    said = {change.address: change for change in saved.changes}
    found = []
    for change in made.changes:
        before, now = said.get(change.address), change.total_cost.cu
        if before is None or now is None or before.total_cost.source == "unknown":
            continue
        if now <= approved_cost(before) + approved_samples(before):
            continue
        told = f"{change.address}: it costs {amount(now)} CU now, {amount(before.total_cost.cu or 0)} CU in the plan"
        found.append(_differs(told))
    return found
