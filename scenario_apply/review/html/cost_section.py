"""What the plan would cost and send, by resource and step, and what was charged so far, as bars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from scenario_apply.model.amounts import amount
from scenario_apply.planning.plan import Plan
from scenario_apply.review.html.charts import Chart, bars
from scenario_apply.review.html.page import Section
from scenario_apply.review.screen import counted
from scenario_apply.review.values import cost_text
from scenario_apply.state.spending import entries_of, sum_of
from scenario_apply.state.state import State

_STEPS = {
    "create": "create models", "upload": "upload pictures", "attach": "attach pictures", "detach": "detach pictures",
    "caption": "set captions", "pair": "set pairs", "update": "update labels", "tag": "set tags",
    "train": "launch trainings", "wait": "polls (estimate)", "delete": "delete models", "sample": "draw samples",
}  # fmt: skip


class CostView(NamedTuple):
    """facts: pairs of a name and a text."""

    facts: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]


def cost_section(state: State, plan: Plan | None = None) -> Section:
    """plan: the one of the page, if it has one; what it costs in all is in a section of its own."""
    charts = [] if plan is None else [*_planned(plan)]
    charges = [cu for _, _, cu in _charges(state)]
    total = f"{amount(sum(charges))} CU in {_launched(state)}" if charges else "nothing"
    view = CostView((("Charged so far", total),), (*charts, *_charged(state)))
    return Section("budget", "Budget", "cost.html.jinja", view, total if charges else "")


def _planned(plan: Plan) -> Iterator[Chart]:
    paid = [change for change in plan.changes if change.total_cost.source != "none"]
    if paid:
        order = sorted(paid, key=lambda change: -(change.total_cost.cu or 0))
        rows = [(str(change.address), change.total_cost.cu or 0.0, cost_text(change.total_cost)) for change in order]
        unknown = len(plan.costs("unknown"))
        trainings = sum(change.cost.source != "none" for change in paid)
        what = [counted(trainings, "training")] if trainings else []
        what += [counted(plan.samples_count, "sample")] if plan.samples_count else []
        summary = " and ".join(what) + (f", {counted(unknown, 'resource')} of unknown cost." if unknown else ".")
        yield bars("cost-next", "Cost of the next apply", summary, rows, head=("Resource", "Cost"))
    steps = sorted(plan.requests_by_step.items(), key=lambda item: -item[1])
    if steps:
        summary = f"{counted(plan.requests_total, 'request')} in all; polls are an estimate."
        counts = [(_STEPS.get(kind, kind), float(count), f"{count:,}") for kind, count in steps]
        yield bars("cost-requests", "Requests of the next apply", summary, counts, head=("Step", "Requests"))


def _charged(state: State) -> Iterator[Chart]:
    charges = _charges(state)
    if not charges:
        return
    by_model: defaultdict[str, float] = defaultdict(float)
    by_month: defaultdict[str, float] = defaultdict(float)
    for address, month, cu in charges:
        by_model[address] += cu
        by_month[month] += cu
    ranked = sorted(by_model.items(), key=lambda item: -item[1])
    months = sorted(by_month.items())[-12:]
    yield bars(
        "cost-models",
        "Charged so far, by resource",
        f"{amount(sum(by_model.values()))} CU for the {'trainings and samples' if state.samples else 'trainings'} "
        "that the state records.",
        [(address, cu, f"{amount(cu)} CU") for address, cu in ranked],
        head=("Resource", "Charged"),
    )
    yield bars(
        "cost-months",
        "Charged so far, by month",
        f"By the month in which the training{' or sample' if state.samples else ''} was launched.",
        [(month, cu, f"{amount(cu)} CU") for month, cu in months],
        head=("Month", "Charged"),
    )


def _charges(state: State) -> list[tuple[str, str, float]]:
    """Address, month and CU of everything whose charge is recorded, also where its model is gone."""
    return [(str(one.address), one.at[:7], one.charged) for one in entries_of(state) if one.charged is not None]


def _launched(state: State) -> str:
    """'2 trainings and 8 samples', of those whose charge is recorded."""
    found = sum_of(entry for entry in entries_of(state) if entry.charged is not None)
    samples = [counted(found.samples, "sample")] if found.samples else []
    return " and ".join([counted(found.trainings, "training"), *samples])
