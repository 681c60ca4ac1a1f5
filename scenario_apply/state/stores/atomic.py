"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from scenario_apply.state.stores.own_files import OwnFolder, temporary_name


def write_atomically(
    folder: OwnFolder, name: str, content: bytes, *, mode: int = 0o600, exact_mode: bool = False
) -> None:
    """Write beside the target, flush to disk, take the target's place, flush the folder. Raises OSError.

    The folder is made where it is missing. Only a regular file is replaced. exact_mode: whatever the umask says.
    """
    with _written(folder, name, content, mode, exact_mode=exact_mode) as temporary:
        folder.rename(temporary, name)
    folder.sync()


def create_atomically(folder: OwnFolder, name: str, content: bytes, *, mode: int = 0o600) -> None:
    """The same for a name that nothing has yet. Raises FileExistsError, OSError."""
    with _written(folder, name, content, mode) as temporary:
        folder.link(temporary, name)
        with suppress(FileNotFoundError):
            folder.unlink(temporary)
    folder.sync()


@contextmanager
def _written(folder: OwnFolder, name: str, content: bytes, mode: int, *, exact_mode: bool = False) -> Iterator[str]:
    """The name of a temporary file with that content, on the disk; taken away when what follows fails."""
    temporary = temporary_name(name)
    file = folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, create_folder=True)
    try:
        with os.fdopen(file, "wb") as out:
            if exact_mode:
                os.fchmod(out.fileno(), mode)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        yield temporary
    except BaseException:
        with suppress(FileNotFoundError, NotADirectoryError):
            folder.unlink(temporary)
        raise
