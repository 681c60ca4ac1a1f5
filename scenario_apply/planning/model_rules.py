"""Lint rules that need models and the contents of their datasets: N06, D06."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.model_lint import severity_for
from scenario_apply.manifest.spec import DatasetSpec, Manifest, ModelSpec
from scenario_apply.model.lint_rules import settings_from
from scenario_apply.model.training_types import training_steps, training_type
from scenario_apply.planning.step_arithmetic import step_arithmetic

_NAMED = 3  # pictures of D06


def with_step_counts(manifest: Manifest, datasets: Mapping[str, Dataset]) -> Manifest:
    """The manifest, with N06 for each model that would train for more steps than its type allows."""
    found = {
        problem: None
        for model in manifest.models.values()
        if model.enabled and model.dataset in datasets
        for problem in _steps(model, manifest.datasets[model.dataset], datasets[model.dataset])
    }
    return replace(manifest, problems=(*manifest.problems, *found)) if found else manifest


def _steps(model: ModelSpec, spec: DatasetSpec, dataset: Dataset) -> Iterator[Diagnostic]:
    kind = training_type(model.type)
    steps = training_steps(kind, model.parameters, dataset.pair_count or dataset.image_count)
    rule = kind.parameters.get("maxTrainSteps")
    most = settings_from(spec.lint)[0].numbers["max-steps"]
    if "max-steps" not in spec.lint and rule is not None and rule.maximum is not None:
        most = max(most, rule.maximum)  # SDXL takes 40,000
    if steps is None or steps <= most:
        return
    severity = severity_for("N06", [spec])
    arithmetic = step_arithmetic(model, dataset.image_count, dataset.pair_count)
    if severity is None or arithmetic is None:
        return
    written = (f"parameters.{name}" for name in ("maxTrainSteps", "nbRepeats", "nbEpochs"))
    place = next((model.places[key] for key in written if key in model.places), model.place)
    hint = "lower nbRepeats or nbEpochs, or use fewer images"
    what = f"{model.address}: {arithmetic.text}; trainings take at most {most:g}"
    yield Diagnostic(code="N06", message=what, location=place, hint=hint, severity=severity)


def shared_pictures(manifest: Manifest, datasets: Mapping[str, Dataset]) -> tuple[Diagnostic, ...]:
    """D06: pictures that two datasets send with different captions. Loads the contents of every dataset."""
    first: dict[str, tuple[str, Image]] = {}
    shared: dict[tuple[str, str], list[str]] = {}  # a dataset, an earlier one -> pictures of the former
    for name, dataset in datasets.items():
        own: dict[str, tuple[str, Image]] = {}
        for image in () if manifest.datasets[name].is_pairs else dataset.contents.images:
            other, twin = first.get(image.sha256, (name, image))
            own.setdefault(image.sha256, (name, image))
            if twin.caption != image.caption:
                shared.setdefault((name, other), []).append(image.path)
        first = own | first
    return tuple(found for names, paths in shared.items() if (found := _shared(manifest, *names, paths)) is not None)


def _shared(manifest: Manifest, name: str, other: str, paths: Sequence[str]) -> Diagnostic | None:
    severity = severity_for("D06", [manifest.datasets[key] for key in (name, other)])
    if severity is None:
        return None
    listed = ", ".join(paths[:_NAMED]) + (", ..." if len(paths) > _NAMED else "")
    some = "1 picture is" if len(paths) == 1 else f"{len(paths)} pictures are"
    what = f"{some} in dataset.{name} and dataset.{other} with different captions: {listed}"
    hint = "nothing has to be done: each caption is uploaded with an asset of its own"
    return Diagnostic(code="D06", message=what, location=manifest.datasets[name].place, hint=hint, severity=severity)
