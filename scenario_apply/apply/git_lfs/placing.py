"""Puts a picture in the place of its pointer, after its digest was checked. The file changes whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from msgspec import Struct

from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.manifest.loader.listing import is_within
from scenario_apply.model.git_content import POINTER_BYTES, pointed_at

_PIECE_BYTES = 1 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class Pointer(Struct, frozen=True, kw_only=True):
    """A pointer in a dataset. file: as the dataset names it. real: absolute, with links followed. size: in bytes."""

    file: str
    real: str
    sha256: str
    size: int


def pointer_at(guard: DataGuard, file: str) -> Pointer | None:
    """The pointer that the file is now; None if it is none any more. Raises Barred, OSError."""
    real = os.path.realpath(os.path.join(guard.root, file))
    with guard.opened(real) as opened:
        found = pointed_at(opened.read(POINTER_BYTES))
    return None if found is None else Pointer(file=file, real=real, sha256=found[0], size=found[1])


def place_object(guard: DataGuard, pointer: Pointer, objects: str) -> bool:
    """Replace the pointer by its picture. objects: a folder of Git LFS's objects. False: the picture is not there.

    Also when the object has another size or digest than the pointer says, or when the file is another one by now.
    Raises Barred, OSError.
    """
    digest = pointer.sha256
    path = os.path.realpath(os.path.join(objects, digest[:2], digest[2:4], digest))
    if not is_within(path, objects):
        return False
    try:
        source = os.open(path, _READ)
    except OSError:
        return False
    try:
        facts = os.fstat(source)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != pointer.size:
            return False
        return _replaced(guard, pointer, source)
    finally:
        os.close(source)


def _replaced(guard: DataGuard, pointer: Pointer, source: int) -> bool:
    folder_path, name = os.path.split(pointer.real)
    part = f".lfs-{pointer.sha256[:24]}.part"  # hidden: no scan takes it for a picture
    with _folder(guard, folder_path) as folder:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)  # of a run that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(part, flags, 0o600, dir_fd=folder), "wb") as target:
            try:
                is_it = _copied(source, target.fileno()) == pointer.sha256
                mode = _mode_of_pointer(folder, name, pointer)
                if is_it and mode is not None:
                    os.fchmod(target.fileno(), mode)
                    os.fsync(target.fileno())
                    os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
                    return True
            except BaseException:
                os.unlink(part, dir_fd=folder)
                raise
        os.unlink(part, dir_fd=folder)
    return False


@contextmanager
def _folder(guard: DataGuard, path: str) -> Iterator[int]:
    handle = guard.open_folder(path)
    try:
        yield handle
    finally:
        os.close(handle)


def _copied(source: int, target: int) -> str:
    """Copy all; the SHA-256 of what was copied."""
    digest = sha256()
    while piece := os.read(source, _PIECE_BYTES):
        digest.update(piece)
        left = memoryview(piece)
        while left:
            left = left[os.write(target, left) :]
    return digest.hexdigest()


def _mode_of_pointer(folder: int, name: str, pointer: Pointer) -> int | None:
    """The permissions of the file, if it is still that pointer: a picture that was put there meanwhile stays."""
    try:
        handle = os.open(name, _READ, dir_fd=folder)
    except OSError:
        return None
    with open(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        is_same = stat.S_ISREG(mode) and pointed_at(file.read(POINTER_BYTES)) == (pointer.sha256, pointer.size)
    return stat.S_IMODE(mode) & 0o777 if is_same else None
