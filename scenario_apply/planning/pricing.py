"""What a plan costs: quoted by the service, else from the state's own history, else unknown; never 0 for unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scenario_apply.model.address import Address
from scenario_apply.model.training_types import training_steps
from scenario_apply.planning.attributes import Spec, declared_parameters
from scenario_apply.planning.changes import Change, Cost
from scenario_apply.planning.decision import Decision
from scenario_apply.state.state import State

SAME_SIZE = 0.25
"""Two datasets are of a size when their image counts differ by at most this share."""

QUOTE_NOTE = "the quote is for the"
"""How the note begins that says what a quote covers. It comes and goes with the quote, like the price itself."""


def needs_quote(verdict: Decision) -> bool:
    """Whether the service can be asked: something is trained, and the resource has a model of that type there."""
    if not verdict.train or verdict.spec is None or verdict.record is None or verdict.edit.gone:
        return False
    return verdict.record.working.type == verdict.spec.type


def priced(change: Change, verdict: Decision, quotes: Mapping[Address, float], state: State) -> Change:
    """The change with its cost."""
    if not verdict.train or verdict.spec is None:
        return change
    quoted = quotes.get(change.address)
    if quoted is not None:
        return replace(
            change, cost=Cost(cu=quoted, source="quoted"), notes=(*change.notes, *_quoted_for(change, verdict))
        )
    past = cost_from_history(state, verdict.spec, change.image_count)
    if past is not None:
        return replace(change, cost=Cost(cu=past, source="history"))
    return replace(change, cost=Cost(cu=None, source="unknown"))


def _quoted_for(change: Change, verdict: Decision) -> tuple[str, ...]:
    """The service prices a model with the images it has now; a note where it will have more or fewer."""
    record = verdict.record
    held = 0 if record is None else len(record.working.images)
    if held == change.image_count or not held:
        return ()
    return (f"{QUOTE_NOTE} {held} images it has now, not for the {change.image_count} it will have",)


def cost_from_history(state: State, spec: Spec, images: int) -> float | None:
    """What the last training of that type and about that many images was charged, in CU, for as many steps.

    The price grows linearly with the steps: one of twice the epochs costs twice. Source: the API contract, "Dry run".
    """
    best: tuple[str, float] | None = None
    steps = training_steps(spec.type, declared_parameters(spec), images)
    for record in state.records.values():
        for version in record.versions():
            # 0 is a refund of a training that failed, not a price
            if version.type != spec.type or not version.charged:
                continue
            count = len(version.pairs) or len(version.images)
            if abs(count - images) > SAME_SIZE * max(images, 1):
                continue
            taken = training_steps(version.type, version.parameters, count)
            scale = steps / taken if steps and taken else 1.0
            when = version.launched_at or ""
            if best is None or when > best[0]:
                best = (when, round(version.charged * scale, 2))
    return None if best is None else best[1]
