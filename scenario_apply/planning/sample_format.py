"""The samples of a plan as JSON, and read back. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from scenario_apply.model import codec
from scenario_apply.model.codec import Count
from scenario_apply.planning.changes import Cost, CostSource, SampleChange, SampleDiff, UnknownCost
from scenario_apply.planning.plan import Plan

Amount = Annotated[float, Meta(ge=0)]


class SamplesDocument(Struct, kw_only=True):
    """Of a change. count: of samples that will be drawn, of one or more pictures each. each: CU of one sample, where
    all cost the same. waiting: names of those that are being drawn."""

    count: Count
    pictures: Count
    cu: Amount | None
    source: CostSource
    each: Amount | None = None
    why: UnknownCost | None = None
    basis: str | None = None
    draw: tuple[SampleChange, ...] = ()
    waiting: tuple[str, ...] = ()


class SamplesTotalDocument(Struct, kw_only=True):
    """Of the plan. quoted, from_history, estimate, unknown: resources by the source of what their samples cost."""

    cu: Amount | None
    count: Count
    pictures: Count
    quoted: list[str]
    estimate: list[str]
    unknown: list[str]
    from_history: list[str] = field(default_factory=list)


def samples_to_json(samples: SampleDiff) -> dict[str, object]:
    """Those of a change."""
    cost = samples.cost
    return {
        "count": len(samples.draw),
        "pictures": samples.pictures,
        "cu": cost.cu,
        "source": cost.source,
        "each": samples.each,
        **({"why": cost.why} if cost.why is not None else {}),
        **({"basis": cost.basis} if cost.basis is not None else {}),
        "draw": [_sample(sample) for sample in samples.draw],
        "waiting": list(samples.waiting),
    }


def _sample(sample: SampleChange) -> dict[str, object]:
    return {key: value for key, value in codec.plain(sample).items() if value is not None}


def total_of_samples(plan: Plan) -> dict[str, object]:
    """Those of the whole plan."""
    return {
        "cu": plan.samples_cu,
        "count": plan.samples_count,
        "pictures": sum(change.samples.pictures for change in plan.changes),
        "quoted": codec.plain(plan.sample_costs("quoted")),
        "from_history": codec.plain(plan.sample_costs("history")),
        "estimate": codec.plain(plan.sample_costs("estimate")),
        "unknown": codec.plain(plan.sample_costs("unknown")),
    }


def samples_of(document: SamplesDocument | None) -> SampleDiff:
    """What a document says of a change's samples; count and pictures follow from it."""
    if document is None:
        return SampleDiff()
    cost = Cost(cu=document.cu, source=document.source, why=document.why, basis=document.basis)
    return SampleDiff(draw=document.draw, waiting=document.waiting, each=document.each, cost=cost)
