"""The samples that a run waits for: polled together; the pictures of those that are drawn are looked at by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import islice

from msgspec.structs import replace
from msgspec.structs import replace as with_values

from scenario_apply.apply.environment import Thumbnails
from scenario_apply.apply.events import Noted, SampleMoved
from scenario_apply.apply.finished_task import FinishedTask
from scenario_apply.apply.poll_failures import poll_failure_message
from scenario_apply.apply.poll_rounds import PollResult, PollRounds
from scenario_apply.apply.sample_lookup import UNDECIDED
from scenario_apply.apply.sample_poller import Drawing, drawing_of, poll_samples
from scenario_apply.apply.wait_tools import WaitTools
from scenario_apply.errors import Interrupted, RateLimited, ScenarioApplyError, Unauthorized, Unreachable
from scenario_apply.model.remote import AssetId, Progress
from scenario_apply.model.steps import AwaitSample, StepId
from scenario_apply.state.outcome import Outcome, SampleEnd
from scenario_apply.state.sample_records import drawing, version_of
from scenario_apply.state.state import DrawnPicture

LOOKED_AT_TOGETHER = 16
"""Samples whose pictures are downloaded in one task: what a run that ends meanwhile downloads again."""
PICTURES_LATE_S = 30.0
"""A job that has succeeded may name its pictures so long after."""
NOTHING_SHOWN_S = 600.0
"""A job that has succeeded and names no picture is left to a later run until so long after its launch, since it is
paid. After that its sample has failed, and is drawn again."""


class SampleWaits:
    """Used by the thread that runs the loop; workers ask the service.

    thumbnails None: no small copies are made. A run that does not wait asks once about the samples of earlier runs.
    """

    def __init__(self, tools: WaitTools, thumbnails: Thumbnails | None) -> None:
        self._tools = tools
        self._thumbnails = thumbnails
        self._earlier = frozenset(tools.schedule.drawing)
        self._drawn: dict[StepId, Outcome] = {}  # whose pictures are not looked at yet
        self._without_picture: dict[StepId, float] = {}  # since when, by the clock
        self._is_looking = False
        self._is_said = False
        self.rounds: PollRounds[StepId] = PollRounds(tools.options.poll_interval_s)

    @property
    def is_open(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self._polled() or self._drawn or self._is_looking or self.rounds.is_polling)

    @property
    def next_at(self) -> float | None:
        """When the next poll is due, in the clock's seconds."""
        return None if self.rounds.is_polling or not self._polled() else self.rounds.next_at

    def poll_if_due(self) -> None:
        tools, now = self._tools, self._tools.clock.monotonic()
        asked = self._polled()
        if not asked or (tools.options.wait and not self.rounds.is_due(now)) or self.rounds.is_polling:
            return
        self._earlier = frozenset()
        waiting: dict[StepId, Drawing] = {}
        for step_id, step in asked.items():
            version = version_of(tools.recorder.state, step.address, step.number)
            sample = None if version is None else drawing(version, step.key)
            if sample is None or sample.job_id is None:
                tools.fail(tools.schedule.steps[step_id], UNDECIDED)
            else:
                waiting[step_id] = drawing_of(sample.job_id, sample.at)
        if not waiting:
            return
        self.rounds.is_polling = True

        def task() -> FinishedTask:
            try:
                results = poll_samples(tools.api, tools.clock, waiting)
                return FinishedTask(take=partial(self._take, results, waiting, now))
            except (ScenarioApplyError, KeyError) as error:
                return FinishedTask(take=partial(self._failed, error))

        tools.workers.start(task)

    def _polled(self) -> dict[StepId, AwaitSample]:
        """The samples that are polled."""
        drawing_now, is_waiting = self._tools.schedule.drawing, self._tools.options.wait
        return {
            step_id: step
            for step_id, step in drawing_now.items()
            if step_id not in self._drawn and (is_waiting or step_id in self._earlier)
        }

    def _take(self, polled: Mapping[StepId, PollResult], asked: Mapping[StepId, Drawing], started_at: float) -> None:
        tools = self._tools
        results = {step_id: self._with_patience(step_id, one) for step_id, one in polled.items()}
        self.rounds.polled(results, tools.clock.monotonic())
        for step_id, text in self.rounds.new_notes():
            tools.emit(Noted(text=text, address=tools.schedule.steps[step_id].address))
        for step_id, one in results.items():
            step = tools.schedule.drawing.get(step_id)
            if step is None:
                continue
            job_id, progress = asked[step_id].job_id, one.progress
            tools.emit(
                SampleMoved(address=step.address, name=step.name, status=one.status, progress=progress, job_id=job_id)
            )
            if one.outcome is not None:
                is_young = tools.clock.now() - asked[step_id].at < NOTHING_SHOWN_S
                self._ended(step_id, one.outcome, started_at, may_show=is_young and one.status == "success")
        ended = sum(one.outcome is not None for one in results.values())
        if ended:
            tools.schedule.release_samples(ended)
            tools.recorder.flush()
        self._look()

    def _with_patience(self, step_id: StepId, one: PollResult) -> PollResult:
        """A job that has succeeded and names no picture continues for a while: the pictures may be named late."""
        end = None if one.outcome is None else one.outcome.sample
        if one.status != "success" or end is None or end.phase == "drawn":
            return one
        now = self._tools.clock.monotonic()
        if now - self._without_picture.setdefault(step_id, now) >= PICTURES_LATE_S:
            return one
        return with_values(one, outcome=None, progress=Progress(stage=one.status, progress=1.0))

    def _failed(self, error: BaseException) -> None:
        """A poll failed. One that fails for good ends the run where trainings could not be polled either."""
        if self.rounds.failed(error, self._tools.clock.monotonic()):
            if isinstance(error, Unauthorized | RateLimited | Unreachable):
                self._tools.end(error)
                return
            for step_id in list(self._polled()):
                self._tools.fail(self._tools.schedule.steps[step_id], f"it cannot be polled: {error}")
            self.rounds.nothing_left()
        elif not isinstance(error, Interrupted):
            self._tools.emit(Noted(text=poll_failure_message(error, "samples")))

    def _ended(self, step_id: StepId, outcome: Outcome, started_at: float, *, may_show: bool) -> None:
        planned, end = self._tools.schedule.steps[step_id], outcome.sample
        if may_show and (end is None or end.phase != "drawn"):
            self._tools.fail(planned, f"{outcome.reason}; a later apply asks again before it is drawn again")
        elif end is None or end.phase != "drawn":
            self._tools.ended_badly(planned, outcome, outcome.reason or "it was not drawn")
        elif self._thumbnails is None:
            self._tools.settle(planned, outcome, started_at)
        else:
            self._drawn[step_id] = outcome
        if not self._tools.schedule.drawing:
            self.rounds.nothing_left()

    # -- pictures

    def _look(self) -> None:
        """Download the pictures of samples that are drawn. A run that ends meanwhile polls them again the next time."""
        tools, make = self._tools, self._thumbnails
        batch = dict(islice(self._drawn.items(), LOOKED_AT_TOGETHER))
        if make is None or self._is_looking or not batch:
            return
        self._is_looking = True
        now = tools.clock.monotonic()
        wanted = [picture.asset_id for one in batch.values() if one.sample for picture in one.sample.pictures]

        def task() -> FinishedTask:
            try:
                return FinishedTask(take=partial(self._looked, batch, make(wanted), None, now))
            except Exception as error:  # whatever happens to a picture, it was drawn
                return FinishedTask(take=partial(self._looked, batch, {}, error, now))

        tools.workers.start(task)

    def _looked(
        self,
        batch: Mapping[StepId, Outcome],
        pictures: Mapping[AssetId, DrawnPicture],
        error: Exception | None,
        started_at: float,
    ) -> None:
        self._is_looking = False
        if error is not None and not isinstance(error, Interrupted) and not self._is_said:
            self._is_said = True  # once a run: the others fail for the same reason
            text = f"pictures of samples cannot be downloaded: {error}; `samples draw` tries again"
            self._tools.emit(Noted(text=text))
        for step_id, outcome in batch.items():
            self._drawn.pop(step_id)
            end = outcome.sample or SampleEnd(phase="drawn")
            seen = tuple(pictures.get(picture.asset_id, picture) for picture in end.pictures)
            outcome = replace(outcome, sample=replace(end, pictures=seen))
            self._tools.settle(self._tools.schedule.steps[step_id], outcome, started_at)
        if not self._tools.schedule.drawing:
            self.rounds.nothing_left()
        self._tools.recorder.flush()
        self._look()
