"""Jobs in answers: one, and a page of them."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.api import loose
from scenario_apply.api.answers import JobAnswer, JobMetadataAnswer, JobsAnswer
from scenario_apply.api.envelopes import each_of, either, place_of, read_as, unwrapped
from scenario_apply.api.prices import billed
from scenario_apply.api.wire import status_of
from scenario_apply.errors import BadAnswer
from scenario_apply.model.ids import is_id
from scenario_apply.model.remote import AssetId, JobPage, RemoteJob
from scenario_apply.model.training_types import SECRET_PARAMETERS

MOST_ASSETS = 100
"""Of one job. A generation makes four pictures at most."""


def job_of(value: object) -> RemoteJob:
    """A job, wrapped or bare."""
    at = place_of(value, "job")
    return _job(unwrapped(value, "job", JobAnswer), at)


def job_page_of(value: object) -> JobPage:
    """A page of jobs, also where one of them cannot be read: that one is left out."""
    answer = read_as(value, JobsAnswer)
    listed = (_listed_job(item, at) for at, item in each_of(answer.jobs or (), "jobs"))
    return JobPage(
        jobs=tuple(job for job in listed if job is not None), next_token=answer.next_pagination_token or None
    )


def _listed_job(item: object, at: str) -> RemoteJob | None:
    try:
        return _job(read_as(item, JobAnswer, at), f"{at}.")
    except BadAnswer:
        return None


def _job(job: JobAnswer, at: str) -> RemoteJob:
    metadata = loose.fitted(job.metadata, JobMetadataAnswer) or JobMetadataAnswer()
    return RemoteJob(
        id=either(job.job_id, job.id, f"{at}jobId"),
        status=status_of(job.status),
        progress=loose.share(job.progress),
        error=loose.words(metadata.error),
        hint=loose.words(metadata.hint),
        kind=job.job_type if isinstance(job.job_type, str) else None,
        created_at=loose.time_s(job.created_at),
        input=_without_secrets(metadata.input),
        asset_ids=_asset_ids(metadata.asset_ids),
        **billed(job.billing),
    )


def _asset_ids(value: object) -> tuple[AssetId, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(AssetId(one) for one in value[:MOST_ASSETS] if isinstance(one, str) and is_id(one))


def _without_secrets(value: object) -> Mapping[str, object]:
    """What a job was asked for; a training's may hold parameters that nothing of ours may show."""
    if not isinstance(value, dict):
        return {}
    told = {key: part for key, part in value.items() if isinstance(key, str) and key not in SECRET_PARAMETERS}
    return {key: _without_secrets(part) if isinstance(part, dict) else part for key, part in told.items()}
