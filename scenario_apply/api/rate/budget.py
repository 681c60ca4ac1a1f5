"""The request budget of a project: one for all threads of a run.

Two bounds hold at once: the user's own (a sliding window of 60 seconds) and what the service itself was seen to allow
(pace.py). A slot of the window is given back 60 seconds after its request was answered, since the time at which the
service counted it is unknown. Most of the window may be used at once; its last tenth is spread over what is
left of the minute, so that after a burst a look at a running training need not wait for the whole of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from scenario_apply.api.rate.pace import Pace
from scenario_apply.api.rate.slot import Slot
from scenario_apply.errors import Interrupted
from scenario_apply.model.limits import REQUESTS_PER_MINUTE

if TYPE_CHECKING:
    from scenario_apply.model.ports import Clock

__all__ = ["RequestBudget", "Slot"]

WINDOW_S = 60.0

_ASK_AGAIN_S = 1.0  # a wait that another call may have made useless
_RECHECK_S = 0.02  # while the answer to a request in flight decides


class RequestBudget:
    """Thread-safe. limit_per_minute 0: no bound of the user's. cancel, once set, ends every wait with Interrupted."""

    def __init__(self, limit_per_minute: int, clock: Clock, cancel: threading.Event | None = None) -> None:
        if limit_per_minute < 0:
            raise ValueError(f"a rate limit is at least 0, got {limit_per_minute}")
        self.limit_per_minute = limit_per_minute
        self._clock = clock
        self._cancel = cancel
        self._turn = threading.Lock()  # held by the one thread that waits for the next slot
        self._lock = threading.Lock()  # guards all below
        self._pace = Pace(careful=not 0 < limit_per_minute <= REQUESTS_PER_MINUTE)
        self._answered: deque[float] = deque()
        self._in_flight = 0
        self._probe: Slot | None = None  # the one request that finds out whether a pause is over
        self._last_taken_at = clock.monotonic() - WINDOW_S
        self._sent = 0
        self._refused = 0

    @property
    def sent(self) -> int:
        """Requests that left, retries included."""
        with self._lock:
            return self._sent

    @property
    def refused(self) -> int:
        """Of those, answered 429 for their rate."""
        with self._lock:
            return self._refused

    @property
    def allowed_per_s(self) -> float | None:
        """Requests a second the service was learned to allow, with a margin; None while it refused none."""
        with self._lock:
            return self._pace.per_s

    def acquire(self, refuse: Callable[[], None] | None = None) -> Slot:
        """Wait for a slot and take it. Raises Interrupted when cancel is set before.

        refuse: called before each wait; raises when waiting is of no use any more.
        """
        with self._turn:
            while True:
                self.stop_if_cancelled()
                got = self.try_acquire()
                if isinstance(got, Slot):
                    return got
                if refuse is not None:
                    refuse()
                    got = min(got, _ASK_AGAIN_S)
                self._clock.wait(got, self._cancel)

    def try_acquire(self) -> Slot | float:
        """A slot, or the seconds after which it is worth asking again."""
        now = self._clock.monotonic()
        with self._lock:
            wait_s = self._wait_s(now)
            if wait_s > 0:
                return wait_s
            self._last_taken_at = self._pace.taken_at(now, self._last_taken_at)
            self._in_flight += 1
            self._sent += 1
            slot = Slot(taken_at=now)
            self._pace.taken(slot)
            if self._pace.probing:
                self._probe = slot
            return slot

    def resume(self, ages_s: Iterable[float]) -> None:
        """Count requests that another process sent for the project, each answered so many seconds ago."""
        now = self._clock.monotonic()
        with self._lock:
            if self.limit_per_minute:
                self._answered.extend(now - age for age in sorted(ages_s, reverse=True) if age < WINDOW_S)

    def ages_s(self) -> tuple[float, ...]:
        """How many seconds ago each request of the last minute was answered, for resume()."""
        now = self._clock.monotonic()
        with self._lock:
            return tuple(round(now - at, 3) for at in self._answered if now - at < WINDOW_S)

    def leave(self, slot: Slot) -> None:
        """The request leaves now; between acquire and this its intent may have been written to disk."""
        with self._lock:
            slot.left_at = self._clock.monotonic()

    def settle(self, slot: Slot) -> None:
        """The request was answered with anything but a refusal for its rate."""
        with self._lock:
            self._give_back(slot)
            self._pace.accepted(slot, self._clock.monotonic())

    def give_up(self, slot: Slot, *, left: bool = True) -> None:
        """No answer came, which tells nothing about what is allowed. left False: it did not even leave."""
        with self._lock:
            self._give_back(slot, counts=left)
            self._pace.lost(slot, self._clock.monotonic(), left=left)
            if not left:
                self._sent -= 1

    def tighten(self, slot: Slot, pause_s: float | None, *, is_rounded: bool = True) -> None:
        """The request was refused for its rate. All requests pause.

        pause_s: what the service asks for, or None. is_rounded: up to the next whole second, as a header's is.
        """
        with self._lock:
            self._give_back(slot)
            self._refused += 1
            self._pace.refused(slot, self._clock.monotonic(), pause_s, is_rounded=is_rounded)

    def seconds_for(self, requests: int) -> float:
        """About how many seconds it takes until so many more requests have left, if nothing else slows them."""
        if requests <= 0:
            return 0.0
        now = self._clock.monotonic()
        with self._lock:
            return max(self._pace.seconds_for(requests, now), self._window_s_for(requests, now))

    def stop_if_cancelled(self) -> None:
        """Raises Interrupted when the run is to end."""
        if self._cancel is not None and self._cancel.is_set():
            raise Interrupted("interrupted before the request was sent")

    def _give_back(self, slot: Slot, *, counts: bool = True) -> None:
        self._in_flight -= 1
        if slot is self._probe:
            self._probe = None
        if self.limit_per_minute and counts:
            self._answered.append(self._clock.monotonic())

    def _wait_s(self, now: float) -> float:
        pace = self._pace
        if pace.probing and self._probe is not None:
            return max(pace.paused_until - now, _RECHECK_S)
        return max(pace.wait_s(now, self._last_taken_at), self._window_wait_s(now))

    def _window_wait_s(self, now: float) -> float:
        """Seconds until the user's own limit allows one more request."""
        limit = self.limit_per_minute
        if not limit:
            return 0.0
        answered = self._answered
        while answered and answered[0] + WINDOW_S <= now:
            answered.popleft()
        free = limit - len(answered) - self._in_flight
        if free <= 0:
            return answered[0] + WINDOW_S - now if answered else _RECHECK_S
        if free > limit // 10 or not answered:
            return 0.0
        gap_s = (answered[0] + WINDOW_S - self._last_taken_at) / (free + 1)
        return self._last_taken_at + gap_s - now

    def _window_s_for(self, requests: int, now: float) -> float:
        limit = self.limit_per_minute
        if not limit:
            return 0.0
        back_at = [t + WINDOW_S for t in self._answered if t + WINDOW_S > now]
        free = limit - len(back_at) - self._in_flight
        missing = requests - free
        if missing <= 0:
            spread = max(requests - max(free - limit // 10, 0), 0)
            return (back_at[0] - now) * spread / (limit // 10 + 1) if back_at else 0.0
        rounds, place = divmod(missing - 1, limit)
        back_at += [now + WINDOW_S] * (limit - len(back_at))
        return back_at[place] - now + rounds * WINDOW_S

    @property
    def paused_for_s(self) -> float:
        """Seconds for which all requests still pause because one was refused; 0: none."""
        now = self._clock.monotonic()
        with self._lock:
            return max(self._pace.paused_until - now, 0.0)
