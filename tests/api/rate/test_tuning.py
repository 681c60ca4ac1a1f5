"""The tuned numbers of the rate limiter, pinned by what they do: a changed one fails here.

The traces are the outcome of whole simulated runs. A better trade-off may change them, on purpose and with a benchmark.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from scenario_apply.api.rate.allowance import Bounds
from scenario_apply.api.rate.budget import RequestBudget, Slot
from scenario_apply.api.rate.pace import Pace
from tests.api.limiters import (
    Bucket,
    FixedWindow,
    Limiter,
    Moody,
    Shared,
    SlidingWindow,
    date,
    exact,
    nothing,
    simulate,
    whole_seconds,
)
from tests.fakes.clock import FakeClock

Trace = tuple[int, int, float | None]
"""Requests let through, requests refused, requests a second in the end."""


def jittered(i: int) -> float:
    return 0.025 * (0.7 + 0.6 * random.Random(i).random())


def trace(limiter: Limiter, *, until_s: float, limit: int = 0, workers: int = 8, later: int | None = None) -> Trace:
    """later: how many the service allows after a minute."""
    clock = FakeClock()
    budget = RequestBudget(limit, clock)
    runs = []
    start_s = 0.0
    if later is not None:
        runs.append(simulate(limiter, budget, clock, until_s=60, workers=workers, way_s=jittered))
        limiter.count, start_s = later, 60.0
    runs.append(simulate(limiter, budget, clock, until_s=until_s, workers=workers, way_s=jittered, start_s=start_s))
    rate = None if budget.allowed_per_s is None else round(budget.allowed_per_s, 3)
    return sum(len(run.accepted_at) for run in runs), sum(len(run.refused_at) for run in runs), rate


NEIGHBOUR = [i * 0.5 for i in range(360)]
RUNS: dict[str, tuple[Callable[[], Trace], Trace]] = {
    "a sliding window": (lambda: trace(SlidingWindow(20, 2.0, exact), until_s=200), (1967, 11, 9.929)),
    "a window that says nothing": (lambda: trace(SlidingWindow(20, 2.0, nothing), until_s=200), (1926, 14, 9.871)),
    "an odd window in whole seconds": (
        lambda: trace(SlidingWindow(30, 7.3, whole_seconds), until_s=300),
        (1182, 21, 4.074),
    ),
    "a short window in whole seconds": (
        lambda: trace(SlidingWindow(13, 1.7, whole_seconds), until_s=100),
        (698, 10, 7.265),
    ),
    "a large window": (lambda: trace(SlidingWindow(400, 40.0, exact), until_s=600, workers=24), (5958, 32, 9.961)),
    "a minute": (lambda: trace(SlidingWindow(100, 60.0, whole_seconds), until_s=400), (657, 11, 1.635)),
    "a fixed minute": (lambda: trace(FixedWindow(100, 60.0, date), until_s=400), (667, 10, 1.758)),
    "a bucket": (lambda: trace(Bucket(20, 2.0, nothing), until_s=200, workers=24), (2001, 38, 10.162)),
    "refusals without reason": (lambda: trace(Moody(0.05, nothing, 1), until_s=100, workers=24), (403, 29, 3.291)),
    "a neighbour": (
        lambda: trace(Shared(SlidingWindow(100, 60.0, whole_seconds), NEIGHBOUR), until_s=500, limit=100, workers=24),
        (753, 48, 2.794),
    ),
    "more is allowed later": (lambda: trace(SlidingWindow(20, 2.0, exact), until_s=300, later=40), (3988, 9, 19.863)),
    "less is allowed later": (lambda: trace(SlidingWindow(40, 2.0, exact), until_s=200, later=10), (1215, 66, 7.735)),
    "the user's limit": (
        lambda: trace(SlidingWindow(1000, 60.0, exact), until_s=130, limit=100, workers=1),
        (290, 0, None),
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_whole_run_is_as_it_was(name: str) -> None:
    run, expected = RUNS[name]
    assert run() == expected


def let_through(budget: RequestBudget, clock: FakeClock, count: int) -> None:
    for _ in range(count):
        budget.settle(budget.acquire())
        clock.advance(0.1)


def refused_after(count: int, pause_s: float | None) -> float | None:
    """The rate that is learned from one refusal after so many requests."""
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    let_through(budget, clock, count)
    budget.tighten(budget.acquire(), pause_s)
    budget.settle(budget.acquire())
    return budget.allowed_per_s


@pytest.mark.parametrize(("pause_s", "is_learned"), [(4.0, True), (6.0, False)])
def test_a_first_refusal_that_asks_for_a_long_pause_is_only_paused_for(pause_s: float, is_learned: bool) -> None:
    """Five seconds are a long pause: another program may have used up part of that window."""
    assert (refused_after(10, pause_s) is not None) is is_learned


@pytest.mark.parametrize(("count", "is_learned"), [(3, False), (4, True)])
def test_a_refusal_after_very_few_requests_is_no_limit(count: int, is_learned: bool) -> None:
    assert (refused_after(count, None) is not None) is is_learned


def test_the_slowest_rate_is_one_request_in_twenty_seconds() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    simulate(SlidingWindow(1, 100.0, nothing), budget, clock, until_s=110, workers=1)
    assert budget.allowed_per_s == 0.05


def test_while_nothing_is_known_a_full_budget_is_asked_again_after_two_milliseconds() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    for _ in range(6):
        assert isinstance(budget.try_acquire(), Slot)
        clock.advance(1.0)
    assert budget.try_acquire() == 0.002


def test_the_first_hundred_requests_leave_four_milliseconds_apart() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    for _ in range(250):
        budget.settle(budget.acquire())
    assert sum(clock.waits) == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(("limit", "in_flight"), [(100, 50), (101, 6)])
def test_no_care_is_needed_within_the_documented_limit(limit: int, in_flight: int) -> None:
    clock = FakeClock()
    budget = RequestBudget(limit, clock)
    for _ in range(50):
        budget.try_acquire()
        clock.advance(0.01)
    assert budget.sent == in_flight


def test_a_wait_that_may_become_useless_is_checked_every_second() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    budget.tighten(budget.acquire(), 7.5)
    clock.waits.clear()
    budget.acquire(lambda: None)
    assert clock.waits == [1.0] * 7 + [0.5]


@pytest.mark.parametrize(("long_enough_s", "is_near"), [(1.03, True), (1.05, False)])
def test_bounds_are_near_within_four_percent(long_enough_s: float, is_near: bool) -> None:
    assert Bounds(count=10, too_short_s=1.0, long_enough_s=long_enough_s).is_near is is_near


def accept(pace: Pace, at: float) -> None:
    """A request that leaves at that second and is let through."""
    slot = Slot(taken_at=at, left_at=at)
    pace.taken(slot)
    pace.accepted(slot, at + 0.001)


def refuse(pace: Pace, at: float) -> None:
    slot = Slot(taken_at=at, left_at=at)
    pace.taken(slot)
    pace.refused(slot, at + 0.001, None)


@pytest.mark.parametrize(("count", "learned"), [(3000, 3000), (5000, 4095)])
def test_the_count_is_learned_of_the_last_4096_requests(count: int, learned: int) -> None:
    """The refused request is one of them. More are not kept in memory."""
    pace = Pace(careful=False)
    for at in range(count):
        accept(pace, at / 100)
    refuse(pace, count / 100)
    accept(pace, count / 100 + 0.6)
    assert pace.seen is not None
    assert pace.seen.count == learned


def test_a_window_is_tried_for_a_fifth_more_than_its_length() -> None:
    """Without a refusal until then, the next shorter one is tried."""
    pace = Pace(careful=False)
    for sent in range(20):
        accept(pace, sent / 100)
    refuse(pace, 3.3)
    accept(pace, tried_since := 4.7)
    tried, at = pace.seen, tried_since
    assert tried is not None
    while pace.seen == tried:
        at += pace.wait_s(at, at)
        accept(pace, at)
    assert 1.2 <= (at - tried_since) / tried.window_s < 1.25
    assert pace.seen is not None
    assert pace.seen.window_s < tried.window_s
