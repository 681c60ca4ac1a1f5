"""sample_poller.py: how samples are asked for, in as few requests as possible, and how they end."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scenario_apply.apply.poll_rounds import PollResult
from scenario_apply.apply.sample_poller import Drawing, poll_samples
from scenario_apply.errors import Refused
from scenario_apply.model.remote import JobId, JobPage, ModelId, RemoteJob
from scenario_apply.model.samples import Generation, SampleSettings
from scenario_apply.planning.observed import SHOWN_LATE_S
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

FLUX = ModelId("model_bfl-flux-1-dev")
PLAIN = SampleSettings(scale=1.0)


class Listed(FakeScenario):
    """The list may leave jobs out, and show others in another way than they are by themselves."""

    hidden: frozenset[str] = frozenset()
    bare = False

    def list_jobs(self, **named: object) -> JobPage:
        page = super().list_jobs(**named)  # type: ignore[arg-type]
        jobs = tuple(job for job in page.jobs if job.id not in self.hidden)
        if self.bare:
            jobs = tuple(replace(job, asset_ids=(), error=None) for job in jobs)
        return replace(page, jobs=jobs)


@pytest.fixture
def service() -> Listed:
    return Listed(FakeClock())


def launched(service: FakeScenario, *prompts: str) -> dict[str, Drawing]:
    """Jobs that draw these prompts with the base alone."""
    now = service.clock.now()
    return {
        prompt: Drawing(service.generate(FLUX, Generation(prompt=prompt, seed=1, settings=PLAIN)).job_id, now)
        for prompt in prompts
    }


def polled(service: FakeScenario, waiting: dict[str, Drawing]) -> dict[str, PollResult]:
    service.log.clear()
    return poll_samples(service, service.clock, waiting)


def phase(result: PollResult) -> str | None:
    end = None if result.outcome is None else result.outcome.sample
    return None if end is None else end.phase


def calls(service: FakeScenario) -> list[str]:
    return [name for name, _ in service.log]


def test_one_alone_is_read_by_its_job_and_several_by_one_page(service: Listed) -> None:
    one = launched(service, "a")
    assert (polled(service, one)["a"].outcome, calls(service)) == (None, ["get_job"])
    several = {**one, **launched(service, "b", "c")}
    service.clock.wait(10)
    assert [phase(result) for result in polled(service, several).values()] == ["drawn"] * 3
    assert calls(service) == ["list_jobs"]


def test_further_pages_are_read_only_while_some_are_missing(service: Listed) -> None:
    waiting = launched(service, "a", "b")
    service.page_size = 2
    service.clock.wait(1)
    launched(service, "x", "y", "z")
    polled(service, waiting)
    assert calls(service) == ["list_jobs"] * 3
    service.clock.wait(1000)
    newer = launched(service, "c", "d", "e")
    service.hidden = frozenset({newer["c"].job_id})
    polled(service, newer)
    assert calls(service) == ["list_jobs", "list_jobs", "get_job"], "what is older than the launches is not read"


def test_a_row_that_does_not_say_what_it_made_is_read_by_itself(service: Listed) -> None:
    service.generation.fail_drawing = {"b"}
    waiting, service.bare = launched(service, "a", "b"), True
    service.clock.wait(10)
    results = polled(service, waiting)
    assert [phase(result) for result in results.values()] == ["drawn", "failed"]
    assert results["b"].outcome is not None
    assert results["b"].outcome.reason == "the picture did not pass the quality gate"
    assert results["b"].outcome.cu == 0, "refunded"


def test_a_job_that_is_not_shown_yet_is_waited_for_and_later_it_is_gone(service: Listed) -> None:
    waiting = {"a": Drawing(JobId("job_x"), service.clock.now())}
    assert polled(service, waiting)["a"].outcome is None
    service.clock.wait(SHOWN_LATE_S + 1)
    assert phase(polled(service, waiting)["a"]) == "failed"


def test_a_job_of_unknown_status_is_waited_for_with_a_note(service: Listed) -> None:
    waiting = launched(service, "a")
    service.drawings[waiting["a"].job_id].status = "polishing"
    result = polled(service, waiting)["a"]
    assert (result.outcome, "'polishing'" in str(result.unknown)) == (None, True)


def test_a_job_that_ended_without_a_picture_has_failed(service: Listed) -> None:
    class Empty(Listed):
        def get_job(self, job_id: JobId) -> RemoteJob:
            return replace(super().get_job(job_id), asset_ids=())

    empty = Empty(service.clock)
    waiting = launched(empty, "a")
    service.clock.wait(10)
    outcome = polled(empty, waiting)["a"].outcome
    assert outcome is not None
    assert (outcome.cu, "ended without a picture" in str(outcome.reason)) == (10.75, True)


def test_jobs_that_cannot_be_listed_are_read_one_by_one(service: Listed) -> None:
    class Unlisted(Listed):
        def list_jobs(self, **named: object) -> JobPage:
            raise Refused("listing jobs is not allowed", status=403)

    unlisted = Unlisted(service.clock)
    waiting = launched(unlisted, "a", "b")
    service.clock.wait(10)
    assert [phase(one) for one in polled(unlisted, waiting).values()] == ["drawn", "drawn"]
