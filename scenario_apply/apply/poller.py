"""Waits for trainings: one request per poll for all of them, and no worker is occupied in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scenario_apply.apply.poll_failures import PollFailures
from scenario_apply.apply.refresh import Failure, charged_of_failed, failure_of, read_models
from scenario_apply.errors import ApiError, NotFound, RateLimited, Unauthorized, Unreachable
from scenario_apply.model.address import Address
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import (
    RUNNING_JOB_STATUSES,
    WAITING_STATUSES,
    JobId,
    Progress,
    RemoteJob,
    RemoteModel,
)
from scenario_apply.model.timestamps import iso
from scenario_apply.model.training_types import training_type
from scenario_apply.planning.observed import is_shown_late
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import Phase, Version

FIRST_EVERY_S = 3.0
LAST_EVERY_S = 10.0
SLOWER_BY = 1.25
"""Polls start at the interval of the Flux guide and slow down to the ten seconds of the newer guide."""

UNCHANGED_POLLS = 5
"""So many polls of a job in a row without a change, and the next one asks its model: a job may stay as it is for ever
though its training has ended."""

_PHASES: Mapping[str, Phase] = {
    "trained": "trained",
    "success": "trained",
    "failed": "failed",
    "failure": "failed",
    "training-canceled": "canceled",
    "canceled": "canceled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PollResult:
    """One training in a poll. outcome None: it continues. unknown: a note about a status that is not known."""

    status: str
    progress: Progress | None = None
    outcome: Outcome | None = None
    unknown: str | None = None


class PollInterval:
    """Seconds between polls: fixed, or growing slowly while nothing ends."""

    def __init__(self, fixed_s: float | None) -> None:
        self.fixed_s = fixed_s
        self.every_s = FIRST_EVERY_S if fixed_s is None else fixed_s

    def slow_down(self) -> None:
        if self.fixed_s is None:
            self.every_s = min(LAST_EVERY_S, self.every_s * SLOWER_BY)

    def speed_up(self) -> None:
        if self.fixed_s is None:
            self.every_s = FIRST_EVERY_S


def expected_polls(seconds: float, fixed_s: float | None) -> int:
    """How many polls a wait of so many seconds takes."""
    interval, passed, polls = PollInterval(fixed_s), 0.0, 0
    while passed < seconds and polls < 10_000:
        passed += max(interval.every_s, 0.01)
        polls += 1
        interval.slow_down()
    return max(1, polls)


class TrainingPoller:
    """When the trainings of a run are polled next, and the results of the last poll. Used by one thread.

    interval_s None: an interval that grows while nothing ends.
    """

    def __init__(self, interval_s: float | None) -> None:
        self.results: dict[Address, PollResult] = {}  # of the last poll
        self.is_polling = False
        self.next_at: float | None = None  # in the clock's seconds; None while nothing is waited for
        self._interval = PollInterval(interval_s)
        self._failures = PollFailures()
        self._unchanged = 0  # polls in a row that said the same
        self._noted: set[str] = set()

    @property
    def asks_models(self) -> bool:
        """Whether the next poll asks the model where the others ask its job, which seems to be stuck."""
        return self._unchanged >= UNCHANGED_POLLS

    def begin_waiting(self, now: float) -> None:
        """One more training is waited for."""
        if self.next_at is None:
            self.next_at = now + self._interval.every_s
        self._interval.speed_up()

    def is_due(self, now: float) -> bool:
        return not self.is_polling and (self.next_at is None or now >= self.next_at)

    def polled(self, results: Mapping[Address, PollResult], now: float) -> None:
        """A poll was answered."""
        self.is_polling = False
        is_same = bool(results) and all(self.results.get(address) == one for address, one in results.items())
        self._unchanged = self._unchanged + 1 if is_same else 0
        self._failures.passed()
        self.results.update(results)
        self.next_at = now + self._interval.every_s
        if any(one.outcome is not None for one in results.values()):
            self._interval.speed_up()
        else:
            self._interval.slow_down()

    def failed(self, error: BaseException, now: float) -> bool:
        """A poll failed; whether that ends the run."""
        self.is_polling = False
        self.next_at = now + self._interval.every_s
        return self._failures.is_enough(error)

    def new_notes(self) -> list[tuple[Address, str]]:
        """What the last poll says of statuses that are not known, once each."""
        notes = [(address, one.unknown) for address, one in self.results.items() if one.unknown is not None]
        new = [(address, text) for address, text in notes if text not in self._noted]
        self._noted.update(text for _, text in new)
        return new

    def nothing_left(self) -> None:
        """Nothing is waited for any more."""
        self.next_at = None


def poll_trainings(
    api: ScenarioApi, clock: Clock, waiting: Mapping[Address, Version], *, by_model: bool = False
) -> dict[Address, PollResult]:
    """One poll. A single flux.1-lora is read by its job, a single other one by its model, several in bulk.

    by_model: a single one is read by its model, whatever its type.
    """
    if len(waiting) == 1:
        [(address, version)] = waiting.items()
        try:
            if version.job_id is not None and training_type(version.type).polled_by == "job" and not by_model:
                return {address: _by_job(api, clock, version)}
            return {address: _by_model(api, clock, version, api.get_model(version.id))}
        except NotFound:
            return {address: _vanished(clock)}
    models = read_models(api, [version.id for version in waiting.values()], images=False)
    return {
        address: _by_model(api, clock, version, models[version.id]) if version.id in models else _vanished(clock)
        for address, version in waiting.items()
    }


def _by_job(api: ScenarioApi, clock: Clock, version: Version) -> PollResult:
    """By its job; by its model where the job cannot be read, has succeeded, or has a status that is not known.

    Raises NotFound when the model was deleted.
    """
    assert version.job_id is not None
    job = _job(api, version.job_id)
    if job is None:
        return _by_model(api, clock, version, api.get_model(version.id))
    if job.status in RUNNING_JOB_STATUSES:
        return PollResult(status=job.status, progress=Progress(stage=job.status, progress=job.progress))
    if job.status == "failure":
        return _ended_job(clock, version, job)
    # a job may end before its model does, a composition needs a trained model, and that of a deleted one is cancelled
    model = api.get_model(version.id)
    if not job.is_ended:
        result = _by_model(api, clock, version, model)
        note = f"Scenario calls job {job.id} {job.status!r}, which this version does not know: its model decides"
        return replace(result, unknown=note)
    if job.status == "success":
        if model.is_running:
            return PollResult(status=model.status or "training", progress=model.progress)
        if model.status in ("failed", "training-canceled"):
            return _by_model(api, clock, version, model)
    return _ended_job(clock, version, job, model.job_id)


def _job(api: ScenarioApi, job_id: JobId) -> RemoteJob | None:
    """The job; None when only its model can say how the training is doing."""
    try:
        return api.get_job(job_id)
    except (Unauthorized, RateLimited, Unreachable):
        raise
    except ApiError:
        return None


def _ended_job(clock: Clock, version: Version, job: RemoteJob, later_id: JobId | None = None) -> PollResult:
    """later_id: by what id the model names the job, which later plans compare with."""
    phase = _PHASES[job.status]
    words = "; ".join(text for text in (job.error, job.hint) if text)
    reason = {"failed": f"training failed: {words}" if words else "training failed", "canceled": _CANCELED}.get(phase)
    return PollResult(
        status=job.status,
        outcome=Outcome(
            at=iso(clock.now()),
            phase=phase,
            reason=reason,
            cu=charged_of_failed(job) if phase == "failed" else job.cu_cost,
            discount=job.discount,
            details=job.details,
            job_id=(later_id if phase == "trained" else None) or version.job_id,
        ),
    )


_CANCELED = "the training was cancelled on Scenario"


def _by_model(api: ScenarioApi, clock: Clock, version: Version, model: RemoteModel) -> PollResult:
    status = model.status or "unknown"
    phase = _PHASES.get(status)
    if phase is None:
        return _going_on(api, clock, version, model)
    if is_shown_late(version, model, clock.now()):
        return PollResult(status="training")
    reason: str | None = None
    charged: float | None = None
    job_id = model.job_id or version.job_id
    if phase == "failed":
        reason, charged = Failure("training failed") if job_id is None else failure_of(api, job_id)
    elif phase == "canceled":
        reason = _CANCELED
    return PollResult(
        status=status,
        outcome=Outcome(at=iso(clock.now()), phase=phase, reason=reason, job_id=job_id, cu=charged),
    )


def _going_on(api: ScenarioApi, clock: Clock, version: Version, model: RemoteModel) -> PollResult:
    """A model that has not ended; where its status is not known, its job decides."""
    status = model.status or "unknown"
    if status in WAITING_STATUSES:
        return PollResult(status=status, progress=model.progress)
    job_id = version.job_id or model.job_id
    job = None if job_id is None else _job(api, job_id)
    note = f"Scenario calls model {model.id} {status!r}, which this version does not know: its job decides"
    if job is not None and job.is_ended:
        return replace(_ended_job(clock, version, job, model.job_id), unknown=note)
    return PollResult(status=status, progress=model.progress, unknown=note)


def _vanished(clock: Clock) -> PollResult:
    return PollResult(
        status="deleted",
        outcome=Outcome(at=iso(clock.now()), phase="canceled", reason="the model was deleted on Scenario"),
    )
