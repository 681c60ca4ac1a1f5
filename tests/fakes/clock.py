"""A clock that stands still until somebody waits: tests take no time."""

from __future__ import annotations

import threading

from scenario_apply.model.ports import WakeUp


class FakeClock:
    """Clock whose waits pass at once. Thread-safe; waits from several threads add up.

    waits: every wait asked for, in seconds.
    """

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._lock = threading.Lock()
        self._start = now
        self._elapsed = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        with self._lock:
            return self._start + self._elapsed

    def monotonic(self) -> float:
        with self._lock:
            return self._elapsed

    def wait(self, seconds: float, wake: WakeUp | None = None) -> bool:
        if wake is not None and wake.is_set():
            return True
        with self._lock:
            self.waits.append(seconds)
        self.advance(seconds)
        return False

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._elapsed += max(seconds, 0.0)
