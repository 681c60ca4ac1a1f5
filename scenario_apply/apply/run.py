"""The run loop: asks the schedule what may start, lets workers carry it out, and records the results. One thread
decides; workers only send requests. What they share is one locked object (CallNotes)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import assert_never

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.before_run import take_baseline
from scenario_apply.apply.call_context import CallContext
from scenario_apply.apply.call_notes import CallNotes
from scenario_apply.apply.calls import perform
from scenario_apply.apply.environment import Environment
from scenario_apply.apply.error_rules import Consequence, Situation, consequence_of, is_ceiling_of_samples
from scenario_apply.apply.events import Event, Noted, StepFailed, StepFinished, StepStarted, Throttled
from scenario_apply.apply.finished_task import FinishedTask
from scenario_apply.apply.launch_gates import Launching
from scenario_apply.apply.price_round import PriceReply, PriceRound, ask_prices
from scenario_apply.apply.recorder import Recorder
from scenario_apply.apply.run_snapshot import RunSnapshot
from scenario_apply.apply.sample_ceiling import Crowded
from scenario_apply.apply.sample_gates import SampleGates
from scenario_apply.apply.sample_waits import SampleWaits
from scenario_apply.apply.schedule import Call, Schedule
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.apply.throttle_notice import ThrottleNotice
from scenario_apply.apply.training_waits import TrainingWaits
from scenario_apply.apply.wait_tools import WaitTools
from scenario_apply.apply.worker_threads import Workers
from scenario_apply.errors import ApiError, CoolingDown, Interrupted, StateError
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.steps import AwaitTraining, DrawSample, PlannedStep, StartTraining, UploadImage
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.planning.plan import Plan
from scenario_apply.state.baseline import Baseline
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Journal

DRAIN_S = 10.0
"""How long a run that can no longer save waits for each response still due, so that its rescue file holds it."""

IDLE_S = 0.25
MOMENT_S = 0.02


class Run:
    """One run over one plan. snapshot() says how far it got, at any time and after its end."""

    def __init__(
        self,
        environment: Environment,
        plan: Plan,
        state: State,
        journal: Journal,
        *,
        read: Callable[[UploadImage], bytes],
        emit: Callable[[Event], None],
        stop: StopSignal,
        launching: Launching,
        options: ApplyOptions,
        prices: PriceRound,
    ) -> None:
        assert environment.api is not None
        self._api: ScenarioApi = environment.api
        self._clock = environment.clock
        self._plan = plan
        self._read = read
        self._emit = emit
        self._stop = stop
        self._launching = launching
        self._options = options
        self._vanished = frozenset(change.address for change in plan.changes if change.edit.gone)
        self._deadline = None if options.timeout_s is None else self._clock.monotonic() + options.timeout_s
        self._prices = prices
        self._sample_gates = SampleGates(launching, plan, options.approval)
        launching.expect(prices.quotes, from_iso(plan.created_at) or self._clock.now())
        held = options.leaves_held
        self._schedule = Schedule(plan.steps, parallelism=options.parallelism, first=prices.first, leaves_held=held)
        self._recorder = Recorder(state, journal, environment.store, self._clock)
        # polls must not queue behind uploads
        self._workers: Workers[FinishedTask] = Workers(max(1, options.parallelism) + 2)
        self._notes = CallNotes()
        self._throttle_notice = ThrottleNotice(environment.counter, self._clock, emit)
        self._baseline = Baseline()
        self._crowded = Crowded()
        self._is_gated = False
        self._fatal: BaseException | None = None
        tools = WaitTools(
            api=self._api,
            clock=self._clock,
            options=options,
            schedule=self._schedule,
            recorder=self._recorder,
            workers=self._workers,
            emit=emit,
            settle=self._settle,
            fail=self._fail,
            end=self._end,
        )
        self._trainings, self._samples = TrainingWaits(tools), SampleWaits(tools, environment.thumbnails)

    # -- for the caller

    def run(self) -> None:
        """Carry out the plan as far as possible. Errors of steps are in the schedule, a fatal one in the snapshot."""
        try:
            try:  # also the first request, so that a wrong key or address shows before anything is written
                self._baseline = take_baseline(self._api, self._plan.steps)
            except (ApiError, Interrupted) as error:
                self._fatal = error
            self._recorder.mark_baseline(self._baseline)
            self._begin_waiting()
            while not self._is_over():
                self._start_calls()
                self._poll_if_due()
                self._take_results()
                self._throttle_notice.emit_when_due()
                self._recorder.checkpoint()
        except StateError as error:
            self._fatal = error
            self._drain()
        finally:
            self._workers.end()

    def snapshot(self) -> RunSnapshot:
        """How far the run got."""
        return RunSnapshot(
            plan=self._plan,
            state=self._recorder.state,
            status=dict(self._schedule.status),
            reasons=dict(self._schedule.reasons),
            outcomes=dict(self._recorder.outcomes),
            poll_results=dict(self._trainings.rounds.results),
            fatal=self._fatal,
            is_interrupted=self._stop.requested.is_set(),
            is_gated=self._is_gated,
            declined=self._prices.declined,
            refused=self._launching.refused_launches(),
        )

    @property
    def journal(self) -> Journal:
        return self._recorder.journal

    @property
    def has_open_calls(self) -> bool:
        """Whether the journal holds requests whose result is unknown."""
        return bool(self._schedule.running) or self._notes.has_unanswered

    # -- the loop

    def _is_over(self) -> bool:
        if self._stop.now.is_set():
            return True
        if self._schedule.running:
            return False
        if self._is_ending():
            return True
        schedule, is_waiting, waits = self._schedule, bool(self._schedule.waiting), self._options.wait
        # without waiting, a launch above the ceiling is left to the next run
        can_launch = bool(schedule.held) and (waits or not is_waiting)
        can_draw = bool(schedule.held_samples) and (waits or not schedule.drawing)
        is_polled = (waits and (is_waiting or self._trainings.rounds.is_polling)) or self._samples.is_open
        is_open = not self._prices.is_over
        return not (schedule.has_ready or schedule.has_delayed or can_launch or can_draw or is_polled or is_open)

    def _is_ending(self) -> bool:
        """No more requests are started: Ctrl-C, an error or a price that ends the run, or the time limit."""
        is_late = self._deadline is not None and self._clock.monotonic() >= self._deadline
        return self._stop.requested.is_set() or self._fatal is not None or self._prices.declined is not None or is_late

    def _begin_waiting(self) -> None:
        for planned in self._schedule.begun_waiting():
            self._recorder.intend(planned)
            waits = self._trainings if isinstance(planned.step, AwaitTraining) else self._samples
            waits.rounds.begin_waiting(self._clock.monotonic())

    def _start_calls(self) -> None:
        if self._is_ending():
            return
        self._ask_prices_if_due()
        if self._schedule.held and not self._schedule.has_trainings():
            self._schedule.release_held()  # nothing is left to wait for
        self._schedule.release_samples_if_idle()
        for call in self._schedule.start(self._clock.monotonic()):
            self._start(call)

    def _start(self, call: Call) -> None:
        planned, step = call.planned, call.step
        try:
            self._recorder.intend(planned)
        except StateError:
            self._schedule.put_back(planned.id)  # nothing was sent
            raise
        self._emit(StepStarted(step=planned))
        context = self._context()
        started_at = self._clock.monotonic()

        def task() -> FinishedTask:
            try:
                if isinstance(step, StartTraining):
                    self._launching.check(step, context)
                elif isinstance(step, DrawSample):
                    self._sample_gates.check(step, context)
                outcome = self._launching.with_quote(step, perform(planned, step, context))
                outcome = self._sample_gates.with_quote(step, outcome)
                return FinishedTask(call=call, started_at=started_at, outcome=outcome)
            except Exception as error:
                return FinishedTask(call=call, started_at=started_at, error=error)

        self._workers.start(task)

    def _context(self) -> CallContext:
        return CallContext(
            api=self._api,
            clock=self._clock,
            journal=self._recorder.journal,
            state=self._recorder.state,
            read=self._read,
            assets=self._recorder.assets,
            vanished=self._vanished,
            stop=self._stop.requested,
            notes=self._notes,
            baseline=self._baseline,
        )

    # -- results

    def _take_results(self) -> None:
        """Take every result that has arrived; waits for the first one until something else is due."""
        result = self._workers.take(self._patience_s())
        while result is not None:
            if isinstance(result, BaseException):
                raise result
            if result.call is not None:
                self._take_call(result.call.planned, result)
            elif result.take is not None:
                result.take()
            result = self._workers.take(None)
        self._begin_waiting()
        for address, text in self._notes.take_remarks():
            self._emit(Noted(text=text, address=address))
        self._recorder.flush_when_due(is_idle=not self._schedule.running)

    def _patience_s(self) -> float:
        """How long the loop may wait for a result before something else is due."""
        if self._stop.requested.is_set() or (self._schedule.has_ready and not self._schedule.running):
            return MOMENT_S
        rounds = self._trainings.rounds
        next_poll = rounds.next_at if self._options.wait and not rounds.is_polling else None
        moments = (next_poll, self._samples.next_at, self._deadline, self._schedule.next_delay_ends_at)
        due = [at for at in moments if at is not None]
        left = min(due) - self._clock.monotonic() if due else IDLE_S
        if not self._workers.busy and left > 0:
            # no task is running, so no result can arrive
            self._clock.wait(min(left, IDLE_S), self._stop.requested)
            return 0.0
        return max(0.001, min(left, IDLE_S))

    def _take_call(self, planned: PlannedStep, task: FinishedTask) -> None:
        if task.outcome is not None:
            self._settle(planned, task.outcome, task.started_at)
            return
        error = task.error
        assert error is not None
        is_draw, schedule = isinstance(planned.step, DrawSample), self._schedule
        others = (schedule.has_samples if is_draw else schedule.has_trainings)(beside=planned.id)
        is_unanswered = self._notes.is_unanswered(planned.id)
        now = self._clock.monotonic()
        has_patience = self._options.wait and self._crowded.has_patience(now)
        situation = Situation(is_unanswered, others, leaves_held=self._options.leaves_held, has_patience=has_patience)
        match consequence := consequence_of(error, situation):
            case Consequence.UNKNOWN:
                self._schedule.unknown(planned.id, str(error))
            case Consequence.PUT_BACK:
                self._schedule.put_back(planned.id)
            case Consequence.DELAY:
                assert isinstance(error, CoolingDown)
                self._schedule.delay(planned.id, self._clock.monotonic() + error.remaining_s)
                self._emit(Throttled(seconds=error.remaining_s, reason="the cooldown between launches"))
            case Consequence.HOLD:
                self._schedule.hold(planned.id)
                what = "sample" if is_draw else "training"
                self._emit(Noted(text=f"waits for another {what} to end: {error}", address=planned.address))
            case Consequence.ASK_AGAIN:
                if self._crowded.since is None:
                    self._emit(Noted(text=f"waits for jobs of others to end: {error}", address=planned.address))
                self._schedule.hold_until(planned.id, self._crowded.next_at(now))
            case Consequence.FAIL if isinstance(error, CoolingDown):
                self._fail(planned, f"{error}; a cooldown of more than an hour is not waited for: apply again after it")
            case Consequence.FAIL:
                self._fail(planned, str(error))
                if is_ceiling_of_samples(error):  # the others would be refused as well
                    for step_id in schedule.held_samples:
                        self._fail(schedule.steps[step_id], str(error))
            case Consequence.FAIL_AT_GATE:
                self._is_gated = True
                self._fail(planned, str(error))
            case Consequence.END_RUN:
                self._fatal = self._fatal or error
                self._fail(planned, str(error))
            case Consequence.RAISE:
                if situation.is_unanswered:
                    self._schedule.unknown(planned.id, str(error))
                else:
                    self._schedule.put_back(planned.id)
                raise error
            case _:
                assert_never(consequence)

    def _settle(self, planned: PlannedStep, outcome: Outcome, started_at: float) -> None:
        """A step is done: journal, state, event, and what depended on it."""
        self._recorder.keep(planned, outcome)
        self._schedule.done(planned.id)
        self._recorder.settle(planned, outcome)
        if isinstance(planned.step, DrawSample):
            self._crowded.passed()
        self._emit(
            StepFinished(
                step=planned,
                took_s=self._clock.monotonic() - started_at,
                adopted=outcome.adopted is not None,
                how=outcome.adopted,
                remote_id=outcome.model_id or outcome.asset_id or outcome.job_id,
                cu_charged=outcome.cu if isinstance(planned.step, StartTraining | DrawSample) else None,
            )
        )

    def _fail(self, planned: PlannedStep, reason: str) -> None:
        """A step failed: what depends on it is not started, the rest continues."""
        is_unknown = self._notes.is_unanswered(planned.id)
        skipped = self._schedule.failed(planned.id, reason, is_unknown=is_unknown)
        if not is_unknown:  # else its request stays open in the journal, and the next run looks it up
            self._recorder.fail(planned, reason)
            if isinstance(planned.step, StartTraining):
                self._launching.forget(planned.step)
            elif isinstance(planned.step, DrawSample):
                self._sample_gates.forget(planned.step)
        self._emit(StepFailed(step=planned, error=reason, skipped=skipped))

    def _end(self, error: BaseException) -> None:
        """No more requests are started, because of this error."""
        self._fatal = self._fatal or error

    def _poll_if_due(self) -> None:
        if self._is_ending():
            return
        if self._options.wait:
            self._trainings.poll_if_due()
        self._samples.poll_if_due()

    # -- prices

    def _ask_prices_if_due(self) -> None:
        """Once the empty models are made, ask what their trainings cost; nothing else starts before the answer."""
        if self._prices.is_asked or not self._schedule.is_first_over:
            return
        questions = self._prices.questions(self._recorder.state)

        def task() -> FinishedTask:
            return FinishedTask(take=partial(self._take_prices, ask_prices(self._api, questions, self._stop.requested)))

        self._workers.start(task)

    def _take_prices(self, answers: tuple[PriceReply, ...]) -> None:
        """Show what the run costs, and continue if limits and approval allow it; else nothing is uploaded."""
        prices = self._prices
        if self._stop.requested.is_set():
            return
        if prices.take(answers):
            self._recorder.note(prices.noted_in(self._recorder.state, iso(self._clock.now())))
            self._emit(prices.priced)
        if prices.judged(self._options.approval):
            self._is_gated = True
            self._launching.refuse({p.address: p.cu for p in prices.priced.prices if p.cu is not None})
        if prices.declined is None:
            self._launching.expect(prices.quotes, self._clock.now())
            self._schedule.begin_others()

    # -- the end

    def _drain(self) -> None:
        """Take the responses that are still due into the state."""
        while self._schedule.running and not self._stop.now.is_set():
            task = self._workers.take(DRAIN_S)
            if not isinstance(task, FinishedTask):
                return
            if task.call is None:
                continue
            planned = task.call.planned
            if task.outcome is not None:
                self._recorder.keep_late(planned, task.outcome, self._fatal)
                self._schedule.done(planned.id)
            elif task.error is not None:
                is_unknown = self._notes.is_unanswered(planned.id)
                self._schedule.failed(planned.id, str(task.error), is_unknown=is_unknown)
