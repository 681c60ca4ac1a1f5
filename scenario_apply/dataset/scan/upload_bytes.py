"""Reads a picture right before it is uploaded, checks that it is unchanged and complete, and makes it fit."""

from __future__ import annotations

from hashlib import sha256

from scenario_apply.dataset.scan.barriers import refusal_finding
from scenario_apply.dataset.scan.virtual_files import VirtualFiles
from scenario_apply.dataset.types import Image
from scenario_apply.errors import Location, ManifestError
from scenario_apply.manifest.loader.data_guard import Barred, DataGuard
from scenario_apply.model.picture_options import UNKNOWN_RECIPE

_POINTER_BYTES = 1024  # a Git LFS pointer is smaller


def read_for_upload(root: str, image: Image, *, may_leave: bool = False, virtual: VirtualFiles | None = None) -> bytes:
    """The bytes to send. Raises ManifestError: image-changed, image-missing, image-damaged, lfs-pointer, outside-root,
    hidden-path.

    The file is read once, hashed and decoded here, so that exactly the planned picture is uploaded, altered as its
    recipe says. may_leave: its dataset may lie outside the root. virtual: opens files in zip files and behind
    URLs.
    """
    from scenario_apply.dataset.scan.alter_pictures import altered_picture
    from scenario_apply.dataset.scan.pillow_images import DamagedPicture

    try:
        with DataGuard(root, may_leave=may_leave, others=virtual or VirtualFiles()).opened(image.file) as file:
            body = file.read()
    except Barred as error:
        found = refusal_finding(error.barrier, image.file)
        where = Location(file=image.file)
        raise ManifestError(found.what, location=where, hint=found.hint, code=found.code) from error
    except FileNotFoundError as error:
        raise _refused(image, "image-missing", "was deleted after the scan", "restore it, or plan again") from error
    except OSError as error:
        raise _refused(image, "image-missing", f"cannot be read: {error.strerror}") from error
    if len(body) < _POINTER_BYTES and body.startswith(b"version https://git-lfs"):
        raise _refused(image, "lfs-pointer", "is a Git LFS pointer, not the picture itself", "git lfs pull")
    if sha256(body).hexdigest() != image.sha256:
        raise _refused(image, "image-changed", "changed since it was scanned", "plan again")
    if image.recipe == UNKNOWN_RECIPE:
        raise _refused(image, "image-changed", "was a Git LFS pointer when it was scanned", "plan again")
    try:
        return altered_picture(body, image.recipe)
    except DamagedPicture as error:
        raise _refused(image, "image-damaged", f"is damaged: {error}", "export or download it again") from error


def _refused(image: Image, code: str, what: str, hint: str | None = None) -> ManifestError:
    return ManifestError(f"{image.file} {what}", location=Location(file=image.file), hint=hint, code=code)
