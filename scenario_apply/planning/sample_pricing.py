"""What samples cost: quoted with the trained model, else estimated with another one or with the base alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.samples import Generation, SampleRequest, SampleSettings
from scenario_apply.planning.changes import Cost, CostSource, UnknownCost
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.owed_samples import NO_SAMPLES, OwedSample, SamplePlan, SampleWork
from scenario_apply.state.state import State, Version

PriceKey = tuple[ModelId, bool, bool, SampleSettings, int]
"""What a price depends on: base, whether a LoRA or a composition draws, settings but for the scale, reference pictures.

Which LoRA it is has no influence on any price that was seen. Source: the API contract, section 20. Each version is
quoted by itself once more before it draws.
"""

SampleOf = tuple[Address, str]
"""A sample of a resource, by its key."""

Terms = tuple[ModelId, SampleSettings, bool]
"""What a past price depends on: base, settings but for the scale, and whether a picture was edited."""

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
        return self.base, asked.lora is not None, asked.composition is not None, settings, len(asked.references)

    @property
    def model(self) -> ModelId | None:
        """The model that draws; None for the base alone."""
        return self.generation.lora or self.generation.composition


class QuotedSample(NamedTuple):
    """The answer to a dry run: CU, and with the model of which resource it was asked."""

    cu: float
    address: Address
    model: ModelId | None


PriceAnswer = QuotedSample | UnknownCost


class SampleCosts(Struct, frozen=True, kw_only=True):
    """Of the samples of a resource. each: CU of one, where all cost the same."""

    each: float | None = None
    cost: Cost = Cost()


class PlannedSamples(Struct, frozen=True, kw_only=True):
    """The samples of a plan with what they cost. notes: prices that could not be asked for."""

    plan: SamplePlan = NO_SAMPLES
    costs: Mapping[Address, SampleCosts] = field(default_factory=dict)
    notes: tuple[Diagnostic, ...] = ()


def price_questions(
    works: Mapping[Address, SampleWork], state: State, observed: Observed
) -> dict[SampleOf, PriceQuestion]:
    """What to ask for each sample, by resource and key; none for one that needs a picture while there is none."""
    questions, known = {}, _Known(state, observed)
    for address, work in works.items():
        for one in work.draw:
            question = _question(work, one, known)
            if question is not None:
                questions[address, one.request.key] = question
    return questions


def sample_costs(
    works: Mapping[Address, SampleWork],
    questions: Mapping[SampleOf, PriceQuestion],
    answers: Mapping[SampleOf, PriceAnswer],
    state: State,
) -> dict[Address, SampleCosts]:
    """The costs of each resource that draws. answers: CU, or why there is no price; {}: nothing was asked."""
    known = _Known(state, Observed())
    return {
        address: _sum(
            [
                _cost(one.request, questions.get(sample), answers.get(sample), known)
                for one in work.draw
                for sample in [(address, one.request.key)]
            ]
        )
        for address, work in works.items()
        if work.draw
    }


class _Known:
    """What the state says of prices, looked up once for all samples."""

    def __init__(self, state: State, observed: Observed) -> None:
        self._state, self._observed = state, observed

    @cached_property
    def trained(self) -> Mapping[str, tuple[Address, Version]]:
        """The first resource of each type that is trained, and that exists."""
        found: dict[str, tuple[Address, Version]] = {}
        for address in sorted(self._state.records):
            version = self._state.records[address].current
            if version.is_usable and not self._observed.is_gone(version.id):
                found.setdefault(version.type, (address, version))
        return found

    @cached_property
    def pictures(self) -> Mapping[str, AssetId]:
        """An asset of each picture, by what it holds."""
        return {asset.content: asset_id for asset_id, asset in self._state.assets().items()}

    @cached_property
    def charged(self) -> Mapping[Terms, tuple[str, float]]:
        """What the last sample of each base and settings was charged, and when."""
        found: dict[Terms, tuple[str, float]] = {}
        versions = (version for record in self._state.records.values() for version in record.versions())
        for sample in (sample for version in versions for sample in version.samples):
            if sample.phase == "drawn" and sample.charged:
                terms = _terms(sample.request)
                found[terms] = max(found.get(terms, ("", 0.0)), (sample.at, sample.charged))
        return found


def _question(work: SampleWork, one: OwedSample, known: _Known) -> PriceQuestion | None:
    request, model, basis = one.request, None if work.weights is None else work.weights.id, None
    if model is None:
        other = known.trained.get(work.type)
        basis = request.base if other is None else str(other[0])
        model = None if other is None else other[1].id
    references: tuple[AssetId, ...] = ()
    if one.reference is not None:
        found = _any_picture(known.pictures, one.reference.content)
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


def _any_picture(pictures: Mapping[str, AssetId], content: str) -> tuple[AssetId, bool] | None:
    """The asset of that picture, or, before it is uploaded, any other one; whether it is the picture."""
    if content in pictures:
        return pictures[content], True
    other = next(iter(pictures.values()), None)
    return None if other is None else (other, False)


def _cost(
    request: SampleRequest,
    question: PriceQuestion | None,
    answer: PriceAnswer | None,
    known: _Known,
) -> Cost:
    if question is None or not isinstance(answer, QuotedSample):
        why: UnknownCost = "no-reference" if question is None else "not-asked"
        why = answer if isinstance(answer, str) else why
        return _charged_before(known, request) or Cost(cu=None, source="unknown", why=why)
    if question.basis is not None:
        return Cost(cu=answer.cu, source="estimate", basis=question.basis)
    asked_with = None if answer.model == question.model else str(answer.address)
    return Cost(cu=answer.cu, source="quoted", basis=asked_with)


def _charged_before(known: _Known, request: SampleRequest) -> Cost | None:
    """What the last sample of the same base and settings was charged."""
    past = known.charged.get(_terms(request))
    return None if past is None else Cost(cu=past[1], source="history", basis=past[0][:10])


def _terms(request: SampleRequest) -> Terms:
    return request.base, replace(request.settings, scale=None), request.reference is not None


def _sum(costs: Sequence[Cost]) -> SampleCosts:
    """The sum, as certain as the least certain of them; unknown where one of them is."""
    worst = min(costs, key=lambda cost: (_WORST_FIRST.index(cost.source), cost.basis is None))
    known = [cost.cu for cost in costs if cost.cu is not None]
    if len(known) < len(costs):
        return SampleCosts(cost=worst)
    each = known[0] if len(set(known)) == 1 else None
    return SampleCosts(each=each, cost=replace(worst, cu=total(known)))
