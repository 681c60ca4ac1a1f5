"""Finds pictures that a plan would upload and of which only the Git LFS pointer is on this machine."""

from __future__ import annotations

from collections.abc import Iterable

from scenario_apply.dataset.types import Image
from scenario_apply.model.steps import PlannedStep, UploadImage
from scenario_apply.planning.desired import Desired


def unpulled_pictures(steps: Iterable[PlannedStep], desired: Desired) -> tuple[Image, ...]:
    """The pictures, each file once, in the order of their uploads. A plan without uploads needs none."""
    uploads = [planned.step for planned in steps if isinstance(planned.step, UploadImage)]
    if not uploads:
        return ()
    pointers = {
        image.file: image
        for address in dict.fromkeys(step.address for step in uploads)
        if (spec := desired.specs.get(address)) is not None
        for image in desired.contents_of(spec).images
        if image.is_lfs_pointer
    }
    files = dict.fromkeys(step.picture.file for step in uploads)
    return tuple(pointers[file] for file in files if file in pointers)
