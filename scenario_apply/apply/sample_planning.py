"""What a plan needs to know for its samples: bases and prices from the service, reference pictures from the disk.

Imported only for plans with samples. Everything here is read; a price is a dry run.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping

from scenario_apply.apply.base_lookup import find_bases
from scenario_apply.apply.environment import Environment
from scenario_apply.dataset.scan.reference_pictures import ReferenceRefused, read_reference
from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import ApiError, BadAnswer, Diagnostic, Refused, WriteInPlan
from scenario_apply.manifest.spec import SampleSpec
from scenario_apply.model.address import Address
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import ModelId
from scenario_apply.model.sample_bases import SampleBase, WantedBase
from scenario_apply.planning.changes import UnknownCost
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.owed_samples import FindBase, FindReference, plan_samples
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.sample_pricing import (
    PlannedSamples,
    PriceKey,
    PriceQuestion,
    price_questions,
    sample_costs,
)
from scenario_apply.state.state import State


def planned_samples(
    environment: Environment,
    api: ScenarioApi | None,
    given: Inputs,
    decisions: Mapping[Address, Decision],
    root: str,
) -> PlannedSamples:
    """The samples that are owed and what they cost. api None: nothing is asked, and costs come from past samples."""
    find_reference = _reference_finder(given.desired.datasets, root, given.state)
    plan = plan_samples(given, decisions, _base_finder(environment, api), find_reference)
    questions = price_questions(plan.works, given.state)
    answers, notes = _prices(api, questions.values()) if api is not None else ({}, ())
    return PlannedSamples(plan=plan, costs=sample_costs(plan.works, questions, answers, given.state), notes=notes)


def _base_finder(environment: Environment, api: ScenarioApi | None) -> FindBase:
    found: dict[WantedBase, SampleBase | Diagnostic] = {}

    def find(wanted: WantedBase) -> SampleBase | Diagnostic:
        if wanted not in found:
            found.update(find_bases(api, environment.clock, [wanted], environment.base_notes))
        return found[wanted]

    return find


# -- reference pictures


def _reference_finder(datasets: Mapping[str, Dataset], root: str, state: State) -> FindReference:
    """A picture of a dataset with what is done to it before it is sent; else a file below the root."""
    found: dict[str, Image | ReferenceRefused] = {}
    pictures: dict[str, Image] = {}

    def find(sample: SampleSpec) -> Image | Diagnostic:
        file = posixpath.normpath(sample.reference or "")
        if not found:
            pictures.update((i.file, i) for dataset in datasets.values() for i in dataset.contents.images)
        if file not in found:
            found[file] = pictures.get(file) or _read(root, file, state)
        answer = found[file]
        if isinstance(answer, Image):
            return answer
        what = f"the reference picture of sample {sample.name}: {answer}"
        return Diagnostic(code="sample-reference", message=what, location=sample.place, hint=answer.hint)

    return find


def _read(root: str, file: str, state: State) -> Image | ReferenceRefused:
    try:
        image = read_reference(root, file)
    except ReferenceRefused as refused:
        return refused
    if image.is_lfs_pointer and all(asset.content != image.content for asset in state.assets().values()):
        return ReferenceRefused(f"{file} is a Git LFS pointer, not the picture itself", "git lfs pull")
    return image


# -- prices


def _prices(
    api: ScenarioApi, questions: Iterable[PriceQuestion]
) -> tuple[dict[PriceKey, float | UnknownCost], tuple[Diagnostic, ...]]:
    """One dry run for each base, model and settings. Once the service cannot be asked, nothing more is asked."""
    answers: dict[PriceKey, float | UnknownCost] = {}
    notes: list[Diagnostic] = []
    is_down = False
    for question in questions:
        if question.key in answers:
            continue
        if is_down:
            answers[question.key] = "failed"
            continue
        try:
            answers[question.key] = api.quote_generation(question.base, question.generation).cu
        except Refused:
            answers[question.key] = "refused"
        except WriteInPlan:
            raise
        except ApiError as error:
            answers[question.key] = "failed"
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
