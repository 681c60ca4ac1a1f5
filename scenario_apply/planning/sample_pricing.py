"""What samples cost: quoted with the trained model, else estimated with another one or with the base alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.samples import Generation, SampleRequest, SampleSettings
from scenario_apply.planning.changes import Cost, CostSource, UnknownCost
from scenario_apply.planning.owed_samples import NO_SAMPLES, OwedSample, SamplePlan, SampleWork
from scenario_apply.state.state import State, Version

PriceKey = tuple[ModelId, ModelId | None, SampleSettings, int]
"""What a price depends on: base, model, settings but for the scale, reference pictures."""

_WORST_FIRST: tuple[CostSource, ...] = ("unknown", "estimate", "history", "quoted")


class PriceQuestion(Struct, frozen=True, kw_only=True):
    """A dry run. basis: of an estimate, the resource whose model stands in, or the base; None: it is a quote."""

    base: ModelId
    generation: Generation
    basis: str | None = None

    @property
    def key(self) -> PriceKey:
        """Two questions of the same key have the same answer."""
        asked = self.generation
        settings = replace(asked.settings, scale=None)
        return self.base, asked.lora or asked.composition, settings, len(asked.references)


class SampleCosts(Struct, frozen=True, kw_only=True):
    """Of the samples of a resource. each: CU of one, where all cost the same."""

    each: float | None = None
    cost: Cost = Cost()


class PlannedSamples(Struct, frozen=True, kw_only=True):
    """The samples of a plan with what they cost. notes: prices that could not be asked for."""

    plan: SamplePlan = NO_SAMPLES
    costs: Mapping[Address, SampleCosts] = field(default_factory=dict)
    notes: tuple[Diagnostic, ...] = ()


def price_questions(works: Mapping[Address, SampleWork], state: State) -> dict[tuple[Address, str], PriceQuestion]:
    """What to ask for each sample, by resource and key; none for one that needs a picture while there is none."""
    questions = {}
    for address, work in works.items():
        for one in work.draw:
            question = _question(work, one, state)
            if question is not None:
                questions[address, one.request.key] = question
    return questions


def sample_costs(
    works: Mapping[Address, SampleWork],
    questions: Mapping[tuple[Address, str], PriceQuestion],
    answers: Mapping[PriceKey, float | UnknownCost],
    state: State,
) -> dict[Address, SampleCosts]:
    """The costs of each resource that draws. answers: CU, or why there is no price; {}: nothing was asked."""
    return {
        address: _sum(
            [_cost(one.request, questions.get((address, one.request.key)), answers, state) for one in work.draw]
        )
        for address, work in works.items()
        if work.draw
    }


def _question(work: SampleWork, one: OwedSample, state: State) -> PriceQuestion | None:
    request, model, basis = one.request, None if work.weights is None else work.weights.id, None
    if model is None:
        other = next(_trained_of_type(state, work.type), None)
        basis = request.base if other is None else str(other[0])
        model = None if other is None else other[1].id
    references: tuple[AssetId, ...] = ()
    if one.reference is not None:
        found = _any_picture(state, one.reference.content)
        if found is None:
            return None
        references = (found[0],)
        basis = basis if found[1] else basis or request.base
    is_composition = work.address.kind == "composition"
    generation = Generation(
        prompt=request.prompt,
        seed=request.seed,
        lora=None if is_composition else model,
        composition=model if is_composition else None,
        settings=request.settings if model is not None else replace(request.settings, scale=None),
        references=references,
    )
    return PriceQuestion(base=request.base, generation=generation, basis=basis)


def _trained_of_type(state: State, type: str) -> Iterator[tuple[Address, Version]]:
    for address in sorted(state.records):
        version = state.records[address].current
        if version.type == type and version.is_usable:
            yield address, version


def _any_picture(state: State, content: str) -> tuple[AssetId, bool] | None:
    """The asset of that picture, or, before it is uploaded, any other one; whether it is the picture."""
    assets = state.assets()
    exact = next((asset_id for asset_id, asset in assets.items() if asset.content == content), None)
    if exact is not None:
        return exact, True
    other = next(iter(assets), None)
    return None if other is None else (other, False)


def _cost(
    request: SampleRequest,
    question: PriceQuestion | None,
    answers: Mapping[PriceKey, float | UnknownCost],
    state: State,
) -> Cost:
    answer = "no-reference" if question is None else answers.get(question.key, "not-asked")
    if not isinstance(answer, str):
        basis = None if question is None else question.basis
        return Cost(cu=answer, source="quoted" if basis is None else "estimate", basis=basis)
    return _charged_before(state, request) or Cost(cu=None, source="unknown", why=answer)


def _charged_before(state: State, request: SampleRequest) -> Cost | None:
    """What the last sample of the same base and settings was charged."""
    wanted = _terms(request)
    versions = (version for record in state.records.values() for version in record.versions())
    past = [
        (sample.at, sample.charged)
        for version in versions
        for sample in version.samples
        if sample.phase == "drawn" and sample.charged and _terms(sample.request) == wanted
    ]
    if not past:
        return None
    at, charged = max(past)
    return Cost(cu=charged, source="history", basis=at[:10])


def _terms(request: SampleRequest) -> tuple[ModelId, SampleSettings, bool]:
    return request.base, replace(request.settings, scale=None), request.reference is not None


def _sum(costs: Sequence[Cost]) -> SampleCosts:
    """The sum, as certain as the least certain of them; unknown where one of them is."""
    worst = min(costs, key=lambda cost: _WORST_FIRST.index(cost.source))
    known = [cost.cu for cost in costs if cost.cu is not None]
    if len(known) < len(costs):
        return SampleCosts(cost=worst)
    each = known[0] if len(set(known)) == 1 else None
    return SampleCosts(each=each, cost=replace(worst, cu=total(known)))
