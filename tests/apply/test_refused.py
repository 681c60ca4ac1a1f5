"""Rate-limit refusals without end, and pauses that the service asks for, are reported and end the run at last."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.apply_plan import apply_plan
from scenario_apply.apply.events import Event, Throttled
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.apply.throttle_notice import SHORTEST_NOTICE_S, ThrottleNotice
from scenario_apply.errors import RateLimited
from tests.fakes.bench import Bench, model
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Wire


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Three models over a dataset each."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    bench = Bench(tmp_path)
    for name in ("one", "two", "three"):
        bench.add(name, [name, "side", "back"])
    bench.declare(*[model(name, name) for name in ("one", "two", "three")])
    return bench


@pytest.mark.parametrize("parallelism", [1, 8])
@pytest.mark.parametrize("call", ["create_model", "add_image", "set_caption", "train"])
def test_a_service_that_refuses_for_ever_stops_the_run_once(bench: Bench, call: str, parallelism: int) -> None:
    """The first call that is given up ends the run: at most those in flight with it fail, too."""
    service = FakeScenario(bench.clock)
    no_more = partial(RateLimited, "quota", status=429)
    wire = Wire(service, Fault("before", no_more, name=call, nth=2, times=10**6))
    ledger = bench.apply(wire.api, ApplyOptions(parallelism=parallelism))
    assert (ledger.status, ledger.error, ledger.next_command) == ("stopped", "quota", "scenario-apply apply")
    assert len(ledger.failed) <= parallelism
    assert bench.apply(service).status == "done"
    assert set(service.launches().values()) == {1}


def test_a_round_of_polls_that_is_given_up_stops_the_run_at_once(bench: Bench) -> None:
    service = FakeScenario(bench.clock)
    no_more = partial(RateLimited, "quota", status=429)
    wire = Wire(service, Fault("before", no_more, name="get_models", nth=1, times=10**6))
    prepared = bench.plan(service)
    environment = bench.environment(wire.api)
    ledger = apply_plan(environment, prepared, str(bench.root), ApplyOptions(), bench.events.append, StopSignal())
    assert (ledger.status, ledger.error, len(ledger.running)) == ("stopped", "quota", 3)
    assert bench.clock.monotonic() < 60


class Budget:
    """Everybody pauses until a moment on the clock."""

    sent, refused = 0, 0

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.until = 0.0

    @property
    def paused_for_s(self) -> float:
        return max(self.until - self.clock.monotonic(), 0.0)

    def seconds_for(self, requests: int) -> float:
        return 0.0


def test_each_pause_is_reported_once_and_short_ones_never() -> None:
    clock = FakeClock()
    budget = Budget(clock)
    told: list[Event] = []
    pauses = ThrottleNotice(budget, clock, told.append)
    for asked_s in (SHORTEST_NOTICE_S / 2, 40.0, 120.0):
        budget.until = clock.monotonic() + asked_s
        for _ in range(200):
            pauses.emit_when_due()
            clock.advance(asked_s / 150)
    assert [(type(event), event.seconds) for event in told if isinstance(event, Throttled)] == [
        (Throttled, 40.0),
        (Throttled, 120.0),
    ]
    budget.until = clock.monotonic() + 40
    pauses.emit_when_due()
    budget.until += 60  # asked again in the middle of it
    pauses.emit_when_due()
    budget.until += 0.5  # a hair's breadth is no news
    pauses.emit_when_due()
    assert len(told) == 4


def test_a_run_reports_a_pause_while_it_lasts(bench: Bench) -> None:
    clock = FakeClock()
    bench.clock = clock
    service = FakeScenario(clock)
    budget = Budget(clock)
    budget.until = 75.0
    environment = replace(bench.environment(service), counter=budget)
    prepared = bench.plan(service)
    apply_plan(environment, prepared, str(bench.root), ApplyOptions(), bench.events.append, StopSignal())
    [event] = [event for event in bench.events if isinstance(event, Throttled)]
    assert 60 < event.seconds <= 75
    assert "rate" in event.reason
