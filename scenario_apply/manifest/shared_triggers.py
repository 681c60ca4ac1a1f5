"""T06 and T07: lint rules about triggers that need more than one dataset, its models and the compositions of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenario_apply.errors import Location
from scenario_apply.manifest.model_lint import severity_for
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.spec import CompositionSpec, DatasetSpec, ModelSpec
from scenario_apply.model.address import Address


def check_triggers(
    models: Mapping[Address, ModelSpec],
    compositions: Iterable[CompositionSpec],
    datasets: Mapping[str, DatasetSpec],
    report: Report,
) -> None:
    """Warns with the severity that the `lint:` of the datasets sets."""
    for model in models.values():
        _check_prompts(model, datasets[model.dataset], report)
    for composition in compositions:
        _check_parts(composition, models, datasets, report)


def _check_prompts(model: ModelSpec, dataset: DatasetSpec, report: Report) -> None:
    """T06: the previews of a training show what it learned only if they contain its trigger."""
    prompts = model.parameters.get("samplePrompts")
    if not dataset.trigger or not isinstance(prompts, list):
        return
    without = [prompt for prompt in prompts if isinstance(prompt, str) and prompt and dataset.trigger not in prompt]
    if without:
        shown = without[0] if len(without[0]) <= 60 else f"{without[0][:57]}..."
        count = "" if len(without) == 1 else f" (and {len(without) - 1} more)"
        what = f"{model.address}: the sample prompt {shown!r}{count} does not contain the trigger {dataset.trigger}"
        place = model.places.get("parameters.samplePrompts", model.place)
        _warn("T06", what, place, "write the trigger into it", [dataset], report)


def _check_parts(
    composition: CompositionSpec,
    models: Mapping[Address, ModelSpec],
    datasets: Mapping[str, DatasetSpec],
    report: Report,
) -> None:
    """T07: parts that share a trigger cannot be prompted separately."""
    seen: dict[str, ModelSpec] = {}
    for concept in composition.concepts:
        model = models.get(concept.model) if concept.model is not None else None
        trigger = datasets[model.dataset].trigger if model is not None else None
        if model is None or not trigger:
            continue
        first = seen.setdefault(trigger, model)
        if first.dataset != model.dataset:
            what = f"{composition.address} mixes {first.address} and {model.address}, which share the trigger {trigger}"
            pair = [datasets[first.dataset], datasets[model.dataset]]
            _warn("T07", what, concept.place, "give each dataset a trigger of its own", pair, report)


def _warn(code: str, what: str, place: Location, hint: str, owners: Iterable[DatasetSpec], report: Report) -> None:
    severity = severity_for(code, owners)
    if severity is not None:
        report.add(code, what, place, hint, severity)
