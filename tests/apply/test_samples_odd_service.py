"""Samples on a service that shows jobs late or not at all: nothing is paid twice, and trainings go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.sample_waits import NOTHING_SHOWN_S, PICTURES_LATE_S
from scenario_apply.apply.send_once import LOOKUP_PAUSES_OF_SAMPLE_S
from scenario_apply.errors import AnswerLost, ApiError, Refused, Unauthorized
from scenario_apply.model.remote import JobId, JobPage, RemoteJob
from tests.fakes.bench import Bench, model
from tests.fakes.sample_bench import drawing, phases, recorded, sample_wrongs, samples
from tests.fakes.service import FakeScenario
from tests.fakes.wire import Fault, Killed, Wire


@pytest.fixture(autouse=True)
def _no_disk_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda descriptor: None)


class Odd(FakeScenario):
    """late_s: after which a job is listed. bare_s: after its end, during which a job names no picture."""

    late_s = 0.0
    bare_s = 0.0
    listing: ApiError | None = None
    reading: ApiError | None = None

    def list_jobs(self, **named: object) -> JobPage:
        if self.listing is not None:
            raise self.listing
        page = super().list_jobs(**named)  # type: ignore[arg-type]
        now = self.clock.now()
        return replace(page, jobs=tuple(self._told(job) for job in page.jobs if now - job.created_at >= self.late_s))  # type: ignore[operator]

    def get_job(self, job_id: JobId) -> RemoteJob:
        if self.reading is not None and job_id in self.drawings:
            raise self.reading
        return self._told(super().get_job(job_id))

    def _told(self, job: RemoteJob) -> RemoteJob:
        drawn = self.drawings.get(job.id)
        is_bare = drawn is not None and self.clock.now() < drawn.ends_at + self.bare_s
        return replace(job, asset_ids=()) if is_bare else job


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A model that owes two samples."""
    bench = Bench(tmp_path)
    bench.add("kael", ["KAEL, front"])
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle"))
    return bench


@pytest.fixture
def service(bench: Bench) -> Odd:
    return Odd(bench.clock)


def test_a_job_that_is_listed_late_is_found_before_it_is_drawn_again(bench: Bench, service: Odd) -> None:
    service.late_s = sum(LOOKUP_PAUSES_OF_SAMPLE_S) - 2
    bench.apply(Wire(service, Fault("after", lambda: AnswerLost("cut", timed_out=False), name="generate")).api)
    assert not sample_wrongs(bench, service, paid=2)


def test_a_job_that_is_listed_late_is_found_by_the_run_after_a_death(bench: Bench, service: Odd) -> None:
    service.late_s = sum(LOOKUP_PAUSES_OF_SAMPLE_S) - 2
    with pytest.raises(Killed):
        bench.apply(Wire(service, Fault("after", Killed, name="generate")).api)
    bench.apply(service)
    assert not sample_wrongs(bench, service, paid=2)


def test_where_jobs_are_not_listed_a_lost_launch_alone_is_held_back(bench: Bench, service: Odd) -> None:
    """It is neither drawn again nor does it keep the rest: once jobs are listed, it is found or drawn."""
    service.listing = Refused("listing jobs is not allowed", status=403)
    bench.apply(Wire(service, Fault("after", lambda: AnswerLost("cut", timed_out=False), name="generate")).api)
    bench.add("ink", ["INK, a fox"])
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle"), drawing(model("ink", "ink"), "a fox"))
    for _ in range(2):
        ledger = bench.apply(service)
        assert [line.what for line in ledger.failed] == ["sample 1"]
        assert "whether it was drawn is not known" in str(ledger.failed[0].reason)
        assert not bench.journal_path.exists()
    assert bench.record("model.ink").current.phase == "trained"
    assert (phases(bench)["a knight"], len(service.drawings)) == ("drawing", 3)
    assert [d.code for d in bench.plan(service).plan.diagnostics if "sample 1" in d.message] == ["sample-undecided"]
    service.listing = None
    assert bench.apply(service).status == "done"
    assert not sample_wrongs(bench, service, paid=3)


def test_a_launch_held_back_is_let_go_by_another_seed(bench: Bench, service: Odd) -> None:
    """Without jobs being listed; once they are, the first one is found as well."""
    service.listing = Refused("listing jobs is not allowed", status=403)
    bench.apply(Wire(service, Fault("after", lambda: AnswerLost("cut", timed_out=False), name="generate")).api)
    bench.apply(service)
    bench.declare(replace(model("kael", "kael"), samples=samples("a knight", "a castle", seed=7)))
    assert bench.apply(service).status == "done"
    assert {(one.request.seed, one.phase) for one in recorded(bench) if one.phase == "drawn"} >= {(7, "drawn")}
    assert not bench.plan(service).plan.has_changes
    service.listing = None
    assert bench.apply(service).status == "done"
    assert [one.phase for one in recorded(bench)] == ["drawn"] * 4


def test_a_launch_held_back_that_was_never_carried_out_is_drawn_once_jobs_are_listed(
    bench: Bench, service: Odd
) -> None:
    service.listing = Refused("listing jobs is not allowed", status=403)
    bench.apply(Wire(service, Fault("before", lambda: AnswerLost("cut", timed_out=False), name="generate")).api)
    bench.apply(service)
    assert len(service.drawings) == 1
    service.listing = None
    ledger = bench.apply(service)
    assert ledger.status == "done"
    assert [(one.request.prompt, one.phase) for one in recorded(bench)] == [
        ("a castle", "drawn"),
        ("a knight", "drawn"),
    ]
    assert len(service.drawings) == 2


def test_pictures_that_are_named_late_are_waited_for(bench: Bench, service: Odd) -> None:
    service.bare_s = PICTURES_LATE_S - 10
    assert bench.apply(service).status == "done"
    assert not sample_wrongs(bench, service, paid=2)


def test_a_job_that_never_names_a_picture_fails_its_sample(bench: Bench, service: Odd) -> None:
    service.bare_s = 1e9
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    assert "ended without a picture" in str(ledger.failed[0].reason)


def test_a_sample_whose_job_shows_nothing_is_drawn_again_only_after_ten_minutes(bench: Bench, service: Odd) -> None:
    """Its pictures may be shown later than a run waits, and they are paid."""
    service.bare_s = 1e9
    bench.apply(service)
    bench.apply(service)
    assert (set(phases(bench).values()), len(service.drawings)) == ({"drawing"}, 2)
    bench.clock.wait(NOTHING_SHOWN_S)
    bench.apply(service)
    assert set(phases(bench).values()) == {"failed"}
    service.bare_s = 0.0
    assert bench.apply(service).status == "done"
    assert len(service.drawings) == 4


def test_pictures_that_a_later_run_sees_are_those_that_were_paid(bench: Bench, service: Odd) -> None:
    service.bare_s = PICTURES_LATE_S + 90
    assert bench.apply(service).status == "partial"
    bench.clock.wait(90)
    assert bench.apply(service).status == "done"
    assert not sample_wrongs(bench, service, paid=2)


@pytest.mark.parametrize("error", [Refused("listing jobs is not allowed", status=403), ApiError("oops", status=500)])
def test_where_jobs_are_not_listed_models_are_trained_and_drawn(bench: Bench, service: Odd, error: ApiError) -> None:
    service.listing = error
    assert bench.apply(service).status == "done"
    assert not sample_wrongs(bench, service, paid=2)


def test_jobs_that_cannot_be_read_end_no_training(bench: Bench, service: Odd) -> None:
    """Their samples stay recorded as launched, and a later run waits for them."""
    bench.apply(service)
    bench.add("ink", ["INK, a fox"])
    bench.declare(drawing(model("kael", "kael"), "a knight", "a castle", "a boat"), model("ink", "ink"))
    service.training_s = 3600.0
    service.reading = Refused("reading jobs is not allowed", status=403)
    ledger = bench.apply(service)
    assert ledger.status == "partial"
    assert [line.what for line in ledger.failed] == ["sample 3"]
    assert bench.record("model.ink").current.phase == "trained"
    assert phases(bench)["a boat"] == "drawing"
    service.reading = None
    assert bench.apply(service).status == "done"
    assert service.drawn().most_common(1)[0][1] == 1, "nothing was drawn twice"


def test_a_wrong_key_is_said_before_anything_is_written(bench: Bench, service: Odd) -> None:
    service.listing = Unauthorized("the key is unknown", status=401)
    assert bench.apply(service).error == "the key is unknown"
    assert not service.models
