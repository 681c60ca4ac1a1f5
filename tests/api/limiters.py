"""Services that refuse, and a simulation of a run against one: no threads, no sleep, time is a number."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from scenario_apply.api.rate.budget import RequestBudget, Slot
from tests.fakes.clock import FakeClock

RetryAfter = Callable[[float], float | None]
"""What a limiter says when the next request would be let through in so many seconds."""


def exact(left_s: float) -> float | None:
    return left_s


def whole_seconds(left_s: float) -> float | None:
    return float(max(math.ceil(left_s), 1))


def date(left_s: float) -> float | None:
    """A date has whole seconds, whatever the moment it is compared with."""
    return math.ceil(left_s) + 0.63


def nothing(left_s: float) -> float | None:
    return None


class SlidingWindow:
    """count requests in any window_s seconds; refused ones are not counted."""

    def __init__(self, count: int, window_s: float, says: RetryAfter = exact) -> None:
        self.count = count
        self.window_s = window_s
        self.says = says
        self._seen: deque[float] = deque()

    def ask(self, now: float) -> tuple[bool, float | None]:
        while self._seen and self._seen[0] + self.window_s <= now:
            self._seen.popleft()
        if len(self._seen) >= self.count:
            return False, self.says(self._seen[0] + self.window_s - now)
        self._seen.append(now)
        return True, None


class FixedWindow:
    """count requests in each window_s seconds, counted from the epoch."""

    def __init__(self, count: int, window_s: float, says: RetryAfter = exact) -> None:
        self.count = count
        self.window_s = window_s
        self.says = says
        self._window = -1
        self._used = 0

    def ask(self, now: float) -> tuple[bool, float | None]:
        window = int(now / self.window_s)
        if window != self._window:
            self._window, self._used = window, 0
        if self._used >= self.count:
            return False, self.says((window + 1) * self.window_s - now)
        self._used += 1
        return True, None


class Bucket:
    """A token bucket: depth at once, count a window_s on average."""

    def __init__(self, count: int, window_s: float, says: RetryAfter = exact, *, depth: int | None = None) -> None:
        self.count = count
        self.window_s = window_s
        self._depth = float(depth if depth is not None else count)
        self.says = says
        self._tokens = self._depth
        self._at = 0.0

    def ask(self, now: float) -> tuple[bool, float | None]:
        rate = self.count / self.window_s
        self._tokens = min(self._tokens + (now - self._at) * rate, self._depth)
        self._at = now
        if self._tokens < 1:
            return False, self.says((1 - self._tokens) / rate)
        self._tokens -= 1
        return True, None


class Moody:
    """Refuses some, whatever their rate: an overloaded gateway."""

    count, window_s = 1, 1.0

    def __init__(self, share: float, says: RetryAfter, seed: int) -> None:
        self._share = share
        self.says = says
        self._random = random.Random(seed)

    def ask(self, now: float) -> tuple[bool, float | None]:
        return (True, None) if self._random.random() >= self._share else (False, self.says(1.0))


class Shared:
    """A window that another program also uses, at the given times."""

    def __init__(self, window: SlidingWindow, others_at: list[float]) -> None:
        self.count, self.window_s, self.says = window.count, window.window_s, window.says
        self._window = window
        self._others_at = deque(sorted(others_at))

    def ask(self, now: float) -> tuple[bool, float | None]:
        while self._others_at and self._others_at[0] <= now:
            self._window.ask(self._others_at.popleft())
        return self._window.ask(now)


Limiter = SlidingWindow | FixedWindow | Bucket | Moody | Shared


@dataclass(kw_only=True)
class Run:
    """What happened: when requests were let through and when refused."""

    accepted_at: list[float] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)

    def use(self, limiter: Limiter, start: float, end: float) -> float:
        """The share of what the service allows in a time that was used."""
        used = sum(start <= t < end for t in self.accepted_at)
        return used / (limiter.count / limiter.window_s * (end - start))

    def refusals(self, start: float, end: float) -> float:
        """The share of requests that were refused."""
        refused = sum(start <= t < end for t in self.refused_at)
        asked = refused + sum(start <= t < end for t in self.accepted_at)
        return refused / asked if asked else 0.0


def simulate(
    limiter: Limiter,
    budget: RequestBudget,
    clock: FakeClock,
    *,
    until_s: float,
    workers: int = 8,
    way_s: Callable[[int], float] = lambda i: 0.0,
    start_s: float = 0.0,
) -> Run:
    """workers that always want to send. way_s: seconds the i-th request is on its way there, and back again."""
    run = Run()
    events: list[tuple[float, int, str, Slot | None, float | None]] = []
    order = 0
    for _ in range(workers):
        heapq.heappush(events, (start_s, order, "wants", None, None))
        order += 1
    number = 0
    while events:
        at, _, what, slot, pause_s = heapq.heappop(events)
        if at >= until_s:
            break
        clock.advance(at - clock.monotonic())
        order += 1
        if what == "wants":
            got = budget.try_acquire()
            if not isinstance(got, Slot):
                heapq.heappush(events, (at + max(got, 1e-6), order, "wants", None, None))
                continue
            number += 1
            heapq.heappush(events, (at + way_s(number), order, "arrives", got, None))
        elif what == "arrives":
            let_through, pause_s = limiter.ask(at)
            (run.accepted_at if let_through else run.refused_at).append(at)
            back = at + way_s(number)
            heapq.heappush(events, (back, order, "passed" if let_through else "refused", slot, pause_s))
        else:
            assert slot is not None
            if what == "passed":
                budget.settle(slot)
            else:
                budget.tighten(slot, pause_s, is_rounded=limiter.says is not exact)
            heapq.heappush(events, (at, order, "wants", None, None))
    return run
