"""Limits decoding: one large picture at a time, and a number of pixels per run.

Decoding a picture of 50 megapixels takes 200 to 800 MB, so only one is decoded at a time across all threads and
processes. A folder of a few megabytes can hold thousands of such pictures, so the pixels that a scan may decode are
proportional to the bytes it reads.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LARGE_PIXELS = 4_000_000
"""A picture with more pixels waits for its turn; decoding a smaller one takes less than 70 MB."""

_FREE_PIXELS = 500_000_000  # six to ten seconds of decoding
_PIXELS_A_BYTE = 10  # photographs have one to eight
_LEAST_PIXELS = 40_000  # the cost of opening any picture
_COMPARED_PIXELS = 40_000  # comparing the colours of two pictures takes up to a millisecond

_in_this_process = threading.Lock()
_between_processes: int | None = None  # an open file that processes lock in turn
_on_this_machine: int | None = None  # the same, for processes that were not forked from one another


class DecodingAllowance:
    """The pixels that one scan may decode. A forked process gets a copy, so call share() first, or use lent()."""

    def __init__(self, pixels: int | None = None) -> None:
        self._left = _FREE_PIXELS if pixels is None else pixels
        self._refused = False
        self._lock = threading.Lock()

    def earn(self, size_bytes: int) -> None:
        """Increases the allowance for pictures of so many bytes."""
        with self._lock:
            self._left += size_bytes * _PIXELS_A_BYTE

    def share(self, processes: int) -> None:
        """Divides what is left between processes, each of which uses a copy."""
        with self._lock:
            self._left //= processes

    def part(self, share: float) -> int:
        """The pixels of a part of what is left, for another process. share: from 0 to 1."""
        return int(self._left * share)

    @contextmanager
    def lent(self, processes: int) -> Iterator[None]:
        """Divides what is left between processes forked meanwhile. They say what they used: spend() it afterwards."""
        whole, refused = self._left, self._refused
        self.share(processes)
        self._refused = False
        try:
            yield
        finally:
            self._left, self._refused = whole, refused

    def spend(self, pixels: int) -> None:
        """Uses what another process used."""
        with self._lock:
            self._left -= pixels

    def has_refused(self) -> bool:
        """Whether a picture had more pixels than were left."""
        return self._refused

    @property
    def left(self) -> int:
        """The pixels that may still be decoded."""
        return self._left

    @property
    def is_spent(self) -> bool:
        """True when not even the smallest picture may be decoded."""
        return self._left < _LEAST_PIXELS

    def take_comparison(self) -> bool:
        """Like take, for comparing the colours of two pictures."""
        return self._take(_COMPARED_PIXELS)

    def take(self, pixels: int) -> bool:
        """Uses part of the allowance. False, without using any, when it is too small."""
        return self._take(max(pixels, _LEAST_PIXELS))

    def _take(self, pixels: int) -> bool:
        with self._lock:
            if pixels > self._left:
                self._refused = True
                return False
            self._left -= pixels
            return True


@contextmanager
def decoding_turn(pixels: int) -> Iterator[None]:
    """Waits, if the picture is large, until no other large picture is being decoded."""
    if pixels <= LARGE_PIXELS:
        yield
        return
    with _in_this_process:
        if _on_this_machine is not None:
            import fcntl

            fcntl.flock(_on_this_machine, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(_on_this_machine, fcntl.LOCK_UN)
            return
        if _between_processes is None:
            yield
            return
        import fcntl  # available wherever processes can fork

        fcntl.lockf(_between_processes, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(_between_processes, fcntl.LOCK_UN)


def take_turns_on_this_machine() -> None:
    """Makes this process take turns with all that call this, from now on. They lock this file, which each can read."""
    global _on_this_machine
    if _on_this_machine is None:
        _on_this_machine = os.open(__file__, os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def turns_between_processes() -> Iterator[None]:
    """Makes processes forked meanwhile take turns. The system releases the turn of a process that dies."""
    global _between_processes
    with tempfile.TemporaryFile() as file:
        _between_processes = file.fileno()
        try:
            yield
        finally:
            _between_processes = None
