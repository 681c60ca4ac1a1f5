"""Finds pictures that a plan would upload and of which only the Git LFS pointer is on this machine."""

from __future__ import annotations

from collections.abc import Iterable

from scenario_apply.dataset.types import Image
from scenario_apply.model.picture_options import UNKNOWN_RECIPE
from scenario_apply.model.steps import PlannedStep, StartTraining, UploadImage
from scenario_apply.planning.desired import Desired


def unpulled_pictures(steps: Iterable[PlannedStep], desired: Desired) -> tuple[Image, ...]:
    """The pictures, each file once, in the order of their uploads. A plan without uploads and trainings needs none.

    A training needs the recipes of all its pictures, which say what it is made of.
    """
    planned = [one.step for one in steps]
    uploads = [step for step in planned if isinstance(step, UploadImage)]
    trained = [step.address for step in planned if isinstance(step, StartTraining)]
    pointers: dict[str, Image] = {}
    files = dict.fromkeys(step.picture.file for step in uploads)
    for address in dict.fromkeys([*(step.address for step in uploads), *trained]):
        spec = desired.specs.get(address)
        dataset = None if spec is None else desired.dataset_of(spec)
        for image in () if dataset is None else dataset.contents.images:
            if image.is_lfs_pointer:
                pointers[image.file] = image
                if image.recipe == UNKNOWN_RECIPE:
                    files.setdefault(image.file)
        references = () if dataset is None else dataset.references.values()
        pointers |= {image.file: image for image in references if image.is_lfs_pointer}
    return tuple(pointers[file] for file in files if file in pointers)
