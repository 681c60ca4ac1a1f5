"""A decision, its steps and its cost -> the change that a plan shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.steps import PlannedStep, requests_of
from scenario_apply.planning.attributes import (
    LabelChange,
    Spec,
    declared_attributes,
    recorded_attributes,
)
from scenario_apply.planning.changes import Action, Affected, Change, Cost, SampleChange, SampleDiff
from scenario_apply.planning.decision import (
    ContentWork,
    Create,
    Decision,
    Delete,
    Forget,
    Keep,
    Relabel,
    Wait,
    action_of,
)
from scenario_apply.planning.owed_samples import NO_SAMPLES, OwedSample, SampleWork
from scenario_apply.planning.pricing import quote_notes
from scenario_apply.planning.sample_pricing import SampleCosts
from scenario_apply.planning.step_arithmetic import step_arithmetic
from scenario_apply.state.state import Version

NOTHING_AFFECTED: Mapping[Address, tuple[Affected, ...]] = {}
NO_COSTS: Mapping[Address, SampleCosts] = {}


def changes_of(
    decisions: Mapping[Address, Decision],
    steps: Sequence[PlannedStep],
    costs: Mapping[Address, Cost],
    affects: Mapping[Address, tuple[Affected, ...]] = NOTHING_AFFECTED,
    samples: Mapping[Address, SampleWork] = NO_SAMPLES.works,
    sample_costs: Mapping[Address, SampleCosts] = NO_COSTS,
) -> tuple[Change, ...]:
    """One change per resource, in address order, unchanged resources included. affects: see blast_radius.py."""
    by_address: dict[Address, list[PlannedStep]] = {}
    for planned in steps:
        by_address.setdefault(planned.address, []).append(planned)
    changes = (
        _change(decisions[address], by_address.get(address, []), costs[address], affects.get(address, ()))
        for address in sorted(decisions)
    )
    return tuple(
        with_samples(change, samples[change.address], sample_costs) if change.address in samples else change
        for change in changes
    )


def with_samples(change: Change, work: SampleWork, costs: Mapping[Address, SampleCosts]) -> Change:
    """A change that draws samples, too. One that does nothing else updates the resource, or waits for its samples."""
    priced = costs.get(work.address, SampleCosts())
    diff = SampleDiff(
        draw=tuple(map(_sample, work.draw)),
        waiting=tuple(one.name for one in work.waiting),
        each=priced.each,
        cost=priced.cost,
    )
    if change.action is Action.NONE:
        change = replace(change, action=Action.UPDATE if work.draw else Action.WAIT)
    if change.action in (Action.WAIT, Action.UPDATE) and not change.reasons and not work.draw:
        change = replace(change, reasons=work.drawing)
    else:
        told = work.reasons if work.weights is not None else ()
        change = replace(change, reasons=(*change.reasons, *told), notes=(*change.notes, *work.drawing))
    if work.draw and change.change_class != "training":
        change = replace(change, change_class="samples")
    return replace(change, samples=diff)


def _sample(owed: OwedSample) -> SampleChange:
    request = owed.request
    return SampleChange(
        name=request.name,
        prompt=request.prompt,
        seed=request.seed,
        base=request.base,
        settings=request.settings,
        news=owed.news,
        previous=owed.previous,
        reason=owed.reason,
    )


def _change(decision: Decision, steps: Sequence[PlannedStep], cost: Cost, affects: tuple[Affected, ...]) -> Change:
    return Change(
        address=decision.address,
        action=action_of(decision),
        reasons=decision.reasons,
        notes=(*decision.notes, *quote_notes(decision, cost)),
        cost=cost,
        requests=sum(requests_of(planned.step) for planned in steps),
        steps=tuple(planned.id for planned in steps),
        previous_address=decision.edit.moved_from,
        place=None if decision.spec is None else decision.spec.place,
        edit=decision.edit,
        affects=affects,
        **_details(decision),
    )


def _details(decision: Decision) -> dict[str, Any]:
    """change_class, before, after, images, captions, pairs, image_count, arithmetic and step_sources, as far
    as they apply."""
    match decision:
        case ContentWork():
            return _content_details(decision)
        case Keep():
            if decision.version is None:
                return {}
            details = _label_details(decision.version, decision.spec, LabelChange())
            # what an import brings in was not there before
            return details if decision.edit.record is None else {**details, "before": None}
        case Relabel() | Wait():
            return _label_details(decision.version, decision.spec, decision.labels)
        case Delete() | Forget():
            record = decision.record
            if record is None or (isinstance(decision, Forget) and not decision.gone):
                return {}
            return {
                "change_class": "metadata" if isinstance(decision, Delete) else "free",
                "before": recorded_attributes(record.working),
                "image_count": len(record.working.images),
            }
        case _:
            assert_never(decision)


def _content_details(work: ContentWork) -> dict[str, Any]:
    images, pairs = len(work.contents.images), len(work.contents.pairs)
    steps = step_arithmetic(work.declared, images, pairs)
    before = None if isinstance(work, Create) or work.record is None else recorded_attributes(work.record.working)
    return {
        "change_class": "training" if work.trains else "metadata",
        "before": before,
        "after": declared_attributes(work.declared),
        "images": work.content.images,
        "captions": work.content.captions,
        "pairs": work.content.pairs,
        "image_count": images,
        "arithmetic": None if steps is None else steps.text,
        "step_sources": {} if steps is None else steps.sources,
    }


def _label_details(version: Version, spec: Spec | None, labels: LabelChange) -> dict[str, Any]:
    before = recorded_attributes(version)
    after = {**before, **labels.labels}
    if labels.epoch is not None:
        before |= {} if labels.epoch.old is None else {"epoch": labels.epoch.old}
        after["epoch"] = labels.epoch.new
    if spec is not None and (labels.tags_add or labels.tags_delete):
        after["tags"] = list(spec.tags)
    return {
        "change_class": "metadata" if labels else "free",
        "before": before,
        "after": after,
        "image_count": len(version.images),
    }
