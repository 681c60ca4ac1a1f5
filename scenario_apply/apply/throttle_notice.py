"""One event for each pause that the service imposes: a run that sends nothing for a minute must say why."""

from __future__ import annotations

from collections.abc import Callable

from scenario_apply.apply.events import Event, Throttled
from scenario_apply.model.ports import Clock, RequestCounter

SHORTEST_NOTICE_S = 5.0
"""Shorter pauses are not reported."""

REASON = "the rate limit"


class ThrottleNotice:
    """Emits Throttled. Used by the thread of the run loop."""

    def __init__(self, counter: RequestCounter | None, clock: Clock, emit: Callable[[Event], None]) -> None:
        self._counter = counter
        self._clock = clock
        self._emit = emit
        self._reported_until = float("-inf")

    def emit_when_due(self) -> None:
        """Emit an event for a pause that was not reported yet."""
        left_s = 0.0 if self._counter is None else self._counter.paused_for_s
        until = self._clock.monotonic() + left_s
        if left_s >= SHORTEST_NOTICE_S and until >= self._reported_until + SHORTEST_NOTICE_S:
            self._reported_until = until
            self._emit(Throttled(seconds=left_s, reason=REASON))
