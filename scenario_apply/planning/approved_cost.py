"""The cost that is approved together with a saved plan. Pure."""

from __future__ import annotations

from scenario_apply.model.address import Address
from scenario_apply.planning.changes import Change, Cost
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.reasons import QuoteCovers

ESTIMATE_MARGIN = 0.25
"""A saved plan that shows an estimate approves so much more, as a share of it. A quote is approved as it stands."""


def approved_by(plan: Plan) -> dict[Address, float]:
    """What a saved plan approves for trainings, by resource: a quote as it stands, an estimate with a margin.

    Unknown is not here.
    """
    return {change.address: approved_cost(change) for change in plan.changes if change.cost.cu is not None}


def approved_cost(change: Change) -> float:
    """CU of its training; 0 where the cost is unknown, which approves nothing by itself."""
    cu = change.cost.cu or 0.0
    covers = next((note for note in change.notes if isinstance(note, QuoteCovers)), None)
    if covers is not None:  # the quote is of other images than those that are trained
        return cu * max(1.0, covers.images_later / max(covers.images, 1)) * (1 + ESTIMATE_MARGIN)
    return _with_margin(change.cost)


def approved_samples(change: Change) -> float:
    """CU of its samples; 0 where the cost is unknown."""
    return _with_margin(change.samples.cost)


def _with_margin(cost: Cost) -> float:
    cu = cost.cu or 0.0
    return cu if cost.source in ("quoted", "none") else cu * (1 + ESTIMATE_MARGIN)
