"""Waiting for trainings: one request a round for all of them, and no slot held in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scenario_apply.apply.refresh import failure_reason, read_models
from scenario_apply.errors import NotFound
from scenario_apply.model.address import Address
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import JOB_ENDED_STATUSES, Progress, RemoteModel
from scenario_apply.model.timestamps import iso
from scenario_apply.model.training_types import training_type
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import Phase, Version

FIRST_EVERY_S = 3.0
LAST_EVERY_S = 10.0
SLOWER_BY = 1.25
"""Rounds start as close as the guides poll a Flux training and slow down to the ten seconds of the newer guide."""

_PHASES: Mapping[str, Phase] = {
    "trained": "trained",
    "success": "trained",
    "failed": "failed",
    "failure": "failed",
    "training-canceled": "canceled",
    "canceled": "canceled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a round says of one training. outcome None: it goes on."""

    status: str
    progress: Progress | None = None
    outcome: Outcome | None = None


class PollInterval:
    """Seconds between rounds: fixed, or growing slowly while nothing ends."""

    def __init__(self, fixed_s: float | None) -> None:
        self.fixed_s = fixed_s
        self.every_s = FIRST_EVERY_S if fixed_s is None else fixed_s

    def slow_down(self) -> None:
        if self.fixed_s is None:
            self.every_s = min(LAST_EVERY_S, self.every_s * SLOWER_BY)

    def speed_up(self) -> None:
        if self.fixed_s is None:
            self.every_s = FIRST_EVERY_S


def expected_rounds(seconds: float, fixed_s: float | None) -> int:
    """How many rounds a wait of so many seconds takes."""
    pace, passed, rounds = PollInterval(fixed_s), 0.0, 0
    while passed < seconds and rounds < 10_000:
        passed += max(pace.every_s, 0.01)
        rounds += 1
        pace.slow_down()
    return max(1, rounds)


def look_at(api: ScenarioApi, clock: Clock, waiting: Mapping[Address, Version]) -> dict[Address, Seen]:
    """One round. A single flux.1-lora is asked for by its job, a single other one by its model, several in bulk."""
    if len(waiting) == 1:
        [(address, version)] = waiting.items()
        try:
            if version.job_id is not None and training_type(version.type).polled_by == "job":
                return {address: _by_job(api, clock, version)}
            return {address: _by_model(api, clock, version, api.get_model(version.id))}
        except NotFound:
            return {address: _vanished(clock)}
    models = read_models(api, [version.id for version in waiting.values()], images=False)
    return {
        address: _by_model(api, clock, version, models[version.id]) if version.id in models else _vanished(clock)
        for address, version in waiting.items()
    }


def _by_job(api: ScenarioApi, clock: Clock, version: Version) -> Seen:
    """What the job says; the model, where the job is over or unknown. Raises NotFound when the model is gone."""
    assert version.job_id is not None
    try:
        job = api.get_job(version.job_id)
    except NotFound:
        return _by_model(api, clock, version, api.get_model(version.id))
    if job.status not in JOB_ENDED_STATUSES:
        return Seen(status=job.status, progress=Progress(stage=job.status, progress=job.progress))
    phase = _PHASES[job.status]
    words = "; ".join(text for text in (job.error, job.hint) if text)
    reason = {"failed": f"training failed: {words}" if words else "training failed", "canceled": _CANCELED}.get(phase)
    job_id = version.job_id
    if phase == "trained":
        # a job may end before its model: what is composed of it must find it trained
        model = api.get_model(version.id)
        if model.is_running:
            return Seen(status=model.status or "training", progress=model.progress)
        job_id = model.job_id or job_id  # the model's own word, which later plans compare with
    if phase == "canceled":
        api.get_model(version.id)  # the job of a deleted model is cancelled, too
    refunded = phase == "failed"
    return Seen(
        status=job.status,
        outcome=Outcome(
            at=iso(clock.now()), phase=phase, reason=reason, cu=0 if refunded else job.cu_cost, job_id=job_id
        ),
    )


_CANCELED = "the training was cancelled on the service"


def _by_model(api: ScenarioApi, clock: Clock, version: Version, model: RemoteModel) -> Seen:
    status = model.status or "unknown"
    phase = _PHASES.get(status)
    if phase is None:
        return Seen(status=status, progress=model.progress)
    reason = None
    job_id = model.job_id or version.job_id
    if phase == "failed":
        reason = failure_reason(api, job_id) if job_id is not None else "training failed"
    elif phase == "canceled":
        reason = _CANCELED
    return Seen(
        status=status,
        outcome=Outcome(
            at=iso(clock.now()), phase=phase, reason=reason, job_id=job_id, cu=0 if phase == "failed" else None
        ),
    )


def _vanished(clock: Clock) -> Seen:
    return Seen(
        status="deleted",
        outcome=Outcome(at=iso(clock.now()), phase="canceled", reason="the model was deleted on the service"),
    )
