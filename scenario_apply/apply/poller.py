"""Waits for trainings: one request per poll for all of them, and no worker is occupied in between."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from scenario_apply.apply.poll_rounds import PollResult
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

_PHASES: Mapping[str, Phase] = {
    "trained": "trained",
    "success": "trained",
    "failed": "failed",
    "failure": "failed",
    "training-canceled": "canceled",
    "canceled": "canceled",
}


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
