"""Since when the service has refused all requests for their rate: shared by all calls, so that a run ends once."""

from __future__ import annotations

import threading

from scenario_apply.api import retry

FORGOTTEN_S = 300.0
"""Seconds without a refusal after which the next one starts a new streak; no pause between two tries is that long."""


class Refusing:
    """Thread-safe. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: float | None = None
        self._last = 0.0
        self._is_hopeless = False

    @property
    def is_hopeless(self) -> bool:
        """Whether a call was given up for it, and none has passed since: no other call need wait for its turn."""
        return self._is_hopeless

    def refused(self, now: float, *, asked_s: float, never: bool) -> bool:
        """A request was refused: is it time to give up? asked_s: the pause asked for; never: not to be asked again."""
        with self._lock:
            if self._since is None or now - self._last > FORGOTTEN_S:
                self._since, self._is_hopeless = now, False
            self._last = now
            if never or now - self._since + asked_s > retry.REFUSED_S:
                self._is_hopeless = True
            return self._is_hopeless

    def passed(self, started_at: float) -> None:
        """A request was let through. One that left before the first refusal says nothing of now."""
        with self._lock:
            if self._since is not None and started_at >= self._since:
                self._since, self._is_hopeless = None, False
