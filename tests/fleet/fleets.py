"""Fleets for tests: tasks, results, and an executor and a clock that simulate time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.tasks import FleetRun, ManifestResult, Plain, RunningTraining, Task, TaskManifest
from scenario_apply.model.ports import WakeUp

RUN = FleetRun(id="run", command="scenario-apply fleet apply fleet.yaml")


def task(name: str = "a", kind: Any = "apply", **more: Any) -> Task:
    manifests = (TaskManifest(path=f"{name}.yaml"),)
    base = Task(
        kind=kind,
        name=name,
        project=name,
        endpoint="https://api.example",
        key="KEY",
        secret="SECRET",
        manifests=manifests,
        cwd="/work",
        options={},
        run=RUN,
    )
    import msgspec

    return msgspec.structs.replace(base, **more)


def training(name: str = "a", address: str = "model.one") -> RunningTraining:
    return RunningTraining(manifest=f"{name}.yaml", address=address, model_id=f"model_{name}")


def ledger(status: str = "done", **more: Any) -> Plain:
    plain: Plain = {
        **{name: [] for name in ("done", "running", "failed", "unknown", "not_started", "adopted", "charges")},
        **{"status": status, "requests": 0, "refused": 0, "cu_charged": 0, "took_s": 0, "steps_done": 0},
        **{"steps_total": 0, "error": None, "next_command": None, "gated": False, "declined": False, "counts": {}},
    }
    return {**plain, **more}


def charge(cu: float, address: str = "model.one") -> Plain:
    return {"address": address, "quoted": cu, "charged": cu, "discount": None, "details": {}}


def planned(name: str = "a", **more: Any) -> ManifestResult:
    values = {"has_changes": True, "trainings": 1, "approved": {"changes": {}}, "code": 2, **more}
    return ManifestResult(path=f"{name}.yaml", **values)


def apply_run(name: str = "a", poll_s: float | None = None, **more: Any) -> ProjectRun:
    """A run that is about to apply what was planned."""
    return ProjectRun(task=task(name), poll_interval_s=poll_s, results={f"{name}.yaml": planned(name, **more)})


class SimulatedTime(Executor):
    """Executor and clock in one: a task is answered when its duration has passed on the clock.

    work: task -> its answer, or an exception, and the seconds that it takes. submitted: tasks so far.
    """

    def __init__(self, work: Callable[[Plain], tuple[Plain | BaseException, float]]) -> None:
        self._work = work
        self._now = 0.0
        self._number = 0
        self._running: list[tuple[float, int, Future[Any], Plain | BaseException]] = []
        self.submitted = 0
        self.most = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        answer, takes_s = self._work(args[0])
        self._number += 1
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        heapq.heappush(self._running, (self._now + takes_s, self._number, future, answer))
        self.submitted += 1
        self.most = max(self.most, len(self._running))
        return future

    def now(self) -> float:
        return 1_790_000_000.0 + self._now

    def monotonic(self) -> float:
        return self._now

    def wait(self, seconds: float, wake: WakeUp | None = None) -> bool:
        until = self._now + seconds
        if not self._running or self._running[0][0] > until:
            self._now = until
            return False
        self._now = max(self._now, self._running[0][0])
        while self._running and self._running[0][0] <= self._now:
            _, _, future, answer = heapq.heappop(self._running)
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        return True

    @contextmanager
    def opened(self) -> Iterator[Executor]:
        yield self


def no_work(plain: Plain) -> Plain:
    """The simulated executor does it."""
    raise AssertionError(plain)
