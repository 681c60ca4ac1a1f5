"""coordinator.py: tasks are submitted when due, on a simulated clock; workers that die cost a look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager
from random import Random

import pytest

from scenario_apply.errors import Diagnostic, ExitCode, Interrupted, PlanStale
from scenario_apply.fleet.coordinator import Coordinator
from scenario_apply.fleet.fleet_report import is_failed
from scenario_apply.fleet.launch_limits import LaunchLimits
from scenario_apply.fleet.project_run import MOST_DEATHS, ProjectRun
from scenario_apply.fleet.tasks import (
    ManifestResult,
    Plain,
    RunningTraining,
    TaskResult,
    failed_manifest,
    plain_of,
)
from tests.fleet.fleets import SimulatedTime, apply_run, charge, ledger, no_work, training


def coordinated(time: SimulatedTime, runs: list[ProjectRun], **more: object) -> None:
    values: dict[str, object] = {"slots": 1_000, "stop": threading.Event(), **more}
    coordinator = Coordinator(clock=time, work=no_work, engine=time.opened, **values)  # type: ignore[arg-type]
    coordinator.run(runs)


class Service:
    """Projects whose launch takes a while and whose training ends at a moment. looks: how many each had."""

    def __init__(self, launch_s: dict[str, float], train_s: dict[str, float]) -> None:
        self.launch_s, self.train_s = launch_s, train_s
        self.ends_at: dict[str, float] = {}
        self.running: set[str] = set()
        self.most_running = 0
        self.launches: dict[str, int] = {}
        self.dies: dict[str, int] = {}
        self.time = SimulatedTime(self.work)

    def work(self, plain: Plain) -> tuple[Plain | BaseException, float]:
        name, now = plain["name"], self.time.monotonic()
        takes_s = self.launch_s[name] if plain["kind"] == "apply" else 0.1
        if self.dies.get(name, 0) > 0:
            self.dies[name] -= 1
            return BrokenExecutor("a worker process died"), takes_s
        return plain_of(self._result(plain, name, now + takes_s)), takes_s

    def _result(self, plain: Plain, name: str, at: float) -> TaskResult:
        is_new = name not in self.ends_at
        if is_new and plain["may_launch"] != 0:
            self.launches[name] = self.launches.get(name, 0) + 1
            self.ends_at[name] = at + self.train_s[name]
            self.running.add(name)
            self.most_running = max(self.most_running, len(self.running))
            is_new = False
        held = is_new
        is_over = not held and self.ends_at[name] <= at
        ended = ((f"{name}.yaml", "model.one", None),) if is_over else ()
        if is_over:
            self.running.discard(name)
        running = () if held or is_over else (training(name),)
        result = ManifestResult(
            path=f"{name}.yaml",
            code=int(ExitCode.OK if is_over else ExitCode.RUNNING),
            ledger=ledger("done" if is_over else "running" if running else "partial", charges=[charge(10)]),
            running=running,
            held=int(held),
            is_held_by_fleet=held,
        )
        is_look = plain["kind"] == "look"
        return TaskResult(
            kind=plain["kind"],
            manifests=(result,) if not is_look or is_over or plain["unfinished"] else (),
            running=running if is_look and not plain["unfinished"] else (),
            ended=ended,
            sent=1,
        )


def test_a_thousand_projects_take_hardly_longer_than_the_slowest_one() -> None:
    """Within 5 % of its own bound: no project waits for another."""
    random = Random(7)
    names = [f"p{number}" for number in range(1_000)]
    service = Service({n: random.uniform(20, 300) for n in names}, {n: random.uniform(300, 1500) for n in names})
    runs = [apply_run(name, poll_s=30.0) for name in names]
    coordinated(service.time, runs)
    bound = max(service.launch_s[n] + service.train_s[n] for n in names)
    assert {run.phase for run in runs} == {"done"}
    assert service.time.monotonic() <= bound * 1.05
    assert set(service.launches.values()) == {1}


def test_no_more_trainings_run_than_the_fleet_allows() -> None:
    """Launches that have to wait are done at a later look, and all are done in the end."""
    names = [f"p{number}" for number in range(20)]
    service = Service(dict.fromkeys(names, 1.0), dict.fromkeys(names, 60.0))
    runs = [apply_run(name) for name in names]
    limits = LaunchLimits(concurrent=3)
    limits.expect(runs)
    coordinated(service.time, runs, limits=limits)
    assert service.most_running == 3
    assert {run.phase for run in runs} == {"done"}
    assert len(service.launches) == 20


def test_samples_that_are_being_drawn_are_come_back_for() -> None:
    """However few launches are left: only an apply records what was drawn, and its charges add up."""
    asked: list[Plain] = []

    def work(plain: Plain) -> tuple[Plain | BaseException, float]:
        asked.append(plain)
        is_over = len(asked) > 3
        drawn = [{**charge(10.75), "samples": 1}]
        result = ManifestResult(
            path="a.yaml",
            code=int(ExitCode.OK if is_over else ExitCode.RUNNING),
            ledger=ledger("done" if is_over else "running", charges=[charge(10)] if len(asked) == 1 else drawn),
            drawing=int(not is_over),
        )
        return plain_of(TaskResult(kind=plain["kind"], manifests=(result,), sent=1)), 0.1

    runs = [apply_run("a")]
    coordinated(SimulatedTime(work), runs, limits=LaunchLimits(concurrent=1))
    assert [tuple(plain["unfinished"]) for plain in asked] == [(), ("a.yaml",), ("a.yaml",), ("a.yaml",)]
    assert runs[0].phase == "done"
    found = runs[0].results["a.yaml"].ledger
    assert found is not None
    assert found["cu_charged"] == 20.75


def test_a_worker_that_dies_costs_one_look_and_a_task_that_kills_each_time_its_project() -> None:
    """The other projects are done; the one is listed with its code."""
    service = Service({"a": 1.0, "b": 1.0}, {"a": 5.0, "b": 5.0})
    service.dies = {"a": 2, "b": 99}
    runs = [apply_run("a"), apply_run("b")]
    coordinated(service.time, runs)
    assert [run.phase for run in runs] == ["done", "failed"]
    assert [problem.code for problem in runs[1].problems] == ["worker-died"]
    assert service.dies["b"] == 99 - MOST_DEATHS


def test_a_task_that_raises_fails_its_project_in_words() -> None:
    """Nobody is told of workers that died; an engine that cannot be used says itself why."""
    raised = {"a": RuntimeError("a result of type lock cannot be sent"), "b": PlanStale("no worker", hint="install it")}
    runs = [apply_run("a"), apply_run("b")]
    coordinated(SimulatedTime(lambda plain: (raised[plain["name"]], 0.1)), runs)
    found = [problem for run in runs for problem in run.problems]
    assert "failed 5 times without an answer, the last time with: RuntimeError: a result of type" in found[0].message
    assert (found[0].code, found[1].message, found[1].hint) == ("task-failed", "no worker", "install it")


def test_an_engine_that_is_broken_as_a_whole_is_opened_again() -> None:
    """As the standard library's pool is, whose submit() then raises."""
    service = Service({"a": 1.0}, {"a": 5.0})
    broken = [BrokenExecutor("terminated"), BrokenExecutor("terminated")]
    submit = service.time.submit

    def fails_at_first(fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        if broken:
            raise broken.pop()
        return submit(fn, *args, **kwargs)

    service.time.submit = fails_at_first  # type: ignore[method-assign]
    runs = [apply_run("a")]
    coordinated(service.time, runs)
    assert runs[0].phase == "done"


def test_after_the_deadline_trainings_are_left_running() -> None:
    service = Service({"a": 1.0}, {"a": 5_000.0})
    runs = [apply_run("a")]
    coordinated(service.time, runs, deadline=60.0)
    assert (runs[0].phase, runs[0].code) == ("training", ExitCode.RUNNING)
    assert service.time.monotonic() == pytest.approx(60.0, abs=11)


@pytest.mark.parametrize(("interrupted", "code"), [(False, ExitCode.PARTIAL), (True, ExitCode.INTERRUPTED)])
def test_a_project_that_has_not_had_its_turn_is_not_done(interrupted: bool, code: ExitCode) -> None:
    """Though it was planned: with the time over, or the run stopped, the others' success is not the whole."""
    service = Service({"a": 50.0, "b": 1.0}, {"a": 1.0, "b": 1.0})
    runs, stop = [apply_run("a"), apply_run("b")], threading.Event()

    def changed(run: ProjectRun) -> None:
        if interrupted:
            stop.set()

    coordinated(service.time, runs, slots=1, deadline=30.0, stop=stop, changed=changed)
    assert [run.code for run in runs] == [ExitCode.RUNNING, code]
    assert [problem.message for problem in runs[1].problems] == ["the run ended before its turn"]


def test_once_stopped_nothing_is_submitted_and_twice_it_ends_at_once() -> None:
    service = Service({"a": 1.0}, {"a": 5.0})
    stop = threading.Event()
    stop.set()
    run = ProjectRun(task=apply_run("a").task)
    coordinated(service.time, [run], stop=stop)
    assert (service.time.submitted, run.code) == (0, ExitCode.INTERRUPTED)
    with pytest.raises(Interrupted):
        coordinated(service.time, [apply_run("a")], stop=stop, stop_now=stop)


@pytest.mark.parametrize("code", ["unreachable", "rate-limited", "cooldown", "store-unavailable"])
def test_a_look_that_fails_for_now_is_tried_again(code: str) -> None:
    """Trainings run on meanwhile: nothing is given up."""
    service, failed = Service({"a": 1.0}, {"a": 5.0}), [Diagnostic(code=code, message="wait 1 s")]

    def work(plain: Plain) -> tuple[Plain | BaseException, float]:
        if plain["kind"] == "look" and failed:
            return plain_of(TaskResult(kind="look", problem=(failed.pop(),), code=int(ExitCode.ERROR))), 0.1
        return service.work(plain)

    service.time = SimulatedTime(work)
    runs = [apply_run("a")]
    coordinated(service.time, runs)
    assert (runs[0].phase, failed) == ("done", [])


def test_an_engine_that_does_not_come_back_fails_what_is_left_in_its_own_words() -> None:
    """A scheduler that is gone in mid-run: what was launched is still reported."""
    service = Service({"a": 1.0, "b": 1.0}, {"a": 60.0, "b": 60.0})
    opened: list[bool] = []

    @contextmanager
    def engine() -> Iterator[Executor]:
        if opened:
            raise PlanStale("no Dask scheduler answers", hint="start one")
        opened.append(True)
        yield service.time

    submit = service.time.submit

    def fails_later(fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        if service.time.submitted >= 2:
            raise BrokenExecutor("the Dask scheduler is gone")
        return submit(fn, *args, **kwargs)

    service.time.submit = fails_later  # type: ignore[method-assign]
    runs = [apply_run("a"), apply_run("b")]
    Coordinator(clock=service.time, work=no_work, engine=engine, slots=9, stop=threading.Event()).run(runs)
    assert [[problem.message for problem in run.problems] for run in runs] == [["no Dask scheduler answers"]] * 2
    assert [len(run.running) for run in runs] == [1, 1]


def test_a_training_that_failed_is_said_and_not_launched_again() -> None:
    """The next task leaves its address out."""
    seen: list[Plain] = []

    def work(plain: Plain) -> tuple[Plain, float]:
        seen.append(plain)
        running = (RunningTraining(manifest="a.yaml", address="model.one", model_id="m"),)
        if plain["kind"] == "apply":
            one = ManifestResult(path="a.yaml", code=3, ledger=ledger("running"), running=running)
            return plain_of(TaskResult(kind="apply", manifests=(one,))), 1.0
        one = ManifestResult(path="a.yaml", ledger=ledger("done"))
        ended = (("a.yaml", "model.one", "training failed: no"),)
        return plain_of(TaskResult(kind="look", manifests=(one,), ended=ended)), 1.0

    run = apply_run("a")
    coordinated(SimulatedTime(work), [run])
    assert run.code == ExitCode.PARTIAL
    assert run.failed == {"a.yaml": ("model.one",)}
    assert [line["reason"] for line in run.results["a.yaml"].ledger["failed"]] == ["training failed: no"]  # type: ignore[index]
    assert len(seen) == 2


def test_an_error_after_a_training_ended_is_the_code_and_nothing_runs_any_more() -> None:
    """The manifest was changed while its training ran: the project is a failed one, not one that is training."""

    def work(plain: Plain) -> tuple[Plain, float]:
        if plain["kind"] == "apply":
            one = ManifestResult(path="a.yaml", code=3, ledger=ledger("running"), running=(training("a"),))
            return plain_of(TaskResult(kind="apply", manifests=(one,))), 1.0
        one = failed_manifest("a.yaml", PlanStale("a.yaml: the manifest changed since the plan was approved"))
        ended = (("a.yaml", "model.one", None),)
        return plain_of(TaskResult(kind="look", manifests=(one,), ended=ended)), 1.0

    run = apply_run("a")
    coordinated(SimulatedTime(work), [run])
    assert (run.code, run.phase, is_failed(run)) == (ExitCode.STALE, "failed", True)
    found = run.results["a.yaml"].ledger
    assert found is not None
    assert (found["running"], [line["address"] for line in found["done"]]) == ([], ["model.one"])
