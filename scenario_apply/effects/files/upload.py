"""The bytes of a picture once more, right before they are sent: unchanged, whole, and here."""

from __future__ import annotations

import os
from hashlib import sha256

from scenario_apply.core.dataset.types import Image
from scenario_apply.errors import ManifestError, Place

_POINTER_BYTES = 1024  # a Git LFS pointer is smaller


def read_for_upload(root: str, image: Image) -> bytes:
    """The picture's bytes, read once. Raises ManifestError: image-changed, image-missing, image-damaged, lfs-pointer.

    They are hashed and checked right here, so what is sent is what was planned and a whole picture.
    """
    from scenario_apply.effects.files.pictures import DamagedPicture, verify

    try:
        with open(os.path.join(root, image.file), "rb") as file:
            body = file.read()
    except FileNotFoundError as error:
        raise _refused(image, "image-missing", "is gone since it was scanned", "put it back, or plan again") from error
    except OSError as error:
        raise _refused(image, "image-missing", f"cannot be read: {error.strerror}") from error
    if len(body) < _POINTER_BYTES and body.startswith(b"version https://git-lfs"):
        raise _refused(image, "lfs-pointer", "is a Git LFS pointer: the picture itself is not here", "git lfs pull")
    if sha256(body).hexdigest() != image.sha256:
        raise _refused(image, "image-changed", "changed since it was scanned", "plan again")
    try:
        verify(body)
    except DamagedPicture as error:
        raise _refused(image, "image-damaged", f"is damaged: {error}", "export or download it again") from error
    return body


def _refused(image: Image, code: str, what: str, mend: str | None = None) -> ManifestError:
    return ManifestError(f"{image.file} {what}", where=Place(file=image.file), mend=mend, code=code)
