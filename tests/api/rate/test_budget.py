"""rate_limit.py and pace.py: the budget keeps the user's bound and finds the service's own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from scenario_apply.api.rate.budget import RequestBudget, Slot
from scenario_apply.api.rate.pace import FIRST_GAP_S
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.errors import Interrupted
from tests.api.limiters import (
    Bucket,
    FixedWindow,
    Limiter,
    Moody,
    RetryAfter,
    Shared,
    SlidingWindow,
    date,
    exact,
    nothing,
    simulate,
    whole_seconds,
)
from tests.fakes.clock import FakeClock


def at_once(_: int) -> float:
    return 0.0


def jittered(mean_s: float, share: float) -> Callable[[int], float]:
    """A way there of mean_s, give or take share of it, the same for the same request."""
    return lambda i: mean_s * (1 - share + 2 * share * random.Random(i).random())


WAYS = [pytest.param(1, at_once, id="at-once"), pytest.param(8, jittered(0.025, 0.3), id="25ms")]
LIMITS = [(20, 2.0), (100, 60.0), (5, 1.0), (100, 1.0)]


@pytest.mark.parametrize(("workers", "way_s"), WAYS)
@pytest.mark.parametrize("says", [exact, whole_seconds, date, nothing])
@pytest.mark.parametrize(("count", "window_s"), LIMITS)
@pytest.mark.parametrize("kind", [SlidingWindow, FixedWindow, Bucket])
def test_what_a_service_allows_is_learned_and_used(
    kind: Callable[..., Limiter],
    count: int,
    window_s: float,
    says: RetryAfter,
    workers: int,
    way_s: Callable[[int], float],
) -> None:
    """At least 90 % of what is allowed is used and under 2 % is refused, once learned, with no bound of the user's."""
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    limiter = kind(count, window_s, says)
    until = 900.0 if window_s == 60 else 200.0
    run = simulate(limiter, budget, clock, until_s=until, workers=workers, way_s=way_s)
    learned = until / 3
    # a bucket is full again in a moment: a date costs more than a second for each of its few refusals
    assert run.use(limiter, learned, until) >= (0.80 if kind is Bucket and says is date else 0.90)
    assert run.refusals(learned, until) < 0.02
    assert len(run.refused_at) - workers <= budget.refused <= len(run.refused_at), "but for answers still on the way"
    assert budget.allowed_per_s == pytest.approx(count / window_s, rel=0.1)


@pytest.mark.parametrize("says", [exact, whole_seconds, date, nothing])
@pytest.mark.parametrize("requests", [320, 850])
def test_a_run_of_some_hundred_requests_learns_in_time(says: RetryAfter, requests: int) -> None:
    """Twenty-four calls at once, some of them stuttering: 90 % used and 2 % refused hold for the run as a whole."""
    clock = FakeClock()
    stutters = jittered(0.01, 0.3)
    limiter = SlidingWindow(20, 2.0, says)
    run = simulate(
        limiter,
        RequestBudget(0, clock),
        clock,
        until_s=requests / 10 * 1.1,
        workers=24,
        way_s=lambda i: stutters(i) + (0.04 if i % 19 == 0 else 0.0),
    )
    took_s = run.accepted_at[requests - 1] if len(run.accepted_at) >= requests else 1e9
    assert run.use(limiter, 0, took_s) >= 0.9
    assert run.refusals(0, took_s) < 0.02 if requests > 500 else len(run.refused_at) <= 12


@pytest.mark.parametrize("says", [exact, nothing])
@pytest.mark.parametrize("seed", range(6))
def test_refusals_that_mean_nothing_do_not_stop_a_run(says: RetryAfter, seed: int) -> None:
    """One in twenty is refused whatever the rate; the learned rate never falls far below the documented one."""
    clock = FakeClock()
    run = simulate(
        Moody(0.05, says, seed), RequestBudget(0, clock), clock, until_s=200, workers=24, way_s=jittered(0.01, 0.3)
    )
    assert sum(at < 150 for at in run.accepted_at) >= 200


@pytest.mark.parametrize("says", [exact, whole_seconds])
@pytest.mark.parametrize("limit", [100, 0])
@pytest.mark.parametrize(
    "used_at",
    [
        pytest.param([-20 + 19.5 * i / 95 for i in range(95)], id="95-in-20-s"),
        pytest.param([-1.0] * 97, id="97-a-second-ago"),
        pytest.param([-58 + 57.5 * i / 100 for i in range(100)], id="100-in-58-s"),
    ],
)
def test_what_an_earlier_run_left_over_is_not_taken_for_the_limit(
    used_at: list[float], limit: int, says: RetryAfter
) -> None:
    """A killed run or another program used up the minute before; two minutes later that has no effect."""
    clock = FakeClock()
    service = SlidingWindow(100, 60.0, says)
    for at in used_at:
        service.ask(at)
    run = simulate(service, RequestBudget(limit, clock), clock, until_s=600, workers=24, way_s=jittered(0.02, 0.3))
    assert run.use(service, 120, 600) >= 0.9
    assert run.refusals(120, 600) < 0.05


def test_a_run_slows_down_for_a_busy_neighbour_and_recovers() -> None:
    clock = FakeClock()
    service = Shared(SlidingWindow(100, 60.0, whole_seconds), [i * 0.5 for i in range(360)])
    run = simulate(service, RequestBudget(100, clock), clock, until_s=900, workers=24, way_s=jittered(0.02, 0.3))
    assert run.use(service, 360, 900) >= 0.9


def test_a_service_that_allows_more_later_is_found_out() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    limiter = SlidingWindow(20, 2.0)
    simulate(limiter, budget, clock, until_s=60)
    limiter.count = 40
    run = simulate(limiter, budget, clock, until_s=660, start_s=60)
    assert run.use(limiter, 600, 660) >= 0.9


def test_a_service_that_allows_less_later_is_found_out() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    limiter = SlidingWindow(40, 2.0)
    simulate(limiter, budget, clock, until_s=60)
    limiter.count = 10
    run = simulate(limiter, budget, clock, until_s=300, start_s=60)
    assert run.use(limiter, 180, 300) >= 0.85
    assert run.refusals(180, 300) < 0.02


def test_the_users_bound_holds_in_every_minute_and_is_used_up() -> None:
    clock = FakeClock()
    budget = RequestBudget(100, clock)
    run = simulate(SlidingWindow(100, 60.0), budget, clock, until_s=600, workers=8, way_s=jittered(0.2, 0.9))
    assert run.refused_at == []
    assert run.use(SlidingWindow(100, 60.0), 0, 600) >= 0.97


def test_most_of_a_minute_may_be_used_at_once_and_the_rest_is_spread() -> None:
    """A burst does not shut out the look at a running training for a whole minute."""
    clock = FakeClock()
    budget = RequestBudget(100, clock)
    run = simulate(SlidingWindow(1000, 60.0), budget, clock, until_s=59.9, workers=1)
    assert sum(t < 0.001 for t in run.accepted_at) == 90
    later = [t for t in run.accepted_at if t >= 0.001]
    assert len(later) == 10
    gaps = [b - a for a, b in zip([0.0, *later], later, strict=False)]
    assert max(gaps) < 6.5


def test_without_a_limit_there_is_no_wait_after_the_first_requests() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    for _ in range(1000):
        budget.settle(budget.acquire())
    assert sum(clock.waits) < 0.5
    clock.waits.clear()
    held = [budget.acquire() for _ in range(100)]
    assert clock.waits == []
    assert (budget.sent, budget.refused, budget.seconds_for(1000)) == (1000 + len(held), 0, 0.0)


def test_few_are_in_flight_while_nothing_is_known() -> None:
    """All that are under way at the first refusal are refused with it."""
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    for _ in range(100):
        budget.try_acquire()
        clock.advance(1.0)
    assert budget.sent < 10


def test_a_refusal_makes_everybody_pause_as_long_as_asked() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    budget.tighten(budget.acquire(), 7.5)
    budget.acquire()
    assert clock.monotonic() == pytest.approx(7.5)


def test_after_a_pause_one_request_goes_ahead() -> None:
    """A service that still refuses gets one request, not all that were waiting."""
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    budget.tighten(budget.acquire(), 1.0)
    clock.advance(1.0)
    probe = budget.try_acquire()
    assert isinstance(probe, Slot)
    assert not isinstance(budget.try_acquire(), Slot)
    budget.settle(probe)
    clock.advance(FIRST_GAP_S)
    assert isinstance(budget.try_acquire(), Slot)


def test_a_probe_that_is_lost_lets_another_go() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    budget.tighten(budget.acquire(), 1.0)
    budget.give_up(budget.acquire())
    clock.advance(FIRST_GAP_S)
    assert isinstance(budget.try_acquire(), Slot)


def test_several_refused_at_once_are_one_refusal_to_learn_from() -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    slots = [budget.acquire() for _ in range(5)]
    clock.advance(0.1)
    for slot in slots:
        budget.tighten(slot, None)
    budget.acquire()
    assert clock.monotonic() == pytest.approx(0.6 + 4 * FIRST_GAP_S), "one pause of the first length, not the fifth"
    assert budget.refused == 5


@pytest.mark.parametrize(("limit", "requests"), [(100, 95), (100, 250), (100, 1000), (20, 30), (7, 50)])
def test_the_estimate_of_the_users_bound_comes_true(limit: int, requests: int) -> None:
    """Within 20 %, or a second."""
    clock = FakeClock()
    budget = RequestBudget(limit, clock)
    for _ in range(3):
        budget.settle(budget.acquire())
    said = budget.seconds_for(requests)
    before = clock.monotonic()
    for _ in range(requests):
        budget.settle(budget.acquire())
    assert said == pytest.approx(clock.monotonic() - before, rel=0.2, abs=1.0)


@pytest.mark.parametrize(("count", "window_s"), LIMITS)
def test_the_estimate_of_a_learned_pace_comes_true(count: int, window_s: float) -> None:
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    limiter = SlidingWindow(count, window_s, whole_seconds)
    simulate(limiter, budget, clock, until_s=3 * window_s + 10)
    said = budget.seconds_for(200)
    start = clock.monotonic()
    run = simulate(limiter, budget, clock, until_s=start + 5 * said, start_s=start)
    assert said == pytest.approx(run.accepted_at[199] - start, rel=0.2)


@pytest.mark.parametrize("after_s", [1.0, 59.0, 60.5, 90.0, 125.0])
def test_the_time_left_is_estimated_before_the_limit_is_certain(after_s: float) -> None:
    """A first refusal that asks for a long pause is only paused for, but what it seems to say is reckoned with."""
    clock = FakeClock()
    budget = RequestBudget(0, clock)
    limiter = SlidingWindow(100, 60.0, whole_seconds)
    way_s = jittered(0.01, 0.3)
    simulate(limiter, budget, clock, until_s=after_s, workers=24, way_s=way_s)
    clock.advance(after_s - clock.monotonic())
    said = budget.seconds_for(500)
    other, alone = FakeClock(), SlidingWindow(100, 60.0, whole_seconds)
    run = simulate(alone, RequestBudget(0, other), other, until_s=900, workers=24, way_s=way_s)
    before = sum(at <= after_s for at in run.accepted_at)
    assert said == pytest.approx(run.accepted_at[before + 499] - after_s, rel=0.2)


def test_cancel_ends_the_wait_for_a_slot() -> None:
    cancel = threading.Event()
    budget = RequestBudget(1, SystemClock(), cancel)
    budget.settle(budget.acquire())
    ended: list[str] = []

    def wait() -> None:
        try:
            budget.acquire()
        except Interrupted:
            ended.append("interrupted")

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    cancel.set()
    for thread in threads:
        thread.join(5)
    assert ended == ["interrupted"] * 5
    assert budget.sent == 1


def test_many_threads_share_one_bound() -> None:
    """Real threads on real time: no more leave than allowed, none is forgotten."""
    clock = FakeClock()
    budget = RequestBudget(50, clock)
    taken: list[float] = []

    def work() -> None:
        for _ in range(25):
            slot = budget.acquire()
            taken.append(slot.taken_at)
            budget.settle(slot)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == budget.sent == 400
    taken.sort()
    for i, start in enumerate(taken):
        assert sum(start <= t < start + 60 for t in taken[i:]) <= 50


def test_real_time_is_kept_to() -> None:
    clock = SystemClock()
    budget = RequestBudget(0, clock)
    budget.tighten(budget.acquire(), 0.05)
    started = time.monotonic()
    budget.acquire()
    assert 0.04 <= time.monotonic() - started < 2


def test_a_negative_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        RequestBudget(-1, FakeClock())
