"""A throttled run on a simulated clock, and what its views said about the time left, moment by moment.

The engine, the request budget and the outlook of the views are the real ones; the service is the fake behind a limiter
that answers as HTTP services do. One request takes a twentieth of a second, trainings half an hour.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from scenario_apply.api.rate.budget import RequestBudget
from scenario_apply.apply.events import Event, StepFinished
from scenario_apply.cli.progress.eta import Eta
from scenario_apply.model.ports import ScenarioApi
from tests.api.limiters import SlidingWindow, whole_seconds
from tests.fakes.bench import Bench, model
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

ON_THE_WAY_S = 0.05


class Throttled:
    """A ScenarioApi behind a budget and, where there is one, a limiter of the service's own."""

    def __init__(self, service: ScenarioApi, budget: RequestBudget, clock: FakeClock, limiter: SlidingWindow | None):
        self._service = service
        self._budget = budget
        self._clock = clock
        self._limiter = limiter

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, sending: Callable[[], None] | None = None, **named: Any) -> Any:
            while True:
                slot = self._budget.acquire()
                self._clock.advance(ON_THE_WAY_S)
                passes, pause_s = (True, None) if self._limiter is None else self._limiter.ask(self._clock.monotonic())
                if passes:
                    break
                self._budget.tighten(slot, pause_s)
            self._budget.settle(slot)
            if sending is not None:
                sending()
            return getattr(self._service, name)(*args, **named)

        return call


@dataclass
class Told(list[Event]):
    """Takes events. said: (seconds since the start, seconds said to be left) at each."""

    clock: FakeClock
    outlook: Eta
    said: list[tuple[float, float | None]] = field(default_factory=list)
    over_at: float = 0.0

    def append(self, event: Event) -> None:
        super().append(event)
        now = self.clock.monotonic()
        self.outlook.take(event, now)
        self.said.append((now, self.outlook.seconds(now)))
        if isinstance(event, StepFinished) and event.step.kind != "wait":
            self.over_at = now


def watched_run(root: Path, *, own_limit: int, limiter: SlidingWindow | None, models: int, images: int) -> Told:
    """Apply that many models of that many captioned images, without waiting for their trainings' end."""
    clock = FakeClock()
    bench = Bench(root, clock=clock)
    for number in range(models):
        bench.add(f"set{number}", [f"picture {number} {image}" for image in range(images)])
    bench.declare(*(model(f"m{number}", f"set{number}") for number in range(models)))
    budget = RequestBudget(own_limit, clock)
    service = FakeScenario(clock, training_s=1800.0)
    told = Told(clock, Eta(budget))
    bench.events = told
    bench.apply(cast(ScenarioApi, Throttled(service, budget, clock, limiter)))
    return told


def errors(told: Told, *, since_s: float = 60.0, until_left_s: float = 30.0) -> list[tuple[float, float, float]]:
    """(seconds since the start, seconds said, seconds it took) from a minute on, as long as half a minute is left."""
    return [
        (at, said, told.over_at - at)
        for at, said in told.said
        if said is not None and at >= since_s and told.over_at - at >= until_left_s
    ]


CASES: dict[str, tuple[int, SlidingWindow | None]] = {
    "own bound, 100 / 60 s": (100, None),
    "the service's, 100 / 60 s": (0, SlidingWindow(100, 60.0, whole_seconds)),
    "the service's, 20 / 12 s": (0, SlidingWindow(20, 12.0, whole_seconds)),
}
