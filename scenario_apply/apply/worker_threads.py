"""Daemon threads that send requests; a run that must end at once does not wait for them."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

SWITCH_EVERY_S = 0.001
"""The run loop must not wait behind workers that hash and encode, so threads switch five times as often as usual."""


class Workers(Generic[Result]):
    """At most size tasks at once. Results, or the exceptions tasks ended with, are taken one by one."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.busy = 0
        self._tasks: queue.SimpleQueue[Callable[[], Result] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result | BaseException] = queue.SimpleQueue()
        self._threads = 0

    def start(self, task: Callable[[], Result]) -> None:
        """Run it as soon as a thread is free; threads are started when they are needed."""
        self.busy += 1
        if not self._threads:
            sys.setswitchinterval(SWITCH_EVERY_S)
        if self._threads < min(self.size, self.busy):
            self._threads += 1
            threading.Thread(target=self._work, daemon=True, name=f"worker-{self._threads}").start()
        self._tasks.put(task)

    def take(self, timeout_s: float | None) -> Result | BaseException | None:
        """The next result; None when there was none in time."""
        try:
            result = self._results.get(timeout=timeout_s) if timeout_s else self._results.get_nowait()
        except queue.Empty:
            return None
        self.busy -= 1
        return result

    def end(self) -> None:
        """Lets each thread end after its task: a process that carries out many runs keeps none of them. No waiting."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                self._results.put(task())
            except BaseException as error:  # raised or handled by the thread that takes it
                self._results.put(error)
