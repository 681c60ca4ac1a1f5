"""Runs the projects of a fleet on an executor: submits each task when it is due, and takes its answer.

Nothing is waited for inside a task. The clock and the executor are given, so that a simulated day takes a second.
"""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import AbstractContextManager, ExitStack

from msgspec import Struct, field

from scenario_apply.errors import Interrupted, ScenarioApplyError
from scenario_apply.fleet.launch_limits import LaunchLimits
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.tasks import Plain, TaskResult, plain_of, result_of
from scenario_apply.model.ports import Clock, WakeUp

MOST_DEATHS_TOGETHER = 2
"""Deaths in a row after which a project's task runs alone: it may be what kills the workers of the others."""


class Coordinator(Struct, kw_only=True):
    """work: what carries out a task, by plain values. engine: opens the executor, again after it broke. slots: tasks
    in flight. stop: once set, no task is submitted any more. deadline: of the clock's monotonic seconds, likewise.
    stop_now: once set, run() raises Interrupted, and the engine ends what runs.
    """

    clock: Clock
    work: Callable[[Plain], Plain]
    engine: Callable[[], AbstractContextManager[Executor]]
    slots: int
    stop: WakeUp
    stop_now: WakeUp = field(default_factory=threading.Event)
    limits: LaunchLimits = field(default_factory=LaunchLimits)
    deadline: float | None = None
    changed: Callable[[ProjectRun], None] = lambda run: None
    wake: threading.Event = field(default_factory=threading.Event)
    _due: list[tuple[float, int, ProjectRun]] = field(default_factory=list)  # a heap
    _ready: deque[ProjectRun] = field(default_factory=deque)
    _in_flight: dict[Future[Plain], ProjectRun] = field(default_factory=dict)
    _done: deque[Future[Plain]] = field(default_factory=deque)
    _number: int = 0
    _executor: Executor | None = None
    _was_opened: bool = False
    _unusable: ScenarioApplyError | None = None

    def run(self, runs: Sequence[ProjectRun]) -> None:
        """Until no project has a task left. What became of each is in its run."""
        for run in runs:
            self._note_due(run)
        with ExitStack() as stack:
            while self._due or self._ready or self._in_flight:
                if self.stop_now.is_set():
                    raise Interrupted("interrupted before all tasks had ended; what they did is recorded")
                if self._is_over():
                    self._leave_all()
                else:
                    self._submit_ready(stack)
                    self._leave_stuck()
                self._wait()
                self._take_all()

    def _is_over(self) -> bool:
        return self.stop.is_set() or (self.deadline is not None and self.clock.monotonic() >= self.deadline)

    def _leave_all(self) -> None:
        for run in [*self._ready, *(run for _, _, run in self._due)]:
            run.leave(interrupted=self.stop.is_set())
            self.changed(run)
        self._ready.clear()
        self._due.clear()
        for future in list(self._in_flight):
            future.cancel()

    def _leave_stuck(self) -> None:
        """Projects that wait for trainings of others to end, when no look at those is due any more."""
        if not (self._in_flight or self._due):
            for run in self._ready:
                run.leave(interrupted=self.stop.is_set())
                self.changed(run)
            self._ready.clear()

    def _note_due(self, run: ProjectRun) -> None:
        if run.due_at is not None:
            self._number += 1
            heapq.heappush(self._due, (run.due_at, self._number, run))

    # -- submitting

    def _submit_ready(self, stack: ExitStack) -> None:
        now = self.clock.monotonic()
        while self._due and self._due[0][0] <= now:
            self._ready.append(heapq.heappop(self._due)[2])
        suspects = [run for run in self._ready if run.deaths >= MOST_DEATHS_TOGETHER]
        if suspects or any(run.deaths >= MOST_DEATHS_TOGETHER for run in self._in_flight.values()):
            if not self._in_flight:
                self._ready.remove(suspects[0])
                if not self._submit(suspects[0], stack, now):
                    self._ready.append(suspects[0])
            return
        for _ in range(len(self._ready)):
            if len(self._in_flight) >= self.slots:
                return
            run = self._ready.popleft()
            if not self._submit(run, stack, now):
                self._ready.append(run)

    def _submit(self, run: ProjectRun, stack: ExitStack, now: float) -> bool:
        """False: the limits of the fleet let it wait for others."""
        if self._unusable is not None:
            run.fail(self._unusable)
            self._settled(run)
            return True
        grant = self.limits.grant(run)
        if grant is None:
            return False
        task = plain_of(run.next_task(now, may_launch=grant.launches, cost=grant.cost))
        try:
            future = self._opened(stack).submit(self.work, task)
        except BrokenExecutor as error:
            self._reopen(stack)
            self._lost(run, error)
            return True
        except ScenarioApplyError as error:  # the engine cannot be opened
            if not self._was_opened:
                raise
            self._unusable = error
            self._lost(run, error)
            return True
        self._in_flight[future] = run
        self.changed(run)
        future.add_done_callback(self._is_done)
        return True

    def _is_done(self, future: Future[Plain]) -> None:
        """Called by any thread of the executor."""
        self._done.append(future)
        self.wake.set()

    def _opened(self, stack: ExitStack) -> Executor:
        if self._executor is None:
            self._executor = stack.enter_context(self.engine())
            self._was_opened = True
        return self._executor

    def _reopen(self, stack: ExitStack) -> None:
        """An executor that is broken as a whole takes no more tasks; the next one is opened when it is needed."""
        self._executor = None
        stack.close()

    # -- answers

    def _wait(self) -> None:
        """Until an answer arrives, or the next task is due."""
        if self._done:
            return
        now = self.clock.monotonic()
        moments = [self._due[0][0]] if self._due else []
        if self.deadline is not None and (self._due or self._ready):
            moments.append(self.deadline)
        if not (moments or self._in_flight):
            return
        self.clock.wait(max(0.0, min(moments) - now) if moments else _LONG_S, self.wake)

    def _take_all(self) -> None:
        self.wake.clear()
        while self._done:
            future = self._done.popleft()
            run = self._in_flight.pop(future)
            try:
                result = result_of(future.result())
            except CancelledError:
                run.due_at = None
                run.phase = "queued"
                run.leave(interrupted=self.stop.is_set())
                self._settled(run)
            except Exception as error:  # whatever an engine raises for a worker that is gone
                self._lost(run, error)
            else:
                self._take(run, result)

    def _take(self, run: ProjectRun, result: TaskResult) -> None:
        run.take(result, self.clock.monotonic())
        self._settled(run)

    def _lost(self, run: ProjectRun, error: BaseException) -> None:
        run.lost(error, self.clock.monotonic())
        self._settled(run)

    def _settled(self, run: ProjectRun) -> None:
        self.limits.settle(run)
        self._note_due(run)
        self.changed(run)


_LONG_S = 3600.0
"""A wait that only an answer ends."""
