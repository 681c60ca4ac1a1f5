"""The lease of a run, on a clock that the test moves: no thread of it is started here."""

from __future__ import annotations

import pytest

from scenario_apply.errors import StateLocked
from scenario_apply.state.stores.remote.backend import LeaseLost, StoreUnavailable
from scenario_apply.state.stores.remote.lease_keeper import MARGIN_S, LeaseKeeper, take_lease
from tests.fakes.clock import FakeClock
from tests.fakes.memory_backend import LEASE_S, MemoryBackend, MemoryBucket
from tests.state.stores.remote.contract_suite import holder


class Scene:
    """A store whose clock is that of the machine."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.bucket = MemoryBucket(clock=self.clock)
        self.backend = MemoryBackend(self.bucket)
        self.other = MemoryBackend(self.bucket)

    def keeper(self) -> LeaseKeeper:
        return take_lease(self.backend, holder(), self.clock, 0, self.clock.monotonic)[0]

    @property
    def renewals(self) -> int:
        return self.bucket.requests["renew"]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_valid_lease_costs_no_request_to_check(scene: Scene) -> None:
    keeper = scene.keeper()
    scene.clock.advance(LEASE_S - MARGIN_S - 1)
    keeper.check()
    assert scene.renewals == 0


def test_a_lease_that_is_about_to_end_is_renewed_before_anything_is_paid(scene: Scene) -> None:
    keeper = scene.keeper()
    for _ in range(5):
        scene.clock.advance(LEASE_S - MARGIN_S)
        keeper.check()
    assert scene.renewals == 5
    with pytest.raises(StateLocked):
        scene.other.acquire(holder("john"))


def test_a_machine_that_slept_and_whose_lease_nobody_took_goes_on(scene: Scene) -> None:
    keeper = scene.keeper()
    scene.clock.advance(8 * 3600)
    keeper.check()
    keeper.check()
    assert scene.renewals == 1


def test_a_machine_that_slept_while_another_took_over_stops(scene: Scene) -> None:
    keeper = scene.keeper()
    scene.clock.advance(LEASE_S)
    taken = scene.other.acquire(holder("john"))
    for _ in range(2):
        with pytest.raises(LeaseLost, match="another run"):
            keeper.check()
    assert scene.renewals == 1, "it is not asked for again"
    keeper.end(is_quiet=False)
    assert scene.other.renew(taken), "and not released"


def test_a_store_that_does_not_answer_stops_payments_only_when_the_lease_is_nearly_over(scene: Scene) -> None:
    keeper = scene.keeper()
    scene.backend.is_cut = True
    scene.clock.advance(LEASE_S - MARGIN_S - 1)
    keeper.check()
    scene.clock.advance(2)
    with pytest.raises(StoreUnavailable):
        keeper.check()
    scene.backend.is_cut = False
    keeper.check()
    assert scene.renewals == 1


def test_validity_counts_from_before_the_request_that_renewed_it(scene: Scene) -> None:
    keeper = scene.keeper()

    def slow(name: str, when: str) -> None:
        if (name, when) == ("renew", "after"):
            scene.clock.advance(30)

    scene.backend.strike = slow
    scene.clock.advance(20)
    keeper.renew()
    scene.clock.advance(LEASE_S - 30 - MARGIN_S)
    keeper.check()
    assert scene.renewals == 2


def test_a_released_lease_is_free_at_once(scene: Scene) -> None:
    scene.keeper().end(is_quiet=False)
    _, notes = take_lease(scene.other, holder("john"), scene.clock, 0, scene.clock.monotonic)
    assert notes == []


def test_a_run_that_waits_takes_over_what_was_not_renewed_and_says_so(scene: Scene) -> None:
    """The pauses are drawn: runs that wait together do not ask together."""
    scene.keeper()
    drawn: list[tuple[float, float]] = []

    def dice(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    _, notes = take_lease(scene.other, holder("john"), scene.clock, 120, scene.clock.monotonic, dice)
    assert notes == [f"took over the lease of {holder()}, which was not renewed in time"]
    assert LEASE_S <= scene.clock.monotonic() < LEASE_S + 5
    assert all(low < high <= 5 for low, high in drawn)


def test_a_run_waits_no_longer_than_it_was_told(scene: Scene) -> None:
    scene.keeper()
    with pytest.raises(StateLocked, match="jane on runner-1") as caught:
        take_lease(scene.other, holder("john"), scene.clock, 10, scene.clock.monotonic)
    assert scene.clock.monotonic() == 10
    assert "--lock-timeout" in str(caught.value.problems[0].hint)
