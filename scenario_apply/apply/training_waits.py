"""The trainings that a run waits for: polled together, and what becomes of those that have ended."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from scenario_apply.apply.events import Noted, TrainingMoved
from scenario_apply.apply.finished_task import FinishedTask
from scenario_apply.apply.poll_failures import poll_failure_message
from scenario_apply.apply.poll_rounds import PollResult, PollRounds
from scenario_apply.apply.poller import poll_trainings
from scenario_apply.apply.wait_tools import WaitTools
from scenario_apply.errors import Interrupted, ScenarioApplyError
from scenario_apply.model.address import Address
from scenario_apply.model.steps import PlannedStep
from scenario_apply.state.outcome import Outcome


class TrainingWaits:
    """Used by the thread that runs the loop; a worker asks the service."""

    def __init__(self, tools: WaitTools) -> None:
        self._tools = tools
        self.rounds: PollRounds[Address] = PollRounds(tools.options.poll_interval_s)

    def poll_if_due(self) -> None:
        tools, rounds = self._tools, self.rounds
        now = tools.clock.monotonic()
        if not tools.schedule.waiting or not rounds.is_due(now):
            return
        rounds.is_polling = True
        versions = {address: tools.recorder.state.records[address].working for address in tools.schedule.waiting}
        by_model = rounds.is_stuck

        def task() -> FinishedTask:
            try:
                results = poll_trainings(tools.api, tools.clock, versions, by_model=by_model)
                return FinishedTask(take=partial(self._take, results, now))
            except (ScenarioApplyError, KeyError) as error:
                return FinishedTask(take=partial(self._failed, error))

        tools.workers.start(task)

    def _take(self, results: Mapping[Address, PollResult], started_at: float) -> None:
        tools = self._tools
        self.rounds.polled(results, tools.clock.monotonic())
        for address, text in self.rounds.new_notes():
            tools.emit(Noted(text=text, address=address))
        ended = False
        for address, one in results.items():
            step_id = tools.schedule.waiting.get(address)
            if step_id is None:
                continue
            job_id = tools.recorder.state.records[address].working.job_id
            tools.emit(TrainingMoved(address=address, status=one.status, progress=one.progress, job_id=job_id))
            if one.outcome is not None:
                ended = True
                self._ended(tools.schedule.steps[step_id], one.outcome, started_at)
        if ended:
            tools.recorder.flush()

    def _failed(self, error: BaseException) -> None:
        if self.rounds.failed(error, self._tools.clock.monotonic()):
            self._tools.end(error)
        elif not isinstance(error, Interrupted):
            self._tools.emit(Noted(text=poll_failure_message(error)))

    def _ended(self, planned: PlannedStep, outcome: Outcome, started_at: float) -> None:
        if outcome.phase == "trained":
            self._tools.settle(planned, outcome, started_at)
        else:
            self._tools.ended_badly(planned, outcome, outcome.reason or f"the training ended as {outcome.phase}")
        if not self._tools.schedule.waiting:
            self.rounds.nothing_left()
        self._tools.schedule.release_held()
