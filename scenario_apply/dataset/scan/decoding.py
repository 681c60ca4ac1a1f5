"""Who may decode a picture now, and how many pixels a run decodes at all.

A picture of 50 megapixels takes 200 to 800 MB while it is decoded: one at a time is decoded, whatever threads and
forked processes there are. A folder of a few megabytes can hold thousands of such pictures: what a scan decodes grows
with the bytes it read, and no further.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_PIXELS = 4_000_000
"""Above this many pixels a picture waits for its turn; below, decoding takes less than 70 MB."""

_FREE_PIXELS = 500_000_000  # six to ten seconds of decoding
_PIXELS_A_BYTE = 10  # photographs have one to eight
_LEAST_PIXELS = 40_000  # what opening any picture costs
_COMPARED_PIXELS = 2_000  # what comparing the colours of two pictures costs

_in_this_process = threading.Lock()
_between_processes: int | None = None  # an open file that parent and child lock in turn


class DecodingAllowance:
    """The pixels that one scan may decode. A forked process has a copy: share() first."""

    def __init__(self) -> None:
        self._left = _FREE_PIXELS
        self._lock = threading.Lock()

    def earn(self, size_bytes: int) -> None:
        """So many bytes of pictures are part of the scan."""
        with self._lock:
            self._left += size_bytes * _PIXELS_A_BYTE

    def share(self) -> None:
        """Two processes will use what is left: each gets half."""
        with self._lock:
            self._left //= 2

    @property
    def is_spent(self) -> bool:
        """Not even the smallest picture may be decoded any more."""
        return self._left < _LEAST_PIXELS

    def take_comparison(self) -> bool:
        """As take, for the colours of two pictures."""
        return self._take(_COMPARED_PIXELS)

    def take(self, pixels: int) -> bool:
        """False: too much has been decoded already; then nothing is taken."""
        return self._take(max(pixels, _LEAST_PIXELS))

    def _take(self, pixels: int) -> bool:
        with self._lock:
            if pixels > self._left:
                return False
            self._left -= pixels
            return True


@contextmanager
def decoding_turn(pixels: int) -> Iterator[None]:
    """Waits, for a large picture, until no other large one is being decoded."""
    if pixels <= LARGE_PIXELS:
        yield
        return
    with _in_this_process:
        if _between_processes is None:
            yield
            return
        import fcntl  # set only where there is fork

        fcntl.lockf(_between_processes, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(_between_processes, fcntl.LOCK_UN)


@contextmanager
def turns_between_processes() -> Iterator[None]:
    """While this lasts, a process forked from this one takes turns with it. The system frees a dead one's turn."""
    global _between_processes
    with tempfile.TemporaryFile() as file:
        _between_processes = file.fileno()
        try:
            yield
        finally:
            _between_processes = None
