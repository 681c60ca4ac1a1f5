"""What a plan needs to know for its samples: bases and prices from the service.

Imported only for plans with samples. Everything here is read; a price is a dry run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from scenario_apply.apply.base_lookup import find_bases
from scenario_apply.apply.environment import Environment
from scenario_apply.errors import ApiError, BadAnswer, Diagnostic, Refused, WriteInPlan
from scenario_apply.model.address import Address
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import ModelId
from scenario_apply.model.sample_bases import SampleBase, WantedBase
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.desired import Desired
from scenario_apply.planning.owed_samples import FindBase, SampleWork, plan_samples
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.sample_pricing import (
    PlannedSamples,
    PriceAnswer,
    PriceKey,
    PriceQuestion,
    QuotedSample,
    SampleOf,
    price_questions,
    sample_costs,
)

MOST_REFUSALS = 3
"""Of dry runs that should all cost the same: after that the others are refused as well."""


def planned_samples(
    environment: Environment,
    api: ScenarioApi | None,
    given: Inputs,
    decisions: Mapping[Address, Decision],
) -> PlannedSamples:
    """The samples that are owed and what they cost. api None: nothing is asked, and costs come from past samples."""
    plan = plan_samples(given, decisions, _base_finder(environment, api))
    questions = price_questions(plan.works, given.state, given.observed)
    answers, notes = _prices(api, questions) if api is not None else ({}, ())
    notes = (*notes, *_undecided(plan.works.values(), given.desired))
    return PlannedSamples(plan=plan, costs=sample_costs(plan.works, questions, answers, given.state), notes=notes)


def _undecided(works: Iterable[SampleWork], desired: Desired) -> Iterator[Diagnostic]:
    """Samples that are held back, since they may be paid already."""
    for work in works:
        for name in (one.name for one in work.waiting if one.is_undecided):
            yield Diagnostic(
                code="sample-undecided",
                severity="warning",
                message=f"whether sample {name} of {work.address} was drawn is not known, since its launch got no "
                "response: it is held back until Scenario tells",
                location=desired.specs[work.address].place,
                hint="use a key that may list jobs; another `seed:` has it drawn, and perhaps paid, a second time",
            )


def _base_finder(environment: Environment, api: ScenarioApi | None) -> FindBase:
    found: dict[WantedBase, SampleBase | Diagnostic] = {}

    def find(wanted: WantedBase) -> SampleBase | Diagnostic:
        if wanted not in found:
            found.update(find_bases(api, environment.clock, [wanted], environment.base_notes))
        return found[wanted]

    return find


# -- prices


def _prices(
    api: ScenarioApi, questions: Mapping[SampleOf, PriceQuestion]
) -> tuple[dict[SampleOf, PriceAnswer], tuple[Diagnostic, ...]]:
    """One dry run for all that are priced alike. Once the service cannot be asked, nothing more is asked.

    A refusal may be for the one model that was asked with: a few others are tried.
    """
    known: dict[PriceKey, PriceAnswer] = {}
    answers: dict[SampleOf, PriceAnswer] = {}
    refused: dict[PriceKey, set[ModelId | None]] = {}
    notes: list[Diagnostic] = []
    is_down = False
    for sample, question in questions.items():
        key = question.key
        others = refused.setdefault(key, set())
        if key in known or is_down:
            answers[sample] = known.get(key, "failed")
            continue
        if question.model in others or len(others) == MOST_REFUSALS:
            answers[sample] = "refused"
            continue
        try:
            price = api.quote_generation(question.base, question.generation)
            answers[sample] = known[key] = QuotedSample(price.cu, sample[0], question.model)
        except Refused:
            answers[sample] = "refused"
            others.add(question.model)
        except WriteInPlan:
            raise
        except ApiError as error:
            answers[sample] = known[key] = "failed"
            is_down = not isinstance(error, BadAnswer)
            notes.append(_not_quoted(question.base, error))
    return answers, tuple(notes)


def _not_quoted(base: ModelId, error: ApiError) -> Diagnostic:
    return Diagnostic(
        code="price-unknown",
        message=f"the cost of samples on {base} is not quoted: {error}",
        hint="the plan shows what such a sample cost before, where the state knows it",
        severity="warning",
    )
