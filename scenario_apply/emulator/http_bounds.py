"""Limits of one server on its connections: sizes, counts and times. The numbers are the emulator's own."""

from __future__ import annotations

import resource
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
_MOST_CONNECTIONS = 256
_FEWEST_CONNECTIONS = 8
_SPARE_FILES = 64
"""Descriptors that stay free for the database, pictures, webhooks and the program around the emulator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpBounds:
    """Sizes in bytes, times in seconds."""

    head_bytes: int = 64 * KIB
    """Of a request line with all headers; also of the bytes between the chunks of a body, and of trailers."""
    headers: int = 100
    body_bytes: int = 32 * MIB
    """Of one JSON body. A part of an upload is streamed to a file and bounded by what the upload announced."""
    body_bytes_in_flight: int = 256 * MIB
    """Of all request bodies that are in memory at one time."""
    discarded_bytes: int = 32 * MIB
    """Of a body that is still read after its request was refused, so that the client gets to see the answer."""
    connections: int = _MOST_CONNECTIONS
    idle_s: float = 120.0
    head_s: float = 20.0
    body_pause_s: float = 30.0
    """Between two pieces of a body."""
    body_s: float = 600.0
    """For a whole body."""
    answer_s: float = 3600.0
    """For an answer to be made; long, because the fault `hang` never makes one."""
    write_s: float = 30.0
    """Without the client reading any of an answer."""
    linger_s: float = 5.0
    """For what is left to be sent when a connection is closed."""


class ByteBudget:
    """Counts bytes in memory against a limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self.peak = 0
        """The highest count so far."""

    def take(self, count: int) -> bool:
        """Count more bytes; False, and nothing is counted, when that exceeds the limit."""
        if self.held + count > self.limit:
            return False
        self.held += count
        self.peak = max(self.peak, self.held)
        return True

    def give_back(self, count: int) -> None:
        """Count fewer bytes."""
        self.held -= count


def connections_for_this_process() -> int:
    """How many connections the process can afford: 256, or fewer when it may open few files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, soft - _SPARE_FILES))
