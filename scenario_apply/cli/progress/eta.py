"""How long the remaining requests of a run will take, from the request budget and the observed speed.

Trainings are not included: Scenario reports the time left of each.
"""

from __future__ import annotations

from collections import deque

from scenario_apply.apply.events import Event, RunStarted, StepFailed, StepFinished
from scenario_apply.model.ports import RequestCounter
from scenario_apply.model.steps import StepId, requests_of
from scenario_apply.review.screen import duration

SEEN_S = 60.0
"""Seconds over which the speed is measured."""

TOO_SHORT_S = 1.0
BURST_S = SEEN_S / 12


SHOWN_FROM_S = 3.0


def eta_text(eta: Eta, now: float, rate_limit: int = 0) -> str:
    """'about 8 min left (rate limit 100/min)'; empty when that is unknown or only a few seconds.

    rate_limit: requests a minute; 0: none.
    """
    seconds = eta.seconds(now)
    if seconds is None or seconds < SHOWN_FROM_S:
        return ""
    limit = f" (rate limit {rate_limit:,}/min)" if rate_limit else ""
    return f"about {duration(seconds)} left{limit}"


class Eta:
    """Updated by every event. Times are monotonic seconds."""

    def __init__(self, counter: RequestCounter | None) -> None:
        self._counter = counter
        self._requests: dict[StepId, int] = {}
        self._dependants: dict[StepId, list[StepId]] = {}
        self._started_at = 0.0
        self._is_started = False
        self._recent = _Window(SEEN_S)
        self._burst = _Window(BURST_S)
        self._densest_per_s = 0.0
        self.left = 0
        """Requests of steps that have not ended, without polls."""

    def take(self, event: Event, now: float) -> None:
        match event:
            case RunStarted():
                self._requests = {planned.id: requests_of(planned.step) for planned in event.plan.steps}
                for planned in event.plan.steps:
                    for need in planned.after:
                        self._dependants.setdefault(need, []).append(planned.id)
                self.left = sum(self._requests.values())
                self._started_at, self._is_started = now, True
            case StepFinished():
                self._saw(self._over(event.step.id), now)
            case StepFailed():
                self._give_up(event.step.id)
            case _:
                pass

    def seconds(self, now: float) -> float | None:
        """Seconds until the last request is answered, roughly; None while nothing is known."""
        if self._counter is None or not self._is_started:
            return None
        if not self.left:
            return 0.0
        allowed_s = self._counter.seconds_for(self.left)
        per_s = self._densest_per_s if allowed_s > 0 else self._recent_per_s(now)
        if not per_s:
            return allowed_s if allowed_s > 0 else None
        return max(allowed_s, self.left / per_s)

    def _over(self, step_id: StepId) -> int:
        requests = self._requests.pop(step_id, 0)
        self.left -= requests
        return requests

    def _give_up(self, step_id: StepId) -> None:
        """A step failed: those that need it are not done either."""
        queue = [step_id]
        while queue:
            gone = queue.pop()
            if gone in self._requests:
                self._over(gone)
                queue += self._dependants.get(gone, ())

    def _saw(self, requests: int, now: float) -> None:
        if not requests:
            return
        self._recent.add(now, requests)
        self._burst.add(now, requests)
        # the speed while the budget did not hold requests back
        self._densest_per_s = max(self._densest_per_s, self._burst.total / max(BURST_S, TOO_SHORT_S))

    def _recent_per_s(self, now: float) -> float:
        span = min(now - self._started_at, SEEN_S)
        if span < TOO_SHORT_S:
            return 0.0
        self._recent.forget(now)
        return self._recent.total / span


class _Window:
    """A sum over the last so many seconds; each entry is added and forgotten once, however many there are."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.total = 0
        self._entries: deque[tuple[float, int]] = deque()

    def add(self, now: float, count: int) -> None:
        self._entries.append((now, count))
        self.total += count
        self.forget(now)

    def forget(self, now: float) -> None:
        while self._entries and self._entries[0][0] < now - self.seconds:
            self.total -= self._entries.popleft()[1]
