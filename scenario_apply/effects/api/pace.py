"""What a service allows, learned from its refusals: a steady pace. Knows no clock; its owner tells it the time.

A limiter says no only when it is asked too often, and rarely says what it counts. So the first refusal is turned into a
rate (what was let through, over the time until the next request was let through), requests then leave one by one at a
little under that rate, and the rate creeps up until the service says no again. Steady spacing suits every kind of
limiter (sliding, fixed window, bucket): none of them sees more in its window than it allows, and an excess is refused
as one request and not as a burst of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

REMEMBERED = 4096  # accepted requests looked back at
REMEMBERED_S = 120.0
MARGIN = 0.97  # of what is believed to be allowed, so that jitter on the way does not tip it over

_STEP = 10  # accepted requests between two looks at the rate, at least
_STEP_S = 1.0  # and seconds, about
_STEPS_A_WINDOW = 10  # and at most so many looks while the service's window fills: it answers that late
_GROW = 1.01
_CREEP = 0.0005  # growth a step once the service has said no to a steady pace
_CREEP_DOUBLES_AFTER_S = 50.0  # what was a wall long ago may be none today
_HOLD = 30.0  # pauses: a refusal costs one, so nothing is risked again for thirty times as long
_SLOWER = ((60.0, 0.99), (20.0, 0.98), (2.0, 0.97), (0.0, 0.93))  # quiet for so many pauses, at least: the new share
_MUCH_SLOWER = 0.85  # when hardly a request was let through since the last refusal
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0  # for reckoning in pauses
_LOWEST_PER_S = 0.05
_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the service was seen to let through: so many requests within so many seconds."""

    count: int
    window_s: float


class Pace:
    """Times are seconds of one monotonic clock. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self.per_s: float | None = None
        """Requests a second; None while nothing has been refused."""
        self.paused_until = 0.0
        self.probing = False
        """After a refusal one request goes ahead of all others."""
        self.seen: Allowance | None = None
        self._accepted: deque[float] = deque(maxlen=REMEMBERED)
        self._episode_at = -1.0  # when the service last began to refuse
        self._refusals_in_a_row = 0
        self._since_refusal = 0
        self._pause_s = _SHORTEST_PAUSE_S
        self._wall: float | None = None
        self._wall_is_firm = False

    def next_at(self, last_taken_at: float) -> float:
        """When the next request may leave, by the rate alone."""
        return 0.0 if self.per_s is None else last_taken_at + 1.0 / self.per_s

    def accepted(self, taken_at: float) -> None:
        """A request that left at taken_at was not refused."""
        self._accepted.append(taken_at)
        if self._episode_at >= 0 and taken_at < self._episode_at:
            return  # left before the refusal: says nothing about what came after
        if self.probing:
            self.probing = False
            self._refusals_in_a_row = 0
            if self.per_s is None:
                self._learn(taken_at)
        self._since_refusal += 1
        if self.per_s is not None and self._since_refusal % self._step(self.per_s) == 0:
            self.per_s *= self._growth(self.per_s, taken_at)

    def refused(self, taken_at: float, now: float, asked_s: float | None) -> None:
        """A request that left at taken_at was refused for the rate; asked_s: the pause the service asks for."""
        if self._episode_at >= 0 and taken_at < self._episode_at:  # one of several in flight: the same no
            if asked_s is not None:
                self.paused_until = max(self.paused_until, now + asked_s)
            return
        pause_s = asked_s if asked_s is not None else _PAUSES_S[min(self._refusals_in_a_row, len(_PAUSES_S) - 1)]
        if not self.probing and self.per_s is not None:
            self._slow_down(self.per_s, now)
        self._episode_at = now
        self._pause_s = min(max(pause_s, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S)
        self.paused_until = max(self.paused_until, now + max(pause_s, 0.02))
        self._refusals_in_a_row += 1
        self._since_refusal = 0
        self.probing = True

    def _learn(self, let_through_at: float) -> None:
        """The first rate: the densest run of accepted requests that ends with this one, the refusal included."""
        earliest = let_through_at - REMEMBERED_S
        times = sorted(t for t in self._accepted if earliest <= t <= self._episode_at)
        best = 0.0
        for i, start in enumerate(times):
            count, span = len(times) - i, let_through_at - start
            if span > 0 and count / span > best:
                best = count / span
                self.seen = Allowance(count=count, window_s=span)
        if best > 0:
            self._wall, self._wall_is_firm = best, False
            self.per_s = max(MARGIN * best, _LOWEST_PER_S)

    def _slow_down(self, per_s: float, now: float) -> None:
        quiet = self._quiet(now)
        factor = next(factor for at_least, factor in _SLOWER if quiet >= at_least)
        if self._since_refusal < 4:
            factor = _MUCH_SLOWER
        self._wall, self._wall_is_firm = per_s, True
        self.per_s = max(per_s * factor, _LOWEST_PER_S)

    def _step(self, per_s: float) -> int:
        window = 0 if self.seen is None else self.seen.count // _STEPS_A_WINDOW
        return max(_STEP, window, int(per_s * _STEP_S))

    def _growth(self, per_s: float, now: float) -> float:
        if self._wall is None or not self._wall_is_firm:
            return _GROW
        quiet = self._quiet(now)
        if quiet < _HOLD:
            return 1.0
        if per_s < 0.9 * self._wall:
            return _GROW
        doublings = min(int((now - self.paused_until) / _CREEP_DOUBLES_AFTER_S), 5)
        return min(1.0 + _CREEP * 2.0**doublings, _GROW)

    def _quiet(self, now: float) -> float:
        """How long nothing has been refused, in pauses of the last refusal's length."""
        return max(now - self.paused_until, 0.0) / self._pause_s
