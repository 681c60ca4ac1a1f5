"""Finds pictures that a plan would upload and of which only the Git LFS pointer is on this machine."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.steps import PlannedStep, UploadImage
from scenario_apply.planning.desired import Desired


def unpulled_pictures(steps: Iterable[PlannedStep], desired: Desired, manifest: Manifest) -> tuple[Diagnostic, ...]:
    """lfs-pointer errors, one for each file that has to be pulled first. A plan without uploads needs no pictures."""
    wanted = {planned.step.address for planned in steps if isinstance(planned.step, UploadImage)}
    if not wanted:
        return ()
    pointers = {
        image.file
        for address in wanted
        if (spec := desired.specs.get(address)) is not None
        for image in desired.contents_of(spec).images
        if image.is_lfs_pointer
    }
    uploads = dict.fromkeys(planned.step.picture.file for planned in steps if isinstance(planned.step, UploadImage))
    folder = manifest.path if manifest.is_folder else posixpath.dirname(manifest.path)
    return tuple(
        Diagnostic(
            code="lfs-pointer",
            message="is a Git LFS pointer, and the picture itself has to be uploaded",
            location=Location(file=posixpath.normpath(posixpath.join(folder, file))),
            hint="run `git lfs pull`",
            severity="error",
        )
        for file in uploads
        if file in pointers
    )
