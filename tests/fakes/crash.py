"""Die at call 1, 2, 3 ... of a run until one gets through, and apply again after each death."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.prepare import PlanOptions
from scenario_apply.errors import ScenarioApplyError
from tests.fakes.bench import NO_PLAN, ONE_BY_ONE, Bench
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, When, Wire

Make = Callable[[Path], tuple[Bench, FakeScenario]]
Wrongs = Callable[[Bench, FakeScenario], list[str]]


def crash_everywhere(
    root: Path,
    make: Make,
    wrongs: Wrongs,
    when: When,
    *,
    plan: PlanOptions = NO_PLAN,
    options: ApplyOptions = ONE_BY_ONE,
    death: Callable[[], Killed] = Killed,
) -> int:
    """How many calls a whole run makes. wrongs: everything that is not as if nothing had happened."""
    failures = []
    number = 0
    while True:
        number += 1
        bench, service = make(root / str(number))
        wire = Wire(service, Fault(when, death, number=number))
        try:
            bench.apply(wire.api, options, plan=plan)
            break
        except Killed:
            try:
                bench.apply(service, options, plan=plan)
                bad = wrongs(bench, service)
            except ScenarioApplyError as error:
                bad = [str(error)]
            failures += [f"died {when} call {number} ({wire.hit[0]}): {what}" for what in bad]
    assert not wire.hit
    assert not failures, "\n".join(failures)
    assert not wrongs(bench, service)
    return number - 1
