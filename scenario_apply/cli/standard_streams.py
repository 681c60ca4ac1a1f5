"""stdout and stderr that the caller closed, or that break while they are written: a full disk, a reader that left."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


class OutputLost(OSError):
    """The answer of a command did not reach stdout, though a program may wait for it there."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error.errno, f"the answer cannot be written to standard output: {error.strerror or error}")


def put(stream: TextIO, text: str) -> None:
    """Write and flush. What stderr does not take is lost, as with 2>/dev/null: it must not end a run that pays.

    Raises OutputLost when stdout takes nothing, BrokenPipeError when its reader has left, as in `| head`.
    """
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        if stream is sys.stderr:
            silence(stream)
            return
        if stream is not sys.stdout or isinstance(error, BrokenPipeError):
            raise
        silence(stream)
        raise OutputLost(error) from error


def silence(stream: TextIO) -> None:
    """From now on it is /dev/null; what is still buffered must not fail again at exit."""
    with suppress(OSError, ValueError):  # ValueError: a stream without a number, or a closed one
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, stream.fileno())
        finally:
            os.close(null)
