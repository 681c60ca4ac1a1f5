"""One project on its way through a run of the fleet: which task is next, when it is due, and what came of it. Pure.

plan, price and status are one task each. An apply is one task that launches, then a look whenever one is due, until no
training runs and nothing waits for its launch.
"""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from scenario_apply.apply.poll_rounds import PollInterval
from scenario_apply.errors import Diagnostic, ExitCode, ScenarioApplyError
from scenario_apply.fleet.joined_results import joined, with_ends
from scenario_apply.fleet.tasks import ManifestResult, RunningTraining, Task, TaskResult

Phase = Literal["queued", "working", "training", "held", "done", "failed"]
"""held: nothing of it runs, and launches wait for the limits of the fleet or of the service."""

MOST_DEATHS = 5
"""Tasks in a row that may end without an answer before the project is given up."""
MOST_FAILED_LOOKS = 5
"""Looks in a row that may fail for the service or its connection."""
MOST_BUSY_LOOKS = 60
"""Looks in a row that may find a state held by another run."""
LONGEST_HELD_S = 600.0
"""Seconds for which a launch may be held by the service while nothing of the project runs."""
WINDOW_S = 60.0

_PASSING = ("unreachable", "rate-limited", "cooldown", "answer-lost", "bad-answer", "api", "store-unavailable")
"""Codes of errors that a later look may not meet."""


@dataclass(slots=True, eq=False)
class ProjectRun:
    """task: the first one, and what later ones have in common with it. waits: whether trainings are waited for.

    due_at: of the clock's monotonic seconds, when the next task is due; None: there is none.
    """

    task: Task
    waits: bool = True
    poll_interval_s: float | None = None
    due_at: float | None = 0.0
    phase: Phase = "queued"
    results: dict[str, ManifestResult] = field(default_factory=dict)
    problems: tuple[Diagnostic, ...] = ()
    code: int = 0
    sent: int = 0
    refused: int = 0
    running: tuple[RunningTraining, ...] = ()
    progress: tuple[str, ...] = ()
    deaths: int = 0
    has_died: bool = False
    events: list[str] = field(default_factory=list)
    failed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spent: tuple[float, tuple[float, ...]] = (0.0, ())  # when the last answer came, and its spent_s
    _kind: str = ""
    _interval: PollInterval = field(init=False)
    _unfinished: tuple[str, ...] = ()
    _failed_looks: int = 0
    _busy_looks: int = 0
    _held_since: float | None = None

    def __post_init__(self) -> None:
        self._interval = PollInterval(self.poll_interval_s)
        self._kind = self.task.kind

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def wanted(self) -> int:
        """Launches that the next task may want."""
        if self.task.kind != "apply" or self.due_at is None:
            return 0
        if self._kind == "apply":
            return sum(result.trainings for result in self.results.values())
        return sum(result.held for path, result in self.results.items() if path in self._unfinished) + len(self.running)

    @property
    def needs_launches(self) -> bool:
        """Whether the next task has nothing to do but to launch what was held."""
        return self._kind == "look" and not self.running and not self._drawing

    def next_task(self, now: float, *, may_launch: int | None, cost: float | None) -> Task:
        """The task that is due; the run is in flight until take() or lost()."""
        self.due_at, self.phase = None, "working"
        at, spent = self.spent
        passed = now - at
        may_continue = may_launch is None or may_launch > 0
        return replace(
            self.task,
            kind=self._kind,
            may_launch=may_launch,
            cost=cost,
            running=self.running,
            failed=self.failed,
            unfinished=self._unfinished if may_continue else self._drawing,
            spent_s=tuple(ago + passed for ago in spent if ago + passed < WINDOW_S),
            lock_timeout_s=max(self.task.lock_timeout_s, 30.0) if self.has_died else self.task.lock_timeout_s,
            is_last=not self.waits,
        )

    def take(self, result: TaskResult, now: float) -> None:
        """A task was answered."""
        self.deaths = 0
        self.sent += result.sent
        self.refused += result.refused
        self.events += result.events
        self.spent = (now, result.spent_s)
        if result.kind == "look":
            self._take_look(result, now)
        else:
            self._take_first(result, now)

    def lost(self, error: BaseException, now: float) -> None:
        """No answer: the worker died with the task, or the task raised. It is asked again, and finds in journal and
        state what was done.
        """
        self.deaths += 1
        self.has_died = True
        if self.deaths < MOST_DEATHS:
            self.due_at, self.phase = now, "queued"
            return
        self.fail(error)

    def fail(self, error: BaseException) -> None:
        """No more tasks, for this reason."""
        self._give_up(_last_words(error), ExitCode.ERROR)

    def leave(self, *, interrupted: bool) -> None:
        """No more tasks: the fleet is stopped (interrupted), or its time is over."""
        if self.phase != "queued" or self._kind == "look":
            self._end()
            return
        what = "the run ended before its turn" if not self.has_died else "the run ended before its task was answered"
        code = ExitCode.INTERRUPTED if interrupted else ExitCode.PARTIAL
        self._give_up((Diagnostic(code="interrupted", message=what, hint="run the fleet again"),), code)

    # -- the first task

    def _take_first(self, result: TaskResult, now: float) -> None:
        if result.problem:
            self._give_up(result.problem, result.code)
            return
        self.task = replace(self.task, project=self.task.project or result.project, leases=result.leases)
        self.results |= {one.path: joined(self.results.get(one.path), one) for one in result.manifests}
        self.running = result.running or tuple(t for one in result.manifests for t in one.running)
        self._unfinished = tuple(one.path for one in result.manifests if one.held or one.drawing)
        self._schedule(now)

    def _schedule(self, now: float) -> None:
        """When the next look is due, if any is."""
        is_open = bool(self.running or self._unfinished)
        if self.task.kind != "apply" or not is_open or not self.waits:
            self._end()
            return
        self._kind = "look"
        is_running = bool(self.running or self._drawing)
        self.phase = "training" if is_running else "held"
        self._held_since = None if is_running else self._held_since or now
        if self._is_stuck(now):
            what = "the service has allowed no further training for ten minutes, and none of the project runs"
            hint = "trainings that were started elsewhere may use up what the plan allows: run the fleet again later"
            self._give_up((Diagnostic(code="plan-ceiling", message=what, hint=hint),), ExitCode.PARTIAL)
            return
        self.due_at = now + self._interval.every_s

    @property
    def _drawing(self) -> tuple[str, ...]:
        """The manifests whose samples are being drawn."""
        return tuple(path for path in self._unfinished if self.results[path].drawing)

    def _is_stuck(self, now: float) -> bool:
        """Held by the service, not by the fleet, which counts how many it lets."""
        is_held_by_fleet = any(self.results[path].is_held_by_fleet for path in self._unfinished)
        return self._held_since is not None and not is_held_by_fleet and now - self._held_since > LONGEST_HELD_S

    def _end(self) -> None:
        self.due_at = None
        self.code = max((one.code for one in self.results.values()), key=_badness, default=self.code)
        self.phase = "failed" if self.code in _BAD else "training" if self.running else "done"

    def _give_up(self, problems: tuple[Diagnostic, ...], code: int) -> None:
        self.due_at, self.phase, self.problems = None, "failed", problems
        self.code = int(code) or int(ExitCode.ERROR)

    # -- looks

    def _take_look(self, result: TaskResult, now: float) -> None:
        if result.problem:
            self._failed_looks += 1
            is_passing = all(problem.code in _PASSING for problem in result.problem)
            if result.is_busy or (is_passing and self._failed_looks < MOST_FAILED_LOOKS):
                self._after_busy(now, result.problem, result.code)
                return
            self._give_up(result.problem, result.code)
            return
        self._failed_looks = 0
        self.progress = result.progress
        busy = {one.path for one in result.manifests if one.code == ExitCode.LOCKED}
        ends = [end for end in result.ended if end[0] not in busy]
        for path, address, reason in ends:
            if reason is not None:
                self.failed[path] = (*self.failed.get(path, ()), address)
        for one in result.manifests:
            if one.path not in busy or self._busy_looks >= MOST_BUSY_LOOKS:
                self.results[one.path] = joined(self.results.get(one.path), one)
        again = {one.path: one for one in result.manifests if one.path not in busy}
        for path in {end[0] for end in ends}:
            own = [(address, why) for of, address, why in ends if of == path]
            was_run = path not in again or again[path].ledger is not None
            self.results[path] = with_ends(self.results[path], own, was_run=was_run)
        self.running = tuple(
            training for training in (*result.running, *(t for one in again.values() for t in one.running))
        )
        open_before = set(self._unfinished) - again.keys()
        self._unfinished = tuple(
            sorted(open_before | busy | {path for path, one in again.items() if one.held or one.drawing})
        )
        self._busy_looks = self._busy_looks + 1 if busy else 0
        if self._busy_looks > MOST_BUSY_LOOKS:
            self._unfinished = tuple(path for path in self._unfinished if path not in busy)
        if ends:
            self._interval.speed_up()
        else:
            self._interval.slow_down()
        self._schedule(now)

    def _after_busy(self, now: float, problems: tuple[Diagnostic, ...], code: int) -> None:
        """The look could not be had: another one is due later."""
        self._busy_looks += 1
        if self._busy_looks > MOST_BUSY_LOOKS:
            self._give_up(problems, code)
            return
        self._interval.slow_down()
        self.phase = "training" if self.running else "held"
        self.due_at = now + self._interval.every_s


def _last_words(error: BaseException) -> tuple[Diagnostic, ...]:
    """Why a project is given up. An engine that cannot work says itself what to do."""
    if isinstance(error, ScenarioApplyError):
        return tuple(error.problems)
    why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "what was done is recorded; the fleet can be run again"
    if isinstance(error, BrokenExecutor):
        what = f"{MOST_DEATHS} workers died with its task, the last one with: {why}"
        return (Diagnostic(code="worker-died", message=what, hint=hint),)
    what = f"its task failed {MOST_DEATHS} times without an answer, the last time with: {why}"
    return (Diagnostic(code="task-failed", message=what, hint=hint),)


_ORDER = (
    *(ExitCode.OK, ExitCode.CHANGES, ExitCode.RUNNING, ExitCode.LOCKED, ExitCode.GATE, ExitCode.STALE),
    *(ExitCode.PARTIAL, ExitCode.ERROR, ExitCode.INTERRUPTED),
)
_BAD = frozenset({*_ORDER[3:], ExitCode.USAGE})


def _badness(code: int) -> int:
    """The place in the order from good to bad."""
    return _ORDER.index(ExitCode(code)) if code in _ORDER else len(_ORDER)
