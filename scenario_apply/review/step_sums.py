"""How many steps a training takes, in words and as JSON: the sum, and where its numbers come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import ModelSpec
from scenario_apply.model.did_you_mean import listed
from scenario_apply.planning.step_arithmetic import StepArithmetic, StepSource, step_arithmetic
from scenario_apply.review.screen import Screen, hanging, safe

_WORDS = {"nbRepeats": "repeats", "nbEpochs": "epochs", "batchSize": "batch"}


def sum_text(text: str, sources: Mapping[str, StepSource]) -> str:
    """The sum, and in brackets which of its numbers the model does not set itself."""
    parts = []
    for source, said in (
        ("defaults", "{} from defaults.models"),
        ("type", "{} by default of the type"),
        ("assumed", "{} not set and without a documented default, counted as 1"),
        ("unused", "{} not counted: maxTrainSteps decides"),
    ):
        names = [_WORDS.get(name, name) for name, value in sources.items() if value == source]
        if names and not (source == "type" and "maxTrainSteps" in names):  # then the sum says so
            parts.append(said.format(listed(names)))
    return f"{text} ({'; '.join(parts)})" if parts else text


def training_lines(models: Iterable[ModelSpec], dataset: Dataset, screen: Screen) -> list[str]:
    """A paragraph for each model that is trained on a dataset."""
    lines: list[str] = []
    for model in models:
        steps = step_arithmetic(model, dataset.image_count, dataset.pair_count)
        said = "the number of steps is not known" if steps is None else sum_text(steps.text, steps.sources)
        lines += hanging("", safe(f"{model.address} ({model.type}): {said}"), screen)
    return lines


def trainings_json(models: Iterable[ModelSpec], dataset: Dataset) -> list[dict[str, object]]:
    """address, type, and steps, arithmetic and step_sources as in a plan; null where the steps are not known."""
    return [
        {
            "address": str(model.address),
            "type": model.type,
            **_plain(step_arithmetic(model, dataset.image_count, dataset.pair_count)),
        }
        for model in models
    ]


def _plain(steps: StepArithmetic | None) -> dict[str, object]:
    if steps is None:
        return {"steps": None, "arithmetic": None, "step_sources": {}}
    return {"steps": steps.steps, "arithmetic": steps.text, "step_sources": dict(steps.sources)}
