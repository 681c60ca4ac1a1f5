"""Walk a plan's graph: independent steps at once, every one journalled, trainings polled together, events sent.

One thread decides; workers only call. The state is a value that the deciding thread replaces.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from scenario_apply.apply.baseline import Baseline, take_baseline
from scenario_apply.apply.call_context import LONGEST_COOLDOWN_S, CallContext
from scenario_apply.apply.calls import created_with_concepts, perform
from scenario_apply.apply.environment import Environment
from scenario_apply.apply.events import Event, Noted, StepFailed, StepFinished, StepStarted, Throttled, TrainingMoved
from scenario_apply.apply.launch_gates import Launching
from scenario_apply.apply.lost_answers import likeness
from scenario_apply.apply.poll_failures import PollFailures, poll_failure_message
from scenario_apply.apply.poller import PollInterval, Seen, look_at
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.apply.throttle_notice import ThrottleNotice
from scenario_apply.apply.worker_threads import Workers
from scenario_apply.errors import (
    ApiError,
    CoolingDown,
    GateClosed,
    Interrupted,
    PlanCeiling,
    RateLimited,
    ScenarioApplyError,
    StateError,
    Unauthorized,
    Unreachable,
)
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId
from scenario_apply.model.steps import AwaitTraining, CreateModel, PlannedStep, StartTraining, StepId, UploadImage
from scenario_apply.planning.plan import Plan
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State, Version
from scenario_apply.state.stores.journal import Journal

IN_FLIGHT_BYTES = 48 * 1024 * 1024
"""Pictures being sent at once hold at most this much, or one picture."""

CHECKPOINT_EVERY_S = 5.0
FLUSH_EVERY_S = 0.1
DRAIN_S = 10.0
"""How long a run that can no longer save waits for each answer still due, so that its rescue file holds it."""

IDLE_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTask:
    """What a worker did: a step, or a round of polls (step None)."""

    step: PlannedStep | None
    started_at: float
    outcome: Outcome | None = None
    seen: dict[Address, Seen] | None = None
    error: BaseException | None = None


class Executor:
    """One run over one plan. After run(): done, failed, unknown, skipped, waiting say how far it got.

    unanswered: steps whose call may have been carried out though nobody could say; the journal keeps them.
    """

    def __init__(
        self,
        world: Environment,
        plan: Plan,
        state: State,
        journal: Journal,
        *,
        read: Callable[[UploadImage], bytes],
        emit: Callable[[Event], None],
        stop: StopSignal,
        launching: Launching,
        parallelism: int,
        poll_interval_s: float | None,
        timeout_s: float | None,
        wait: bool,
        gone: frozenset[Address],
    ) -> None:
        assert world.api is not None
        self.world = world
        self.api = world.api
        self.clock = world.clock
        self.plan = plan
        self.state = state
        self.journal = journal
        self.read = read
        self.emit = emit
        self.stop = stop
        self.launching = launching
        self.wait = wait
        self.gone = gone
        self.pace = PollInterval(poll_interval_s)
        self.deadline = None if timeout_s is None else self.clock.monotonic() + timeout_s
        self.parallelism = max(1, parallelism)
        self.workers: Workers[FinishedTask] = Workers(self.parallelism + 1)  # a round must not queue behind uploads
        self.steps = {planned.id: planned for planned in plan.steps}
        self.order = {planned.id: number for number, planned in enumerate(plan.steps)}
        self.missing = {planned.id: set(planned.after) & self.steps.keys() for planned in plan.steps}
        self.dependants: dict[StepId, list[StepId]] = {}
        for planned in plan.steps:
            for need in self.missing[planned.id]:
                self.dependants.setdefault(need, []).append(planned.id)
        self.ready: list[tuple[int, StepId]] = []
        self.delayed: list[tuple[float, StepId]] = []
        self.ceiling: list[StepId] = []  # launches that wait for another training to end
        self.assets: dict[StepId, AssetId] = {}
        self.uncertain: set[Address] = set()
        self.unanswered: set[StepId] = set()
        self.taken: set[str] = set()
        self.landmarks = Baseline()
        self.repeated: SimpleQueue[tuple[Address, str]] = SimpleQueue()
        self.running: set[StepId] = set()
        self.likenesses: set[tuple[str, ...]] = set()  # of the calls in flight
        self.waiting: dict[Address, StepId] = {}
        self.done: dict[StepId, Outcome] = {}
        self.failed: dict[StepId, str] = {}
        self.unknown: dict[StepId, str] = {}
        self.interrupted: set[StepId] = set()
        self.skipped: dict[StepId, str] = {}
        self.in_flight_bytes = 0
        self.polling = False
        self.poll_at: float | None = None
        self.bad_rounds = PollFailures()
        self.seen: dict[Address, Seen] = {}  # what the last round said
        self.pauses = ThrottleNotice(world.counter, world.clock, emit)
        self.gated = False
        self.fatal: BaseException | None = None
        self.saved_at = self.flushed_at = self.clock.monotonic()
        self.unflushed = False

    # -- the loop

    def run(self) -> State:
        """Do what can be done; the state after it. Errors of steps are kept in failed, fatal ones in fatal."""
        try:
            self.look_around()
            for step_id, needs in self.missing.items():
                if not needs:
                    self.enqueue(step_id)
            while not self.is_over():
                self.retry_below_the_ceiling()
                self.start_what_can_start()
                self.poll_if_due()
                self.take_results()
                self.pauses.tell()
                self.checkpoint()
        except StateError as error:
            self.fatal = error
            self.drain()
        return self.state

    def drain(self) -> None:
        """Take the answers that are still due into the state; the journal takes no more of them."""
        while self.running and not self.stop.now.is_set():
            task = self.workers.take(DRAIN_S)
            if not isinstance(task, FinishedTask):
                return
            if task.step is not None:
                self.running.discard(task.step.id)
                if task.outcome is not None:
                    self.keep(task.step, task.outcome)
                elif task.error is not None:
                    self.give_up(task.step, str(task.error))

    def look_around(self) -> None:
        """What is there before the run makes anything; also the first word with the service, which may refuse it."""
        try:
            self.landmarks = take_baseline(self.api, self.plan.steps)
        except (ApiError, Interrupted) as error:
            self.fatal = error
        self.journal.mark(self.landmarks)

    def is_over(self) -> bool:
        if self.stop.now.is_set():
            return True
        if self.running:
            return False
        if self.is_ending():
            return True
        # without waiting, a launch above the ceiling is left to the next run
        can_launch = bool(self.ceiling) and (self.wait or not self.waiting)
        return not (self.ready or self.delayed or can_launch or (self.waiting and self.wait) or self.polling)

    def is_ending(self) -> bool:
        """No more calls are started: Ctrl-C, a fatal error, or the time is up."""
        late = self.deadline is not None and self.clock.monotonic() >= self.deadline
        return self.stop.requested.is_set() or self.fatal is not None or late

    def start_what_can_start(self) -> None:
        if self.is_ending():
            return
        now = self.clock.monotonic()
        while self.delayed and self.delayed[0][0] <= now:
            _, step_id = heapq.heappop(self.delayed)
            heapq.heappush(self.ready, (self.order[step_id], step_id))
        put_back = []
        while self.ready and len(self.running) < self.parallelism:
            entry = heapq.heappop(self.ready)
            planned = self.steps[entry[1]]
            if self.is_too_much(planned) or likeness(planned) in self.likenesses:
                put_back.append(entry)
            else:
                self.start(planned)
        for entry in put_back:
            heapq.heappush(self.ready, entry)

    def is_too_much(self, planned: PlannedStep) -> bool:
        if not isinstance(planned.step, UploadImage) or not self.in_flight_bytes:
            return False
        return self.in_flight_bytes + planned.step.picture.size_bytes > IN_FLIGHT_BYTES

    def enqueue(self, step_id: StepId) -> None:
        """Nothing it needs is missing any more. Waiting takes no call, so it begins at once."""
        planned = self.steps[step_id]
        if isinstance(planned.step, AwaitTraining):
            self.begin_waiting(planned)
        else:
            heapq.heappush(self.ready, (self.order[step_id], step_id))

    def start(self, planned: PlannedStep) -> None:
        self.journal.intend(planned, self.clock.now())
        self.running.add(planned.id)
        if isinstance(planned.step, UploadImage):
            self.in_flight_bytes += planned.step.picture.size_bytes
        if (alike := likeness(planned)) is not None:
            self.likenesses.add(alike)
        self.emit(StepStarted(step=planned))
        context = CallContext(
            api=self.api,
            clock=self.clock,
            journal=self.journal,
            state=self.state,
            read=self.read,
            assets=self.assets,
            gone=self.gone,
            stop=self.stop.requested,
            uncertain=self.uncertain,
            unanswered=self.unanswered,
            taken=self.taken,
            landmarks=self.landmarks,
            repeated=self.repeated,
        )
        started_at = self.clock.monotonic()

        def task() -> FinishedTask:
            try:
                if isinstance(planned.step, StartTraining):
                    self.launching.check(planned.step, context)
                outcome = perform(planned, context)
                if isinstance(planned.step, CreateModel):
                    outcome = created_with_concepts(outcome, planned.step, context)
                return FinishedTask(step=planned, started_at=started_at, outcome=outcome)
            except Exception as error:
                return FinishedTask(step=planned, started_at=started_at, error=error)

        self.workers.start(task)

    # -- results

    def take_results(self) -> None:
        """Everything that is there now; waits for the first as long as nothing else is due."""
        result = self.workers.take(self.patience_s())
        settled = False
        self.report_repeated()
        while result is not None:
            if isinstance(result, BaseException):
                raise result
            if result.step is None:
                self.take_round(result)
            else:
                settled = True
                self.take_step(result.step, result)
            result = self.workers.take(None)
        self.unflushed = self.unflushed or settled
        self.flush_when_due()

    def report_repeated(self) -> None:
        """Create requests that were sent again: another model may exist, and the user must know before it is found."""
        while True:
            try:
                address, text = self.repeated.get_nowait()
            except Empty:
                return
            self.emit(Noted(text=text, address=address))

    def flush_when_due(self) -> None:
        """`done` lines go to disk a few at a time.

        A call that creates or spends flushes all before it by itself, right before its bytes leave (journal.sending);
        so what a power loss can take is a caption's line, which the next run finds on the service.
        """
        now = self.clock.monotonic()
        if self.unflushed and (now - self.flushed_at >= FLUSH_EVERY_S or not self.running):
            self.journal.flush()
            self.unflushed, self.flushed_at = False, now

    def patience_s(self) -> float:
        """How long the loop may wait for a result before something else is due."""
        if self.stop.requested.is_set() or (self.ready and not self.running):
            return 0.02
        next_round = self.poll_at if self.wait and not self.polling else None
        due = [moment for moment in (next_round, self.deadline) if moment is not None]
        due += [moment for moment, _ in self.delayed[:1]]
        left = min(due) - self.clock.monotonic() if due else IDLE_S
        if not self.workers.busy and left > 0:
            # nothing can arrive: time is all that passes
            self.clock.wait(min(left, IDLE_S), self.stop.requested)
            return 0.0
        return max(0.001, min(left, IDLE_S))

    def take_step(self, planned: PlannedStep, task: FinishedTask) -> None:
        self.running.discard(planned.id)
        if isinstance(planned.step, UploadImage):
            self.in_flight_bytes -= planned.step.picture.size_bytes
        if (alike := likeness(planned)) is not None:
            self.likenesses.discard(alike)
        if task.outcome is not None:
            self.settle(planned, task.outcome, self.clock.monotonic() - task.started_at)
            return
        error = task.error
        match error:
            case Interrupted() if planned.id in self.unanswered:
                self.unknown[planned.id] = str(error)
            case Interrupted():
                self.interrupted.add(planned.id)
            case CoolingDown() if error.remaining_s > LONGEST_COOLDOWN_S:
                self.fail(planned, f"{error}; a cooldown of more than an hour is not waited for, apply again after it")
            case CoolingDown():
                self.emit(Throttled(seconds=error.remaining_s, reason="launch cooldown"))
                heapq.heappush(self.delayed, (self.clock.monotonic() + error.remaining_s, planned.id))
            case PlanCeiling(action="parallel-training") if error.limit != 0 and self.has_trainings():
                self.emit(Noted(text=f"waits for another training to end: {error.what}", address=planned.address))
                self.ceiling.append(planned.id)
            case StateError():
                raise error
            case Unauthorized() | Unreachable() | RateLimited():
                self.fatal = self.fatal or error
                self.fail(planned, str(error))
            case GateClosed():
                self.gated = True
                self.fail(planned, str(error))
            case ScenarioApplyError():
                self.fail(planned, str(error))
            case _:
                assert error is not None
                raise error

    def settle(self, planned: PlannedStep, outcome: Outcome, took_s: float) -> None:
        """A step is done: journal, state, event, and what waited for it."""
        self.keep(planned, outcome)
        self.journal.settle(planned, outcome)
        is_launch = isinstance(planned.step, StartTraining)
        self.emit(
            StepFinished(
                step=planned,
                took_s=took_s,
                adopted=outcome.adopted is not None,
                how=outcome.adopted,
                remote_id=outcome.model_id or outcome.asset_id or outcome.job_id,
                cu_charged=outcome.cu if is_launch else None,
            )
        )
        for dependant in self.dependants.get(planned.id, ()):
            self.missing[dependant].discard(planned.id)
            if not self.missing[dependant] and dependant not in self.skipped:
                self.enqueue(dependant)

    def keep(self, planned: PlannedStep, outcome: Outcome) -> None:
        """What was done, in memory first: a disk that refuses the journal must not lose it for the rescue file."""
        self.state = after(self.state, planned, outcome)
        self.done[planned.id] = outcome
        if outcome.asset_id is not None and isinstance(planned.step, UploadImage):
            self.assets[planned.id] = outcome.asset_id

    def give_up(self, planned: PlannedStep, reason: str) -> None:
        """Note why a step came to nothing, and whether that is sure."""
        if planned.id in self.unanswered:
            self.unknown[planned.id] = reason
        else:
            self.failed[planned.id] = reason

    def fail(self, planned: PlannedStep, reason: str) -> None:
        """A step failed: what depends on it is not started, the rest goes on."""
        self.give_up(planned, reason)
        if planned.id in self.failed:  # else its call stays unanswered in the journal: the next run looks again
            self.journal.fail(planned, reason)
            if isinstance(planned.step, StartTraining):
                self.launching.forget(planned.step)
        skipped = 0
        queue = list(self.dependants.get(planned.id, ()))
        while queue:
            step_id = queue.pop()
            if step_id not in self.skipped:
                self.skipped[step_id] = f"{planned.address} {planned.kind} failed"
                skipped += 1
                queue += self.dependants.get(step_id, ())
        self.emit(StepFailed(step=planned, error=reason, skipped=skipped))

    # -- trainings

    def has_trainings(self) -> bool:
        """Whether a training of this run goes on or is being launched: its end lets another one start."""
        return bool(self.waiting) or any(isinstance(self.steps[i].step, StartTraining) for i in self.running)

    def retry_below_the_ceiling(self) -> None:
        """Launches that were refused for others that came to nothing are tried again: nothing is left to wait for."""
        if self.ceiling and not self.has_trainings():
            for step_id in self.ceiling:
                self.enqueue(step_id)
            self.ceiling.clear()

    def begin_waiting(self, planned: PlannedStep) -> None:
        self.journal.intend(planned, self.clock.now())
        self.waiting[planned.address] = planned.id
        if self.poll_at is None:
            self.poll_at = self.clock.monotonic() + self.pace.every_s
        self.pace.speed_up()

    def versions_waited_for(self) -> dict[Address, Version]:
        return {address: self.state.records[address].working for address in self.waiting}

    def poll_if_due(self) -> None:
        if not self.waiting or not self.wait or self.polling or self.is_ending():
            return
        if self.poll_at is not None and self.clock.monotonic() < self.poll_at:
            return
        self.polling = True
        versions = self.versions_waited_for()
        started_at = self.clock.monotonic()

        def task() -> FinishedTask:
            try:
                return FinishedTask(step=None, started_at=started_at, seen=look_at(self.api, self.clock, versions))
            except (ScenarioApplyError, KeyError) as error:
                return FinishedTask(step=None, started_at=started_at, error=error)

        self.workers.start(task)

    def take_round(self, task: FinishedTask) -> None:
        self.polling = False
        self.poll_at = self.clock.monotonic() + self.pace.every_s
        if task.error is not None:
            self.round_failed(task.error)
            return
        self.bad_rounds.passed()
        self.seen.update(task.seen or {})
        ended = 0
        for address, seen in (task.seen or {}).items():
            step_id = self.waiting.get(address)
            if step_id is None:
                continue
            job_id = self.state.records[address].working.job_id
            self.emit(TrainingMoved(address=address, status=seen.status, progress=seen.progress, job_id=job_id))
            if seen.outcome is not None:
                ended += 1
                self.training_ended(self.steps[step_id], seen.outcome, task.started_at)
        if ended:
            self.journal.flush()
            self.pace.speed_up()
        else:
            self.pace.slow_down()

    def training_ended(self, planned: PlannedStep, outcome: Outcome, started_at: float) -> None:
        del self.waiting[planned.address]
        if not self.waiting:
            self.poll_at = None
        for step_id in self.ceiling:
            self.enqueue(step_id)
        self.ceiling.clear()
        if outcome.phase == "trained":
            self.settle(planned, outcome, self.clock.monotonic() - started_at)
            return
        self.state = after(self.state, planned, outcome)
        self.journal.settle(planned, outcome)
        self.fail(planned, outcome.reason or f"the training ended as {outcome.phase}")

    def round_failed(self, error: BaseException) -> None:
        if self.bad_rounds.is_enough(error):
            self.fatal = self.fatal or error
        elif not isinstance(error, Interrupted):
            self.emit(Noted(text=poll_failure_message(error)))

    # -- keeping

    def checkpoint(self) -> None:
        """The state is written now and then, so that a leftover journal stays short to replay."""
        now = self.clock.monotonic()
        if now - self.saved_at < CHECKPOINT_EVERY_S:
            return
        self.journal.flush()
        self.state = self.world.store.save(self.state, self.journal, back_up=False)
        self.saved_at = now
