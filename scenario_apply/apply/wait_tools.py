"""What waiting for trainings and for samples needs of the run."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Event
from scenario_apply.apply.finished_task import FinishedTask
from scenario_apply.apply.recorder import Recorder
from scenario_apply.apply.schedule import Schedule
from scenario_apply.apply.worker_threads import Workers
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.steps import PlannedStep
from scenario_apply.state.outcome import Outcome


class WaitTools(Struct, frozen=True, kw_only=True):
    """settle: a step is done; when it began, by the clock. fail: it failed, with the reason. end: so does the run."""

    api: ScenarioApi
    clock: Clock
    options: ApplyOptions
    schedule: Schedule
    recorder: Recorder
    workers: Workers[FinishedTask]
    emit: Callable[[Event], None]
    settle: Callable[[PlannedStep, Outcome, float], None]
    fail: Callable[[PlannedStep, str], None]
    end: Callable[[BaseException], None]

    def ended_badly(self, planned: PlannedStep, outcome: Outcome, reason: str) -> None:
        """What was waited for has failed: that is recorded, and what depends on it is not started."""
        self.recorder.ended(planned, outcome)
        self.recorder.settle(planned, outcome)
        self.fail(planned, reason)
