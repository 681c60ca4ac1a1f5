"""Finds the job of a sample whose launch got no response, among the project's jobs. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from scenario_apply.errors import NotFound
from scenario_apply.model.kept_text import has_words, is_kept_form, is_same_but_for_signs, is_same_text, is_same_value
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import JobId, ModelId, RemoteJob
from scenario_apply.model.samples import SampleRequest
from scenario_apply.model.steps import DrawSample
from scenario_apply.model.timestamps import iso
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.sample_records import sample_jobs, version_of
from scenario_apply.state.state import State

MOST_JOB_PAGES = 100
"""A page may be short or empty: what is not found is drawn, and paid, again."""
MOST_JOBS_READ = 20
"""Jobs that are read by themselves, because the list does not say what they were asked for."""

IsOurs = Callable[[str, float | None], bool]
"""Whether an object with this id, created at that time by the service's clock, may come from the request."""


def find_drawn(
    api: ScenarioApi, state: State, step: DrawSample, sent_at: float, owned: Collection[str], is_ours: IsOurs
) -> Outcome | None:
    """The launch of a sample, by its job; None when there is none. owned: ids of other requests of this run.

    Two jobs of identical requests draw the same pictures, so the older one is taken, and the other one mentioned.
    """
    version = version_of(state, step.address, step.number)
    if version is None:
        return None
    known = {*sample_jobs(state), *owned}
    jobs = [job for job in _jobs_since(api, is_ours, known) if is_asked_by(job, step.sample, version.id)]
    if not jobs:
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


def _jobs_since(api: ScenarioApi, is_ours: IsOurs, known: Collection[str]) -> list[RemoteJob]:
    """The jobs that a request may have started, with what they were asked for. An empty page may not be the last.

    known: ids of jobs that other requests started.
    """
    jobs: dict[JobId, RemoteJob] = {}
    token: str | None = None
    for _ in range(MOST_JOB_PAGES):
        page = api.list_jobs(token=token)
        jobs |= {job.id: job for job in page.jobs if job.id not in known and is_ours(job.id, job.created_at)}
        times = [job.created_at for job in page.jobs if job.created_at is not None]
        if not page.next_token or page.next_token == token or (times and not is_ours("", max(times))):
            break  # the last page, or one of nothing but older jobs
        token = page.next_token
    for job in [job for job in jobs.values() if not {"prompt", "seed"} <= job.input.keys()][:MOST_JOBS_READ]:
        try:
            jobs[job.id] = api.get_job(job.id)
        except NotFound:
            del jobs[job.id]
    return [*jobs.values()]


def is_asked_by(job: RemoteJob, sample: SampleRequest, model_id: ModelId) -> bool:
    """Whether a job is that of this sample with this model: by prompt, as the service may keep it, seed and model."""
    asked = job.input
    prompt, loras = asked.get("prompt"), asked.get("loras")
    if not isinstance(prompt, str) or not is_prompt_of(prompt, sample.prompt):
        return False
    if not is_same_value(sample.seed, asked.get("seed")) or _is_drawn_otherwise(asked, sample):
        return False
    return asked.get("modelId") == model_id or (isinstance(loras, list) and model_id in loras)


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
