"""The bytes of a picture once more, right before they are sent: unchanged, whole, and here."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import IO

from scenario_apply.core.dataset.types import Image
from scenario_apply.errors import ManifestError, Place

_PIECE_BYTES = 1 << 20


def read_for_upload(root: str, image: Image) -> bytes:
    """The picture's bytes. Raises ManifestError: image-changed, image-missing, image-damaged or lfs-pointer."""
    file, _ = open_for_upload(root, image)
    with file:
        return file.read()


def open_for_upload(root: str, image: Image) -> tuple[IO[bytes], int]:
    """The picture as a file at its start, and its size in bytes; the caller closes it. Raises as read_for_upload.

    The file is hashed and decoded through the same handle that is handed out, a piece at a time.
    """
    path = os.path.join(root, image.file)
    try:
        file = open(path, "rb")  # noqa: SIM115  # handed out; closed here when a check fails
    except FileNotFoundError as error:
        raise _refused(image, "image-missing", "is gone since it was scanned", "put it back, or plan again") from error
    except OSError as error:
        raise _refused(image, "image-missing", f"cannot be read: {error.strerror}") from error
    try:
        size = _check(file, image)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, size


def _check(file: IO[bytes], image: Image) -> int:
    from scenario_apply.effects.files.pictures import DamagedPicture, verify

    digest, size = sha256(), 0
    while piece := file.read(_PIECE_BYTES):
        if not size and piece.startswith(b"version https://git-lfs") and len(piece) < 1024:
            raise _refused(image, "lfs-pointer", "is a Git LFS pointer: the picture itself is not here", "git lfs pull")
        digest.update(piece)
        size += len(piece)
    if digest.hexdigest() != image.sha256:
        raise _refused(image, "image-changed", "changed since it was scanned", "plan again")
    file.seek(0)
    try:
        verify(file)
    except DamagedPicture as error:
        raise _refused(image, "image-damaged", f"is damaged: {error}", "export or download it again") from error
    return size


def _refused(image: Image, code: str, what: str, mend: str | None = None) -> ManifestError:
    return ManifestError(f"{image.file} {what}", where=Place(file=image.file), mend=mend, code=code)
