"""The picture that a sample of an edit model starts from: one that it names, or the first before picture."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import ModelSpec, SampleSpec
from scenario_apply.model.file_names import nfc
from scenario_apply.model.sample_bases import known_base
from scenario_apply.model.training_types import training_type


def reference_of(sample: SampleSpec, dataset: Dataset, *, is_needed: bool) -> Image | None:
    """The picture; None for a sample that names none where none is needed, and where there is none.

    is_needed: by the base model or the type. Left out, it is the before picture of the first pair, in the natural order
    of paths.
    """
    if sample.reference is not None:
        return picture_at(dataset, sample.reference) or dataset.references.get(sample.reference)
    return first_before(dataset) if is_needed else None


def picture_at(dataset: Dataset, written: str) -> Image | None:
    """The picture of a dataset with that path, within the dataset or from the manifest's folder."""
    path = nfc(normpath(written.replace("\\", "/")))
    return next((image for image in dataset.contents.images if path in (image.path, image.file)), None)


def first_before(dataset: Dataset) -> Image | None:
    if not dataset.pair_count:
        return None
    contents = dataset.contents
    path = contents.pairs[0].before if contents.pairs else None
    return next((image for image in contents.images if image.path == path), None)


def default_problems(model: ModelSpec, dataset: Dataset) -> Iterator[Diagnostic]:
    """A note on what samples without a reference start from, and errors where they need one that there is not.

    Bases that are not known offline are judged once they are looked up.
    """
    needed = [sample for sample in model.samples.samples if sample.reference is None and _needs(model, sample)]
    without = [sample for sample in model.samples.samples if sample.reference is None] if edits(model.type) else needed
    if not without:
        return
    first = first_before(dataset)
    if first is None and any(problem.severity == "error" for problem in dataset.problems):
        return  # the dataset itself is wrong
    if first is None:
        yield from (missing_reference(model, sample) for sample in needed)
        return
    what = f"{model.address}: samples without a reference start from {first.path}, the first before picture of "
    yield Diagnostic(
        code="sample-reference",
        message=f"{what}dataset.{dataset.name}",
        location=without[0].place,
        hint="`reference:` names another picture",
        severity="info",
    )


def missing_reference(model: ModelSpec, sample: SampleSpec) -> Diagnostic:
    """The error for a sample whose base edits a picture, of a dataset that has no pairs."""
    what = f"{model.address}: sample {sample.name} needs a reference: its base model edits a picture"
    hint = "add `reference:` with the path of a picture below the manifest's folder"
    return Diagnostic(code="sample-reference", message=what, location=sample.place, hint=hint)


def edits(type_name: str) -> bool:
    """Whether a model of that type edits a picture: a sample without one would not show what it learned."""
    return training_type(type_name).dataset == "pairs"


def _needs(model: ModelSpec, sample: SampleSpec) -> bool:
    base = known_base(model.type, sample.base)
    return base is not None and base.needs_reference
