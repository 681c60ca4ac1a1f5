"""What a plan costs: quoted by the service, else estimated and marked so, else unknown; never 0 for unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from scenario_apply.dataset.types import Contents
from scenario_apply.model.address import Address
from scenario_apply.model.training_types import training_steps
from scenario_apply.planning.attributes import Spec, declared_parameters
from scenario_apply.planning.changes import Cost, UnknownCost
from scenario_apply.planning.decision import ContentWork, Create, Decision, Replace
from scenario_apply.planning.reasons import QuoteCovers, Reason
from scenario_apply.state.spending import quote_terms, trainings_of
from scenario_apply.state.state import State

SAME_SIZE = 0.25
"""Two datasets are of a size when their image counts differ by at most this share."""


class Quotes(Struct, frozen=True, kw_only=True):
    """What the service said of prices: CU by resource; why: of those that it gave none for."""

    cu: Mapping[Address, float] = field(default_factory=dict)
    why: Mapping[Address, UnknownCost] = field(default_factory=dict)


def needs_quote(decision: Decision) -> bool:
    """Whether the service can be asked: something is trained, and the resource has a model of that type there."""
    if not isinstance(decision, ContentWork) or not decision.trains or decision.record is None or decision.edit.gone:
        return False
    return decision.record.working.type == decision.declared.type


def images_priced(contents: Contents) -> int:
    """How many images a model of these contents has: a picture that several pairs share is one."""
    return len({(image.sha256, image.caption or "") for image in contents.images})


def recorded_quote(decision: ContentWork) -> float | None:
    """The quote that an earlier run got for this very training, where the service cannot be asked for it again.

    Once a model has images, a dry run prices those and no others. Source: the API contract, section 14.
    """
    if decision.record is None or isinstance(decision, Replace):
        return None
    version, images = decision.record.working, images_priced(decision.contents)
    if version.phase != "building" or version.quote is None or not 0 < len(version.images) < images:
        return None
    terms = quote_terms(version.type, declared_parameters(decision.declared), images)
    return version.quote.cu if version.quote.terms == terms else None


def exact_quotes(decisions: Iterable[Decision], quotes: Quotes) -> dict[Address, float]:
    """The quotes of the very trainings that are launched: of models that exist, with the images that they will have."""
    found: dict[Address, float] = {}
    for decision in decisions:
        cu = quotes.cu.get(decision.address)
        if cu is None or not isinstance(decision, ContentWork) or isinstance(decision, Create | Replace):
            continue
        held = 0 if decision.record is None else len(decision.record.working.images)
        if held in (0, images_priced(decision.contents)) or recorded_quote(decision) is not None:
            found[decision.address] = cu
    return found


def costs_of(decisions: Mapping[Address, Decision], quotes: Quotes, state: State) -> dict[Address, Cost]:
    """What each training costs: as quoted, else as charged before, else by a quote of its type, else unknown."""
    costs = {address: cost_of(decision, quotes.cu, state) for address, decision in decisions.items()}
    return {
        address: cost if cost.source != "unknown" else _by_type(decisions[address], decisions, quotes)
        for address, cost in costs.items()
    }


def cost_of(decision: Decision, quotes: Mapping[Address, float], state: State) -> Cost:
    """What its training costs: as quoted, else as charged before, else unknown."""
    if not isinstance(decision, ContentWork) or not decision.trains:
        return Cost()
    quoted = quotes.get(decision.address)
    if quoted is not None:
        return _quoted(decision, quoted)
    contents = decision.contents
    past = cost_from_history(state, decision.declared, len(contents.pairs) or len(contents.images))
    return past or Cost(cu=None, source="unknown")


def _quoted(decision: ContentWork, quoted: float) -> Cost:
    """A quote. Of a model that was filled in part it is one of too few images: the rest is scaled, and marked so."""
    held = 0 if decision.record is None else len(decision.record.working.images)
    wanted = images_priced(decision.contents)
    is_part = decision.record is not None and decision.record.working.phase == "building" and 0 < held < wanted
    if not is_part or recorded_quote(decision) is not None:
        return Cost(cu=quoted, source="quoted")
    scale = _scale(decision, wanted, decision, held)
    return Cost(cu=round(quoted * scale, 2), source="estimate", basis=str(decision.address))


def _by_type(decision: Decision, decisions: Mapping[Address, Decision], quotes: Quotes) -> Cost:
    """An estimate by the first quote of the same type in the plan, scaled by steps; else unknown, and why."""
    assert isinstance(decision, ContentWork)
    for address in sorted(quotes.cu):
        other = decisions.get(address)
        if not isinstance(other, ContentWork) or other.declared.type != decision.declared.type or other.record is None:
            continue
        priced = len(other.record.working.images) or images_priced(other.contents)
        scale = _scale(decision, images_priced(decision.contents), other, priced)
        return Cost(cu=round(quotes.cu[address] * scale, 2), source="estimate", basis=str(address))
    nothing: UnknownCost = "parts" if decision.address.kind == "composition" else "no-model"
    return Cost(cu=None, source="unknown", why=quotes.why.get(decision.address, nothing))


def _scale(wanted: ContentWork, images: int, quoted: ContentWork, priced: int) -> float:
    """How many times the steps of the quoted training the other one takes; 1 where that is not known."""
    steps, taken = (
        training_steps(work.declared.type, declared_parameters(work.declared), _counted(work, count))
        for work, count in ((wanted, images), (quoted, priced))
    )
    return steps / taken if steps and taken else 1.0


def _counted(work: ContentWork, images: int) -> int:
    """What the steps count: images, or pairs, of which a model that is filled in part has as large a share."""
    whole = images_priced(work.contents)
    return round(len(work.contents.pairs) * images / whole) if work.contents.pairs and whole else images


def quote_notes(decision: Decision, cost: Cost) -> tuple[Reason, ...]:
    """A note where the model will have more or fewer images than those that the service priced."""
    is_quoted = cost.source == "quoted" or cost.basis == str(decision.address)
    if not is_quoted or not isinstance(decision, ContentWork) or decision.record is None:
        return ()
    held, later = len(decision.record.working.images), images_priced(decision.contents)
    if not held or held == later or recorded_quote(decision) is not None:
        return ()
    return (QuoteCovers(held, later),)


def cost_from_history(state: State, spec: Spec, images: int) -> Cost | None:
    """What the last training of that type and about that many images (or pairs) was charged, in CU, for as many steps:
    one of the resource itself before one of others.

    The price grows linearly with the steps: one of twice the epochs costs twice. Source: the API contract, "Dry run".
    """
    best: tuple[tuple[bool, str], Cost] | None = None
    steps = training_steps(spec.type, declared_parameters(spec), images)
    for entry in trainings_of(state):
        # 0 is a refund of a training that failed, not a price
        if entry.type != spec.type or not entry.charged or entry.images is None:
            continue
        if abs(entry.images - images) > SAME_SIZE * max(images, 1):
            continue
        scale = steps / entry.steps if steps and entry.steps else 1.0
        rank = (entry.address == spec.address, entry.at)
        if best is None or rank > best[0]:
            best = (rank, Cost(cu=round(entry.charged * scale, 2), source="history", basis=entry.at[:10]))
    return None if best is None else best[1]
