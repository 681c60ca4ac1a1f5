"""Asks how samples are doing: one alone by its job, several by a page of the project's jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from scenario_apply.apply.poll_rounds import PollResult
from scenario_apply.apply.refresh import LONGEST_REASON, bounded, charged_of_failed
from scenario_apply.errors import ApiError, NotFound, RateLimited, Unauthorized, Unreachable
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import RUNNING_JOB_STATUSES, JobId, Progress, RemoteJob
from scenario_apply.model.steps import StepId
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.planning.observed import SHOWN_LATE_S
from scenario_apply.state.outcome import Outcome, SampleEnd
from scenario_apply.state.state import DrawnPicture

MOST_PAGES_A_ROUND = 20
CLOCKS_MAY_DIFFER_S = 300.0
"""A page of jobs that ends so long before the first launch holds no more of them."""


class Drawing(NamedTuple):
    """A sample that is being drawn. at: of its launch, seconds since the epoch."""

    job_id: JobId
    at: float


def poll_samples(api: ScenarioApi, clock: Clock, waiting: Mapping[StepId, Drawing]) -> dict[StepId, PollResult]:
    """One poll; each job by itself where the list of jobs cannot be had. Raises ApiError."""
    try:
        listed = _listed(api, waiting) if len(waiting) > 1 else {}
    except (Unauthorized, RateLimited, Unreachable):
        raise
    except ApiError:
        listed = {}
    return {step_id: _result(api, clock, one, listed.get(one.job_id)) for step_id, one in waiting.items()}


def drawing_of(job_id: JobId, launched_at: str) -> Drawing:
    """launched_at: ISO 8601, UTC."""
    return Drawing(job_id, from_iso(launched_at) or 0.0)


def _listed(api: ScenarioApi, waiting: Mapping[StepId, Drawing]) -> dict[JobId, RemoteJob]:
    """The jobs that are waited for, as the project's list shows them; pages that are older are not read."""
    missing = {one.job_id for one in waiting.values()}
    oldest = min(one.at for one in waiting.values()) - CLOCKS_MAY_DIFFER_S
    found: dict[JobId, RemoteJob] = {}
    token: str | None = None
    for _ in range(MOST_PAGES_A_ROUND):
        page = api.list_jobs(token=token)
        found |= {job.id: job for job in page.jobs if job.id in missing}
        missing -= found.keys()
        times = [job.created_at for job in page.jobs if job.created_at is not None]
        if not missing or not page.next_token or (times and min(times) < oldest):
            break
        token = page.next_token
    return found


def _result(api: ScenarioApi, clock: Clock, one: Drawing, job: RemoteJob | None) -> PollResult:
    """A job that has ended is read by itself where the list does not say what it made, or why it failed."""
    if job is None or (job.is_ended and not (job.asset_ids if job.status == "success" else job.error)):
        try:
            job = api.get_job(one.job_id)
        except NotFound:
            if job is None:
                return _gone(clock, one)
    if job.is_ended:
        return PollResult(status=job.status, outcome=_outcome(clock, job))
    is_known = job.status in RUNNING_JOB_STATUSES
    note = f"Scenario calls job {job.id} {job.status!r}, which this version does not know: it is waited for"
    progress = Progress(stage=job.status, progress=job.progress)
    return PollResult(status=job.status, progress=progress, unknown=None if is_known else note)


def _outcome(clock: Clock, job: RemoteJob) -> Outcome:
    outcome = Outcome(at=iso(clock.now()), job_id=job.id, cu=job.cu_cost, discount=job.discount, details=job.details)
    if job.status == "success" and job.asset_ids:
        pictures = tuple(DrawnPicture(asset_id=asset_id) for asset_id in job.asset_ids)
        return replace(outcome, sample=SampleEnd(phase="drawn", pictures=pictures))
    words = "; ".join(bounded(text, LONGEST_REASON) for text in (job.error, job.hint) if text)
    if job.status == "failure":
        outcome = replace(outcome, cu=charged_of_failed(job))
        return _failed(outcome, words or "Scenario gives no reason")
    if job.status == "canceled":
        return _failed(outcome, f"drawing was cancelled on Scenario{': ' + words if words else ''}")
    return _failed(outcome, f"job {job.id} ended without a picture")


def _failed(outcome: Outcome, reason: str) -> Outcome:
    return replace(outcome, sample=SampleEnd(phase="failed"), reason=reason)


def _gone(clock: Clock, one: Drawing) -> PollResult:
    if clock.now() - one.at < SHOWN_LATE_S:
        return PollResult(status="pending")
    reason = f"Scenario no longer has its job {one.job_id}: whether it was drawn is not known"
    return PollResult(status="gone", outcome=_failed(Outcome(at=iso(clock.now())), reason))
