"""Finds the pictures that samples of edit models start from, and says what is wrong with them.

A reference is a picture of the model's dataset, or a file below the manifest's folder, read with the bounds of a
dataset: nothing hidden, nothing outside, no link that leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from posixpath import basename, normpath

from msgspec.structs import replace as with_fields

from scenario_apply.dataset.sample_references import default_problems, picture_at
from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import Diagnostic, Location
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec, ModelSpec, SampleSpec
from scenario_apply.model.address import Address

Scan = Callable[[Mapping[str, DatasetSpec]], Mapping[str, Dataset]]


def with_references(
    datasets: Mapping[str, Dataset], models: Mapping[Address, ModelSpec], scan: Scan
) -> Mapping[str, Dataset]:
    """The datasets with the references of their models' samples, and with the problems of those.

    scan: reads datasets of one picture each.
    """
    problems: dict[str, list[Diagnostic]] = {}
    outside: dict[str, dict[str, SampleSpec]] = {}  # dataset -> reference -> the first sample that names it
    for model in models.values():
        dataset = datasets.get(model.dataset)
        if dataset is None or not model.samples.samples:
            continue
        problems.setdefault(dataset.name, []).extend(default_problems(model, dataset))
        for sample in model.samples.samples:
            if sample.reference is not None and picture_at(dataset, sample.reference) is None:
                outside.setdefault(dataset.name, {}).setdefault(sample.reference, sample)
    if not outside:
        return _with(datasets, problems, {})
    samples = {written: sample for named in outside.values() for written, sample in named.items()}
    scanned = scan({written: _spec(written, sample) for written, sample in samples.items()})
    found: dict[str, dict[str, Image]] = {}
    for name, named in outside.items():
        for written, sample in named.items():
            image = _only_picture(scanned[written], written, sample)
            if image is not None:
                found.setdefault(name, {})[written] = image
            else:
                problems.setdefault(name, []).append(_refusal(scanned[written], written, sample))
    return _with(datasets, problems, found)


def _with(
    datasets: Mapping[str, Dataset],
    problems: Mapping[str, list[Diagnostic]],
    found: Mapping[str, Mapping[str, Image]],
) -> Mapping[str, Dataset]:
    changed = {
        name: with_fields(
            datasets[name],
            problems=(*datasets[name].problems, *dict.fromkeys(problems.get(name, ()))),
            references=found.get(name, {}),
        )
        for name in {*found, *(name for name, listed in problems.items() if listed)}
    }
    return {name: changed.get(name, dataset) for name, dataset in datasets.items()} if changed else datasets


def _spec(written: str, sample: SampleSpec) -> DatasetSpec:
    captions, lint = CaptionSource(kind="auto"), {"too-small": "off"}  # it trains nothing
    return DatasetSpec(name=written, images=(written,), captions=captions, lint=lint, place=_place(sample))


def _place(sample: SampleSpec) -> Location:
    return sample.reference_place or sample.place


def _only_picture(scanned: Dataset, written: str, sample: SampleSpec) -> Image | None:
    """The picture that is meant; other files of its folder do not count."""
    images = scanned.contents.images
    meant = [image for image in images if image.file == normpath(written.replace("\\", "/"))]
    found = meant or (list(images) if "://" in written and len(images) == 1 else [])
    return found[0] if found and not any(_errors(scanned, written, sample)) else None


def _errors(scanned: Dataset, written: str, sample: SampleSpec) -> Iterator[Diagnostic]:
    """Those about the reference itself; where it lies in a folder, that is listed whole."""
    name = basename(written.replace("\\", "/"))
    for problem in scanned.problems:
        at = problem.location
        if problem.severity == "error" and at is not None and (at == _place(sample) or basename(at.file) == name):
            yield problem


def _refusal(scanned: Dataset, written: str, sample: SampleSpec) -> Diagnostic:
    errors = list(_errors(scanned, written, sample))
    barred = [problem for problem in errors if problem.code != "N01"]
    missing = [problem for problem in errors if "does not exist" in problem.message]
    place = _place(sample)
    for problem in (*barred, *missing):
        hint = "move it below the manifest's folder" if problem.code == "outside-root" else problem.hint
        code = "sample-reference" if problem.code == "N01" else problem.code
        what = f"reference of a sample: {problem.message}"
        return replace(problem, code=code, message=what, location=place, hint=hint)
    what = f"reference of a sample: {written} is not the path of one picture"
    hint = "name one file, such as photo/01.png"
    return Diagnostic(code="sample-reference", message=what, location=place, hint=hint)
