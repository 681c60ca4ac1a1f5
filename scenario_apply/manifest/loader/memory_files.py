"""Files without a name, for bytes that do not lie on the disk: read like any other by their descriptor."""

from __future__ import annotations

import os
import tempfile


def memory_file(data: bytes) -> int:
    """A descriptor of a file that holds data, at its start. It is gone when it is closed."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("dataset", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:  # private, and already without a name
            handle = os.dup(file.fileno())
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.lseek(handle, 0, os.SEEK_SET)
    except BaseException:
        os.close(handle)
        raise
    return handle
