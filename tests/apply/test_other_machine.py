"""A run dies on one machine and is applied again on another, which has only the store: nothing is made or paid twice.

The dead machine's clock was an hour wrong. The manifest is that of test_crash.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.errors import ScenarioApplyError
from tests.apply.test_crash import bench_of, wrongs
from tests.fakes.bench import ONE_BY_ONE
from tests.fakes.machines import Machine, of
from tests.fakes.memory_backend import LEASE_S
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, When, Wire

HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


def machine(root: Path, skew_s: float = HOUR_S) -> tuple[Machine, FakeScenario]:
    bench = bench_of(root)
    return of(bench, skew_s=skew_s), FakeScenario(bench.clock)


def continued(first: Machine, service: FakeScenario, options: ApplyOptions = ONE_BY_ONE) -> list[str]:
    """Apply on another machine, and look at what is wrong then; on the first one, too."""
    second = first.another("b")
    before = second.clock.monotonic()
    try:
        second.apply(service, options)
        bad = [*wrongs(second, service), *swapped(second, service)]
    except ScenarioApplyError as error:
        return [str(error)]
    if second.clock.monotonic() - before > HOUR_S / 2:
        bad.append("waited for the wrong clock")
    if not second.is_clean:
        bad.append(f"left in the store: {list(second.bucket.calls)}, {second.bucket.lease}")
    first.backend.strike = None
    if first.plan(service).plan.has_changes:
        bad.append("the first machine plans changes")
    return bad


def swapped(bench: Machine, service: FakeScenario) -> list[str]:
    """Images that were recorded with the asset of another one: names and sizes are the same in both datasets."""
    return [
        f"{address} {image.path}"
        for address, record in bench.state().records.items()
        for image in record.current.images
        if service.assets[image.asset_id].sha256 != image.sha256
    ]


@pytest.mark.parametrize(("when", "skew_s"), [("early", HOUR_S), ("before", HOUR_S), ("after", -HOUR_S)])
def test_a_death_at_any_call_is_continued_on_another_machine(tmp_path: Path, when: When, skew_s: float) -> None:
    failures = []
    number = 0
    while True:
        number += 1
        first, service = machine(tmp_path / str(number), skew_s)

        def death(first: Machine = first) -> Killed:
            first.die()
            return Killed()

        wire = Wire(service, Fault(when, death, number=number))
        try:
            first.apply(wire.api, ONE_BY_ONE)
            break
        except Killed:
            failures += [f"died {when} call {number} ({wire.hit[0]}): {bad}" for bad in continued(first, service)]
    assert not failures, "\n".join(failures)
    assert number > 30
    assert not wrongs(first, service)
    assert first.is_clean


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_at_any_request_to_the_store_is_continued_on_another_machine(tmp_path: Path, when: str) -> None:
    failures = []
    number = 0
    while True:
        number += 1
        first, service = machine(tmp_path / str(number))
        asked: list[str] = []

        def strike(name: str, at: str, first: Machine = first, asked: list[str] = asked, number: int = number) -> None:
            if at == "before":
                asked.append(name)
            if at == when and len(asked) == number:
                first.die()
                raise Killed

        first.backend.strike = strike
        wire = Wire(service)
        try:
            first.apply(wire.api, ONE_BY_ONE)
            break
        except Killed:
            failures += [f"died {when} {number} {asked[-1]}: {bad}" for bad in continued(first, service)]
    assert not failures, "\n".join(failures)
    assert number > 20


@pytest.mark.parametrize("seed", range(4))
def test_deaths_with_many_calls_in_flight_on_one_machine_after_another(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    bench, service = machine(tmp_path)
    deaths = 0
    for number in range(4):
        bench = bench.another(f"m{number}", dice.choice([-HOUR_S, 0.0, HOUR_S]))

        def death(bench: Machine = bench) -> Killed:
            bench.die()
            return Killed()

        when: When = dice.choice(["early", "before", "after"])
        wire = Wire(service, Fault(when, death, number=dice.randint(1, 25)))
        try:
            bench.apply(wire.api, ApplyOptions(parallelism=8))
        except Killed:
            deaths += 1
    bench.bucket.clock.advance(LEASE_S)
    assert deaths
    assert not continued(bench, service, ApplyOptions(parallelism=8))
