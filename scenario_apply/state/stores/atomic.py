"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress

from scenario_apply.state.stores.own_files import OwnFolder, temporary_name


def write_atomically(folder: OwnFolder, name: str, content: bytes, *, mode: int = 0o600) -> None:
    """Write beside the target, flush to disk, take the target's place, flush the folder. Raises OSError.

    The folder is made where it is missing. Only a regular file is replaced.
    """
    temporary = temporary_name(name)
    file = folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, create_folder=True)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        folder.rename(temporary, name)
    except BaseException:
        with suppress(FileNotFoundError, NotADirectoryError):
            folder.unlink(temporary)
        raise
    folder.sync()
