"""What exists before the first write: the newest models, assets and drawn samples, and each model's last training.

Read once, with one request each, and kept in the journal for the next run. A training has a baseline of its own: the
model's last training right before the launch, kept with its request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from scenario_apply.apply.sample_lookup import is_prompt_of
from scenario_apply.errors import ApiError, RateLimited, Unauthorized, Unreachable
from scenario_apply.model.kept_text import file_name_form, is_kept_name
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import ENDED_STATUSES, JobId, RemoteModel
from scenario_apply.model.steps import CreateModel, DrawSample, PlannedStep, UploadImage
from scenario_apply.state.baseline import Baseline, BaselineEntry

MOST_EMPTY_PAGES = 5


def take_baseline(api: ScenarioApi, steps: Iterable[PlannedStep]) -> Baseline:
    """Read the newest models, assets and jobs that draw, where steps create some. Raises ApiError."""
    steps = list(steps)
    creates = {(p.step.name, p.step.type) for p in steps if isinstance(p.step, CreateModel)}
    uploads = {
        file_name_form(p.step.picture.path) for p in steps if isinstance(p.step, UploadImage) and p.step.way != "data"
    }
    models = assets = None
    if creates:
        listed = api.list_models().models
        models = BaselineEntry(
            ids=frozenset(model.id for model in listed if _could_be_made(model, creates)),
            newest_at=max((m.created_at for m in listed if m.created_at is not None), default=None),
        )
    if uploads:
        found = api.list_assets().assets
        assets = BaselineEntry(
            ids=frozenset(asset.id for asset in found if file_name_form(asset.name or "") in uploads),
            newest_at=max((a.created_at for a in found if a.created_at is not None), default=None),
        )
    prompts = {p.step.sample.prompt for p in steps if isinstance(p.step, DrawSample)}
    return Baseline(models=models, assets=assets, jobs=_newest_jobs(api, prompts) if prompts else None)


def _newest_jobs(api: ScenarioApi, prompts: Iterable[str]) -> BaselineEntry | None:
    """Of the first page with any: a page may be empty, and not the last. None where jobs are not listed."""
    try:
        page = api.list_jobs()
        for _ in range(MOST_EMPTY_PAGES):
            if page.jobs or not page.next_token:
                break
            page = api.list_jobs(token=page.next_token)
    except (Unauthorized, RateLimited, Unreachable):
        raise
    except ApiError:
        return None  # for samples alone a run is not ended before its trainings
    return BaselineEntry(
        ids=frozenset(job.id for job in page.jobs if _is_drawn_for(job.input.get("prompt"), prompts)),
        newest_at=max((job.created_at for job in page.jobs if job.created_at is not None), default=None),
    )


def _is_drawn_for(told: object, prompts: Iterable[str]) -> bool:
    """Whether a job may draw one of these prompts: also one that does not say what it draws."""
    return not isinstance(told, str) or any(is_prompt_of(told, prompt) for prompt in prompts)


def _could_be_made(model: RemoteModel, creates: Iterable[tuple[str, str]]) -> bool:
    """Whether it could be taken for the result of one of these requests: name and type."""
    return any(model.type == kind and is_kept_name(name, model.name or "") for name, kind in creates)


class Earlier(Struct, frozen=True, kw_only=True):
    """The last training of a model right before a launch. is_first: there was none.

    started_at: when it started by the service's clock, for a service that does not name jobs.
    """

    job_id: JobId | None = None
    started_at: float | None = None
    is_first: bool = False

    def is_another(self, model: RemoteModel) -> bool:
        """Whether the model has been trained since, or is being trained."""
        if model.is_running:
            return True
        if self.is_first:
            return model.job_id is not None or model.status in ENDED_STATUSES
        if self.job_id is not None and model.job_id is not None:
            return model.job_id != self.job_id
        if self.started_at is not None and model.training_started_at is not None:
            return model.training_started_at != self.started_at
        return False


def earlier_to_details(earlier: Earlier) -> dict[str, str]:
    """As details of a journalled request."""
    if earlier.is_first:
        return {"earlier_job": "none"}
    started_at = "" if earlier.started_at is None else repr(earlier.started_at)
    return {"earlier_job": earlier.job_id or "", "earlier_start": started_at}


def earlier_from_details(details: Mapping[str, str]) -> Earlier | None:
    """From details; None for a request that needs none."""
    job = details.get("earlier_job")
    if job is None:
        return None
    if "earlier_start" not in details:
        return Earlier(is_first=True)
    start = details["earlier_start"]
    return Earlier(job_id=JobId(job) if job else None, started_at=float(start) if start else None)
