"""Diagnostics for pictures that are not on this machine: warnings of a plan, errors of an apply."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from scenario_apply.apply.git_lfs.pull import PointerWork, pointers_of
from scenario_apply.dataset.types import Image
from scenario_apply.errors import Diagnostic, Location
from scenario_apply.manifest.spec import Manifest

CODE = "lfs-pointer"


def pointers_planned(images: Iterable[Image], manifest: Manifest) -> tuple[Diagnostic, ...]:
    """Warnings of a plan: the pictures that an apply pulls first."""
    found: list[Diagnostic] = []
    for work in pointers_of(images, manifest.root):
        command = work.command(".")
        hint = (
            f"put the picture itself in its place: {work.why}"
            if command is None
            else f"apply pulls it first; or run `{command}`"
        )
        what = "is a Git LFS pointer, and the picture itself has to be uploaded"
        found += [
            Diagnostic(code=CODE, message=what, location=_place(manifest, file), hint=hint, severity="warning")
            for file in _files(work)
        ]
    return tuple(found)


def pointers_missing(work: PointerWork, manifest: Manifest, why: str | None) -> list[Diagnostic]:
    """Errors of an apply: the pictures of one checkout, and the command that pulls them. why: it was not done."""
    command = work.command(".")
    hint = f"put the picture itself in its place: {why or work.why}" if command is None else f"run `{command}`"
    what = "is a Git LFS pointer, and the picture itself has to be uploaded"
    reason = f": {why}" if why is not None and command is not None else ""
    return [
        Diagnostic(code=CODE, message=f"{what}{reason}", location=_place(manifest, file), hint=hint)
        for file in _files(work)
    ]


def _files(work: PointerWork) -> list[str]:
    return [pointer.file for pointer in work.pointers]


def _place(manifest: Manifest, file: str) -> Location:
    folder = manifest.path if manifest.is_folder else posixpath.dirname(manifest.path)
    return Location(file=posixpath.normpath(posixpath.join(folder, file)))
