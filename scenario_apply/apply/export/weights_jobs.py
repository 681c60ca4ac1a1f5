"""Exports of weights on the service: begun once, found again after a lost answer or a killed run, waited for.

An export counts against the account's limit, so the intent is in weights.json before the request leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.apply.export.weights_record import RECORD_NAME, BegunWeights, WeightsError, WeightsRecord
from scenario_apply.apply.lost_answers import CLOCKS_DIFFER_S, MOST_PAGES
from scenario_apply.apply.sample_lookup import MOST_JOBS_READ
from scenario_apply.errors import AnswerLost, NotFound, Refused, Unreachable
from scenario_apply.model.remote import JOB_ENDED_STATUSES, JobId, RemoteJob
from scenario_apply.model.secret import Secret
from scenario_apply.model.timestamps import from_iso, iso

if TYPE_CHECKING:
    from scenario_apply.model.ports import Clock, ScenarioApi

JOB_TYPE = "model-download"
"""Source: the API contract, JobType."""

LONGEST_WAIT_S = 3600.0
"""For one export. Afterwards the same command continues it."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 15.0


class JobGone(WeightsError):
    """The service does not know the job any more, or it is another model's."""


class WeightsJobs(Struct, frozen=True, kw_only=True):
    """The exports of a run. waiting: called with the status of the one that is waited for.

    approve: called before a new one is begun; it raises where its price is not approved.
    """

    api: ScenarioApi
    record: WeightsRecord
    clock: Clock
    waiting: Callable[[str], None]
    approve: Callable[[], None]

    def begin(self, note: BegunWeights) -> BegunWeights:
        """The export of a note, with its job: the one that was begun before, or a new one.

        Raises ApiError, WeightsError, and what approve raises.
        """
        known = self.record.begun(note.key)
        if known is not None and known.job_id is not None and self._is_of(known.job_id, note):
            return known
        if known is not None and known.job_id is None and (found := self._found(known)) is not None:
            return self._with_job(known, found)
        self.approve()
        note = replace(note, at=iso(self.clock.now()), job_id=None)
        self.record.begin(note)
        try:
            job_id = self.api.export_weights(note.model_id, note.epoch)
        except AnswerLost:
            found = self._found(note)
            if found is None:
                raise
            return self._with_job(note, found)
        except (Refused, Unreachable):
            self.record.give_up(note.key)
            raise
        return self._with_job(note, job_id)

    def address(self, note: BegunWeights) -> Secret:
        """Where the file is, once the export has ended. Raises WeightsError, JobGone, ApiError."""
        assert note.job_id is not None
        pause_s, until = _FIRST_PAUSE_S, self.clock.monotonic() + LONGEST_WAIT_S
        while True:
            try:
                found = self.api.get_weights(note.job_id)
            except NotFound as error:
                raise JobGone(f"the service does not know the export {note.job_id} any more") from error
            if found.status in JOB_ENDED_STATUSES:
                break
            if self.clock.monotonic() >= until:
                raise WeightsError(
                    f"the export {note.job_id} has not ended within {LONGEST_WAIT_S / 60:.0f} minutes",
                    hint="the same command continues it",
                )
            self.waiting(found.status)
            self.clock.wait(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        if found.status != "success":
            self.record.give_up(note.key)
            raise WeightsError(f"the export {note.job_id} {self._end(note.job_id, found.status)}")
        if found.address is None:
            raise WeightsError(f"the export {note.job_id} has succeeded, but the service gives no address of its file")
        return found.address

    def _end(self, job_id: JobId, status: str) -> str:
        """How a job ended, in the service's words where it has some."""
        job = self.api.get_job(job_id)
        words = "was canceled" if status == "canceled" else "failed"
        return f"{words}: {job.error}" if job.error else words

    def _with_job(self, note: BegunWeights, job_id: JobId) -> BegunWeights:
        note = replace(note, job_id=job_id)
        self.record.begin(note)
        return note

    def _is_of(self, job_id: JobId, note: BegunWeights) -> bool:
        """Whether a job is what weights.json says: that file may have come with a commit."""
        try:
            job = self.api.get_job(job_id)
        except NotFound:
            return False
        epoch = job.input.get("modelEpoch", note.epoch)
        is_same = job.input.get("modelId") in (None, note.model_id) and _is_epoch(epoch, note.epoch)
        return job.kind in (None, JOB_TYPE) and is_same

    def _found(self, note: BegunWeights) -> JobId | None:
        """The job of a request whose answer is unknown; None when it was not carried out.

        Raises WeightsError where that cannot be found out, ApiError.
        """
        since = (from_iso(note.at) or 0.0) - CLOCKS_DIFFER_S
        others = self.record.job_ids()
        token: str | None = None
        for _ in range(MOST_PAGES):
            page = self.api.list_jobs(types=(), token=token)
            possible = [job for job in page.jobs if job.id not in others and _is_possible(job, since)]
            found = next((job.id for job in self._with_inputs(possible) if _fits(job, note)), None)
            if found is not None:
                return found
            token = page.next_token
            times = [job.created_at for job in page.jobs if job.created_at is not None]
            if token is None or (times and min(times) < since):
                return None
        raise WeightsError(
            f"whether the export of {note.at} was begun is not known: the project has too many jobs since",
            hint=f"look for it on Scenario; without its entry in `begun` of {RECORD_NAME}, another one is begun",
        )

    def _with_inputs(self, jobs: Iterable[RemoteJob]) -> Iterator[RemoteJob]:
        """The jobs, with what they were asked for where the list does not say it."""
        left = MOST_JOBS_READ
        for job in jobs:
            if job.input or not left:
                yield job
                continue
            left -= 1
            with suppress(NotFound):
                yield self.api.get_job(job.id)


def _is_possible(job: RemoteJob, since: float) -> bool:
    is_alive = not job.is_ended or job.status == "success"
    return job.kind in (None, JOB_TYPE) and is_alive and job.created_at is not None and job.created_at >= since


def _fits(job: RemoteJob, note: BegunWeights) -> bool:
    asked = job.input
    return asked.get("modelId") == note.model_id and _is_epoch(asked.get("modelEpoch"), note.epoch)


def _is_epoch(told: object, epoch: str | None) -> bool:
    """Whether a job is of that epoch; the service may write its number as one."""
    return told == epoch or (told is not None and epoch is not None and str(told) == epoch)
