"""Finds the job of a sample whose launch got no response, among the project's jobs. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

from msgspec.structs import replace

from scenario_apply.errors import ApiError, ApplyError, NotFound, RateLimited, Unauthorized, Unreachable
from scenario_apply.model.kept_text import has_words, is_kept_form, is_same_but_for_signs, is_same_text, is_same_value
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import AssetId, JobId, ModelId, RemoteAsset, RemoteJob
from scenario_apply.model.samples import MOST_PICTURES, SampleRequest
from scenario_apply.model.steps import DrawSample
from scenario_apply.model.timestamps import iso
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.sample_records import sample_jobs, version_of
from scenario_apply.state.state import State

MOST_JOB_PAGES = 100
"""A page may be short or empty."""
MOST_JOBS_READ = 20
"""Jobs that are read by themselves, because the list does not say what they were asked for."""

IsOurs = Callable[[str, float | None], bool]
"""Whether an object with this id, created at that time by the service's clock, may come from the request."""

Asked = Literal["yes", "no", "perhaps"]


UNDECIDED = (
    "whether it was drawn is not known, since its launch got no response: it is not drawn again until Scenario tells. "
    "Apply again with a key that may list jobs; another `seed:` has it drawn, and perhaps paid, a second time"
)


class SampleUndecided(ApplyError):
    """Whether a sample was drawn cannot be said: no jobs are listed, or one of them does not say what it draws."""

    code = "sample-undecided"


def find_drawn(
    api: ScenarioApi, state: State, step: DrawSample, sent_at: float, owned: Collection[str], is_ours: IsOurs
) -> Outcome | None:
    """The launch of a sample, by its job; None when there is none. owned: ids of other requests of this run.

    Two jobs of identical requests draw the same pictures, so the older one is taken, and the other one mentioned.
    Raises SampleUndecided, and ApiError where nothing can be asked at all.
    """
    version = version_of(state, step.address, step.number)
    if version is None:
        return None
    lookup = _Lookup(api, step.sample, version.id, {*sample_jobs(state), *owned}, is_ours)
    jobs, undecided = lookup.listed()
    jobs = jobs or lookup.by_pictures()
    if not jobs:
        if undecided is not None:
            raise SampleUndecided(f"{undecided}; {UNDECIDED}")
        return None
    best = max(_likeness(job, step.sample) for job in jobs)
    found = min((job for job in jobs if _likeness(job, step.sample) == best), key=lambda job: job.created_at or 0.0)
    how = "a job with the same prompt, seed and model, created since the request"
    if len(jobs) > 1:
        others = ", ".join(job.id for job in jobs if job is not found)
        how = f"the oldest of {len(jobs)} jobs with the same prompt, seed and model; nothing uses {others}"
    return Outcome(
        at=iso(sent_at),
        job_id=found.id,
        cu=found.cu_cost,
        discount=found.discount,
        details=found.details,
        adopted=how,
    )


class _Lookup:
    """Looks for the job of one sample. known: ids of jobs that other requests started."""

    def __init__(
        self, api: ScenarioApi, sample: SampleRequest, model_id: ModelId, known: Collection[str], is_ours: IsOurs
    ) -> None:
        self._api = api
        self._sample = sample
        self._model_id = model_id
        self._known = known
        self._is_ours = is_ours

    def listed(self) -> tuple[list[RemoteJob], str | None]:
        """The project's jobs that draw it; and, where another one may, or none is listed, that in words."""
        try:
            since = self._since()
        except (Unauthorized, RateLimited, Unreachable):
            raise
        except ApiError as error:
            return [], str(error)
        jobs = [job for job in since if self._draws(job) == "yes"]
        silent = [job.id for job in since if self._draws(job) == "perhaps"]
        return jobs, f"Scenario does not say what job {', '.join(silent[:3])} draws" if silent else None

    def by_pictures(self) -> list[RemoteJob]:
        """Jobs of the newest assets that say by what they were drawn: they may be shown before their job is."""
        try:
            assets = self._api.list_assets().assets
        except (Unauthorized, RateLimited, Unreachable):
            raise
        except ApiError:
            return []
        made: dict[JobId, list[RemoteAsset]] = {}
        for asset in assets:
            job_id = asset.drawn_by
            if job_id is not None and job_id not in self._known and self._is_ours(job_id, asset.created_at):
                made.setdefault(job_id, []).append(asset)
        jobs = (self._job_of(job_id, drawn) for job_id, drawn in made.items())
        return [job for job in jobs if self._draws(job) == "yes"]

    def _since(self) -> list[RemoteJob]:
        """The jobs that the request may have started, with what they were asked for.

        An empty page may not be the last.
        """
        jobs: dict[JobId, RemoteJob] = {}
        token: str | None = None
        for _ in range(MOST_JOB_PAGES):
            page = self._api.list_jobs(token=token)
            listed = (job for job in page.jobs if job.id not in self._known)
            jobs |= {job.id: job for job in listed if self._is_ours(job.id, job.created_at)}
            times = [job.created_at for job in page.jobs if job.created_at is not None]
            if not page.next_token or page.next_token == token or (times and not self._is_ours("", max(times))):
                break  # the last page, or one of nothing but older jobs
            token = page.next_token
        else:
            raise ApiError(f"the list of the project's jobs goes on after {MOST_JOB_PAGES} pages")
        for job in [job for job in jobs.values() if self._draws(job) == "perhaps"][:MOST_JOBS_READ]:
            try:
                jobs[job.id] = self._api.get_job(job.id)
            except NotFound:
                del jobs[job.id]
        return self._with_pictures(jobs.values())

    def _with_pictures(self, jobs: Iterable[RemoteJob]) -> list[RemoteJob]:
        """Jobs that do not say what they draw, with what their pictures say of it."""
        jobs = list(jobs)
        silent = [job for job in jobs if job.asset_ids and self._draws(job) == "perhaps"][:MOST_JOBS_READ]
        if not silent:
            return jobs
        try:
            assets = self._api.get_assets([asset_id for job in silent for asset_id in job.asset_ids[:MOST_PICTURES]])
        except (Unauthorized, RateLimited, Unreachable):
            raise
        except ApiError:
            return jobs
        told = {job.id: self._input_of(job.asset_ids, assets) for job in silent}
        return [replace(job, input={**told.get(job.id, {}), **job.input}) for job in jobs]

    def _job_of(self, job_id: JobId, drawn: Collection[RemoteAsset]) -> RemoteJob:
        assets = {asset.id: asset for asset in drawn}
        created_at = min((a.created_at for a in drawn if a.created_at is not None), default=None)
        told = self._input_of(assets, assets)
        return RemoteJob(id=job_id, status="success", progress=1.0, created_at=created_at, input=told)

    def _input_of(self, ids: Iterable[AssetId], assets: Mapping[AssetId, RemoteAsset]) -> dict[str, object]:
        """What pictures of one job say. Each may have a seed of its own, and the model of another one is the base."""
        asked = [assets[asset_id].asked for asset_id in ids if asset_id in assets]
        told = dict(asked[0]) if asked else {}
        if any(is_same_value(self._sample.seed, one.get("seed")) for one in asked):
            told["seed"] = self._sample.seed
        if told.get("modelId") != self._model_id:
            told.pop("modelId", None)
        return told

    def _draws(self, job: RemoteJob) -> Asked:
        return is_asked_by(job, self._sample, self._model_id)


def is_asked_by(job: RemoteJob, sample: SampleRequest, model_id: ModelId) -> Asked:
    """Whether a job is that of this sample with this model: by prompt, as the service may keep it, seed and model.

    "perhaps": it does not say all of these, and what it says is the same.
    """
    asked = {name: value for name, value in job.input.items() if value is not None}
    prompt, seed, loras, composition = (asked.get(name) for name in ("prompt", "seed", "loras", "modelId"))
    named = [*(loras if isinstance(loras, list) else ()), composition]
    models = [one for one in named if isinstance(one, str) and one != sample.base]
    if isinstance(prompt, str) and not is_prompt_of(prompt, sample.prompt):
        return "no"
    if seed is not None and not is_same_value(sample.seed, seed):
        return "no"
    if (models and model_id not in models) or _is_drawn_otherwise(asked, sample):
        return "no"
    if isinstance(prompt, str) and seed is not None and models:
        return "yes"
    return "no" if asked and prompt is None and seed is None and not models else "perhaps"  # such as an upscaling


def _is_drawn_otherwise(asked: Mapping[str, object], sample: SampleRequest) -> bool:
    """Whether it has another scale, as one prompt may be drawn at several, or another number of pictures."""
    scales, count, scale = asked.get("lorasScale"), asked.get("numOutputs"), sample.settings.scale
    if isinstance(scales, list) and scales and scale is not None and not any(is_same_value(scale, s) for s in scales):
        return True
    return count is not None and not is_same_value(sample.settings.count, count)


def is_prompt_of(told: str, sent: str) -> bool:
    """Whether a job's prompt is the one that was sent, as the service may keep it; signs alone in any form."""
    return is_kept_form(sent, told) or is_same_but_for_signs(sent, told) or not (has_words(sent) or has_words(told))


def _likeness(job: RemoteJob, sample: SampleRequest) -> int:
    """How much of the rest the job shows as it was sent. The service may round and cut it, so none must be the same."""
    settings, scales = sample.settings, job.input.get("lorasScale")
    sent: Mapping[str, object] = {
        "width": settings.width,
        "height": settings.height,
        "numOutputs": settings.count,
        "guidance": settings.guidance,
        "numInferenceSteps": settings.steps,
    }
    prompt = job.input.get("prompt")
    same = 10 * (isinstance(prompt, str) and is_same_text(sample.prompt, prompt))
    same += sum(value is not None and is_same_value(value, job.input.get(name)) for name, value in sent.items())
    return same + (isinstance(scales, list) and any(is_same_value(settings.scale, scale) for scale in scales))
