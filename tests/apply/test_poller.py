"""poller.py: a training ends when its model says so, whatever its job does, and a deleted model is an end, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.events import Noted
from scenario_apply.apply.poll_rounds import UNCHANGED_POLLS, PollRounds
from scenario_apply.apply.poller import poll_trainings
from scenario_apply.errors import ApiError, BadAnswer, Refused, Unauthorized, Unreachable
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.remote import JobId, ModelId, RemoteJob, RemoteModel
from scenario_apply.planning.observed import SHOWN_LATE_S
from scenario_apply.state.state import Version
from tests.fakes.bench import Bench, model
from tests.fakes.service import FakeScenario

KAEL = parse_address("model.kael")


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is about power, and only costs time here."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(model("kael", "kael"))
    return bench


def training(bench: Bench) -> tuple[FakeScenario, dict[Address, Version]]:
    """A single flux.1-lora that trains: it is asked for by its job."""
    service = FakeScenario(bench.clock)
    assert bench.apply(service, ApplyOptions(parallelism=1, wait=False)).status == "running"
    return service, {KAEL: bench.record("model.kael").working}


@pytest.mark.parametrize("job", ["goes on", "is lost", "is cancelled"])
def test_a_single_model_deleted_while_it_trained_has_ended(bench: Bench, job: str) -> None:
    service, waiting = training(bench)
    if job == "is cancelled":
        service.cancel(waiting[KAEL].id)
    service.delete_model(waiting[KAEL].id)
    bench.clock.wait(100)
    if job == "is lost":
        service.jobs.clear()
    seen = poll_trainings(service, bench.clock, waiting)[KAEL]
    assert seen.outcome is not None
    assert (seen.status, seen.outcome.phase) == ("deleted", "canceled")
    assert seen.outcome.reason == "the model was deleted on Scenario"


def test_a_run_whose_only_model_is_deleted_reports_it_and_the_next_creates_it_again(bench: Bench) -> None:
    class Deleted(FakeScenario):
        """Another user deletes the model while its job is running."""

        deletes = True

        def get_model(self, model_id: ModelId) -> RemoteModel:
            self.models[model_id].deleted |= self.deletes
            return super().get_model(model_id)

    service = Deleted(bench.clock)
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    assert [line.reason for line in ledger.failed] == ["the model was deleted on Scenario"]
    service.deletes = False
    assert bench.apply(service).status == "done"
    assert len(service.alive()) == 1


class OddJobs(FakeScenario):
    """Jobs are shown in a status of the test's choice once they have ended; models as they are."""

    ends_as = "succeeded"
    model_status: str | None = None
    job_error: Exception | None = None

    def get_job(self, job_id: JobId) -> RemoteJob:
        if self.job_error is not None:
            raise self.job_error
        job = super().get_job(job_id)
        return replace(job, status=self.ends_as) if job.is_ended else job

    def get_model(self, model_id: ModelId) -> RemoteModel:
        model = super().get_model(model_id)
        return model if self.model_status is None else replace(model, status=self.model_status)


@pytest.mark.parametrize("ends_as", ["succeeded", "error", "expired", "stopped", "complete"])
def test_a_job_in_an_unknown_status_leaves_the_decision_to_its_model(bench: Bench, ends_as: str) -> None:
    """With one note, however many polls it takes."""
    service = OddJobs(bench.clock)
    service.ends_as = ends_as
    assert bench.apply(service).status == "done"
    notes = [event.text for event in bench.events if isinstance(event, Noted) and ends_as in event.text]
    assert len(notes) == 1
    assert "Scenario calls job job_" in notes[0]
    assert bench.plan(service).plan.steps == ()


def test_a_failed_training_is_one_whatever_its_job_is_called(bench: Bench) -> None:
    service = OddJobs(bench.clock)
    service.fail_training = {"Kael"}
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    assert "the GPU was on fire" in str(ledger.failed[0].reason)


@pytest.mark.parametrize("model_status", ["ready", "completed"])
def test_a_model_in_an_unknown_status_leaves_the_decision_to_its_job(bench: Bench, model_status: str) -> None:
    bench.declare(model("kael", "kael", type="sd-xl-lora"))
    service = OddJobs(bench.clock)
    service.ends_as, service.model_status = "success", model_status
    assert bench.apply(service).status == "done"
    assert sum(isinstance(event, Noted) and model_status in event.text for event in bench.events) == 1


@pytest.mark.parametrize(
    "error", [BadAnswer("no JSON"), Refused("not yours", status=403), ApiError("boom", status=500)]
)
def test_a_job_that_cannot_be_read_leaves_the_decision_to_its_model(bench: Bench, error: Exception) -> None:
    service = OddJobs(bench.clock)
    service.job_error = error
    assert bench.apply(service).status == "done"


@pytest.mark.parametrize("error", [Unauthorized("who?", status=401), Unreachable("not there")])
def test_without_a_service_the_model_is_not_asked_either(bench: Bench, error: Exception) -> None:
    _, waiting = training(bench)
    service = OddJobs(bench.clock)
    service.job_error = error
    with pytest.raises(type(error)):
        poll_trainings(service, bench.clock, waiting)
    assert service.count("get_model") == 0


def test_a_job_that_is_stuck_does_not_hold_a_run_whose_model_is_trained(bench: Bench) -> None:
    """The job says the same for ever; the model decides."""

    class Stuck(FakeScenario):
        def get_job(self, job_id: JobId) -> RemoteJob:
            return replace(super().get_job(job_id), status="in-progress", progress=0.4)

    service = Stuck(bench.clock)
    assert bench.apply(service).status == "done"
    assert service.count("get_job") > UNCHANGED_POLLS


def test_a_job_that_moves_is_asked_itself() -> None:
    poller = PollRounds[Address](None)
    for _ in range(20):
        poller.polled({}, 0.0)
        assert not poller.is_stuck


def test_a_success_of_the_job_is_none_when_the_model_has_failed(bench: Bench) -> None:
    class Failed(OddJobs):
        """The job ends well; its model does not."""

        ends_as = "success"

    service = Failed(bench.clock)
    service.fail_training = {"Kael"}
    ledger = bench.apply(service)
    assert (ledger.status, ledger.cu_charged) == ("partial", 0)
    assert bench.record("model.kael").working.phase == "failed"


def test_a_model_that_still_shows_the_training_before_is_waited_for(bench: Bench) -> None:
    """A read right after a launch may come from before it: what ended then is not what was paid for now."""
    service, waiting = training(bench)
    stale = replace(service.get_model(waiting[KAEL].id), status="trained", job_id=JobId("job_before"))

    class Late(FakeScenario):
        def get_model(self, model_id: ModelId) -> RemoteModel:
            return stale

    late = Late(bench.clock)
    seen = poll_trainings(late, bench.clock, waiting, by_model=True)[KAEL]
    assert (seen.status, seen.outcome) == ("training", None)
    bench.clock.wait(SHOWN_LATE_S + 1)
    seen = poll_trainings(late, bench.clock, waiting, by_model=True)[KAEL]
    assert seen.outcome is not None, "another process trains it by now"
