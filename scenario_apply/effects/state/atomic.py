"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os


def write_atomically(path: str, content: bytes, *, mode: int = 0o600) -> None:
    """Write beside the target, flush to disk, take the target's place, flush the folder. Raises OSError."""
    folder = os.path.dirname(path) or "."
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(folder)


def sync_folder(folder: str) -> None:
    """Make a rename or a new name in folder survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
