"""Pauses the service asks everybody for, told once each: a run that sends nothing for a minute must say why."""

from __future__ import annotations

from collections.abc import Callable

from scenario_apply.apply.events import Event, Throttled
from scenario_apply.model.ports import Clock, RequestCounter

TOLD_FROM_S = 5.0
"""Shorter ones pass before anybody has read of them."""

REASON = "the rate limit"


class ThrottleNotice:
    """Asked by the thread that decides, as often as it likes."""

    def __init__(self, counter: RequestCounter | None, clock: Clock, emit: Callable[[Event], None]) -> None:
        self._counter = counter
        self._clock = clock
        self._emit = emit
        self._told_until = float("-inf")

    def tell(self) -> None:
        """Tell of a pause that is not told of yet."""
        left_s = 0.0 if self._counter is None else self._counter.paused_for_s
        until = self._clock.monotonic() + left_s
        if left_s >= TOLD_FROM_S and until >= self._told_until + TOLD_FROM_S:
            self._told_until = until
            self._emit(Throttled(seconds=left_s, reason=REASON))
