"""What a plan costs: quoted by the service, else from the state's own history, else unknown; never 0 for unknown."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.model.address import Address
from scenario_apply.model.training_types import training_steps
from scenario_apply.planning.attributes import Spec, declared_parameters
from scenario_apply.planning.changes import Cost
from scenario_apply.planning.decision import ContentWork, Decision
from scenario_apply.planning.reasons import QuoteCovers, Reason
from scenario_apply.state.state import State

SAME_SIZE = 0.25
"""Two datasets are of a size when their image counts differ by at most this share."""


def needs_quote(decision: Decision) -> bool:
    """Whether the service can be asked: something is trained, and the resource has a model of that type there."""
    if not isinstance(decision, ContentWork) or not decision.trains or decision.record is None or decision.edit.gone:
        return False
    return decision.record.working.type == decision.declared.type


def cost_of(decision: Decision, quotes: Mapping[Address, float], state: State) -> Cost:
    """What its training costs: as quoted, else as charged before, else unknown."""
    if not isinstance(decision, ContentWork) or not decision.trains:
        return Cost()
    quoted = quotes.get(decision.address)
    if quoted is not None:
        return Cost(cu=quoted, source="quoted")
    contents = decision.contents
    past = cost_from_history(state, decision.declared, len(contents.pairs) or len(contents.images))
    return Cost(cu=past, source="unknown" if past is None else "history")


def quote_notes(decision: Decision, cost: Cost) -> tuple[Reason, ...]:
    """A note where the model will have more or fewer images than those that the service priced."""
    if cost.source != "quoted" or not isinstance(decision, ContentWork) or decision.record is None:
        return ()
    # a picture that several pairs share is one image of the model
    images = {(image.sha256, image.caption or "") for image in decision.contents.images}
    held, later = len(decision.record.working.images), len(images)
    return (QuoteCovers(held, later),) if held and held != later else ()


def cost_from_history(state: State, spec: Spec, images: int) -> float | None:
    """What the last training of that type and about that many images (or pairs) was charged, in CU, for as many steps.

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
