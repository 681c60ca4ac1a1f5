"""How far a scan is: counted while pictures are read and decoded, and reported to the view that shows it."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from scenario_apply.dataset.scan.parallel import TaskRunner

Item = TypeVar("Item")
Made = TypeVar("Made")

ShowScan = Callable[[float, int], None]
"""Takes the share from 0 to 1, and the pictures in all. Called often, from any thread of the process that scans."""


_COUNT = struct.Struct("=i")  # what a worker writes at once, which no other write can split


class ScanProgress:
    """Counts in units: a picture is one when it is read, and one when its pixels are decoded.

    Forked workers report their counts through a pipe. One that is full loses counts: they are only shown.
    """

    def __init__(self, show: ShowScan | None) -> None:
        self._show = show
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._images = 0
        self._expected = 0
        self._done = 0
        self._current = 0  # of _done, on the dataset in work
        self._pipe: tuple[int, int] | None = None

    def expect(self, images: int, units: int) -> None:
        """Before the work on a dataset."""
        self._current = 0
        self._images += images
        self._expected += units

    @contextmanager
    def with_workers(self) -> Iterator[None]:
        """Within the context, workers may be forked; take_from_workers() takes what they counted."""
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        try:
            yield
        finally:
            for end in self._pipe:
                os.close(end)
            self._pipe = None

    def take_from_workers(self) -> None:
        assert self._pipe is not None
        with suppress(BlockingIOError):  # none has counted anything since
            count = sum(count for (count,) in _COUNT.iter_unpack(os.read(self._pipe[0], 1 << 16)))
            self._current += count
            self._add(count)

    def count(self, units: int) -> None:
        """Of expected work that is not done in this process."""
        with self._lock:
            self._add(units)

    def counting(self, run: TaskRunner) -> TaskRunner:
        """The same runner, which counts each item."""
        if self._show is None:
            return run

        def counted(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
            def work_and_count(item: Item) -> Made:
                made = work(item)
                with self._lock:
                    self._current += 1
                    self._add(1)
                return made

            return run(work_and_count, items)

        return counted

    def ended(self, units: int) -> None:
        """After the work on a dataset of so many expected units: what was known already counts as done."""
        if self._show is not None:
            with self._lock:
                self._add(units - self._current)
                self._current = 0

    def _add(self, count: int) -> None:
        if os.getpid() != self._process:
            if self._pipe is not None:
                with suppress(BlockingIOError):
                    os.write(self._pipe[1], _COUNT.pack(count))
            return
        self._done += count
        if self._show is not None and self._expected:
            self._show(max(0.0, min(self._done / self._expected, 1.0)), self._images)
