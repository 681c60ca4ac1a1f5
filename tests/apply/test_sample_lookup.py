"""sample_lookup.py: by what the job of a sample is recognised whose launch got no response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from scenario_apply.apply.sample_lookup import SampleUndecided, find_drawn, is_asked_by
from scenario_apply.errors import ApiError, Refused, Unauthorized
from scenario_apply.model.address import parse_address
from scenario_apply.model.remote import AssetId, AssetPage, JobId, JobPage, ModelId, RemoteAsset, RemoteJob
from scenario_apply.model.samples import SampleRequest, SampleSettings
from scenario_apply.model.steps import DrawSample
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import Record, SampleEntry, State, Version
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

KAEL, MODEL = parse_address("model.kael"), ModelId("m1")
SAMPLE = SampleRequest(
    name="1", prompt='a "knight"', seed=7, base=ModelId("base"), settings=SampleSettings(scale=0.8, width=512)
)
SIGNS = replace(SAMPLE, prompt="\N{DRAGON}\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}")
LONG = replace(SAMPLE, prompt="a knight in armour of silver beside a river at dawn with mist")
STATE = State(
    records={KAEL: Record(current=Version(number=1, id=MODEL, phase="trained", name="Kael", type="flux.1-lora"))}
)


def job(id: str, at: float, **asked: object) -> RemoteJob:
    given = {"prompt": SAMPLE.prompt, "seed": 7, "loras": [MODEL], "lorasScale": [0.8], "width": 512, **asked}
    return RemoteJob(id=JobId(id), status="in-progress", progress=0.5, created_at=at, input=given)


def asset(id: str, *, drawn_by: str | None = None, **asked: object) -> RemoteAsset:
    nothing: dict[str, Any] = {"name": None, "description": None, "size_bytes": None, "status": None}
    job_id = None if drawn_by is None else JobId(drawn_by)
    return RemoteAsset(id=AssetId(id), created_at=115, drawn_by=job_id, asked=asked, **nothing)


def found(
    *jobs: RemoteJob,
    owned: tuple[str, ...] = (),
    read: Mapping[str, RemoteJob] | None = None,
    assets: tuple[RemoteAsset, ...] = (),
    listing: ApiError | None = None,
    sample: SampleRequest = SAMPLE,
    state: State = STATE,
) -> Outcome | None:
    """What is adopted of these jobs, newest first. read: as they are by themselves. listing: why none is listed."""

    class Jobs(FakeScenario):
        def list_jobs(self, **named: object) -> JobPage:
            if listing is not None:
                raise listing
            return JobPage(jobs=jobs, next_token=None)

        def list_assets(self, **named: object) -> AssetPage:
            return AssetPage(assets=assets, next_token=None)

        def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, RemoteAsset]:
            return {one.id: one for one in assets if one.id in asset_ids}

        def get_job(self, job_id: JobId) -> RemoteJob:
            return (read or {})[job_id]

    step = DrawSample(address=KAEL, number=1, sample=sample)
    return find_drawn(Jobs(FakeClock()), state, step, 0.0, owned, lambda id, at: at is None or at >= 100)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"seed": "7"},
        {"prompt": " a  &quot;knight&quot;"},
        {"prompt": "a “knight”"},
        {"loras": None, "modelId": MODEL},
        {"width": 520, "lorasScale": None},
        {"sample": SIGNS, "prompt": "\N{DRAGON}\N{HEAVY BLACK HEART}"},
        {"sample": SIGNS, "prompt": ""},
        {"sample": LONG, "prompt": LONG.prompt[:60]},
    ],
)
def test_a_job_is_recognised_by_prompt_seed_and_model(asked: dict[str, object]) -> None:
    """In the forms that the service may keep them in; other settings may be rounded."""
    sample = asked.get("sample", SAMPLE)
    assert isinstance(sample, SampleRequest)
    outcome = found(job("j1", 100, **asked), sample=sample)
    assert outcome is not None
    assert outcome.job_id == "j1"


@pytest.mark.parametrize(
    "asked",
    [
        {"seed": 8},
        {"prompt": "a knight in snow"},
        {"loras": ["m2"]},
        {"lorasScale": [0.5]},
        {"numOutputs": 4},
        {"prompt": None, "seed": None, "loras": None, "image": "asset_1"},
    ],
)
def test_another_job_is_not(asked: dict[str, object]) -> None:
    assert is_asked_by(job("j1", 100, **asked), SAMPLE, MODEL) == "no"
    assert found(job("j1", 100, **asked)) is None


@pytest.mark.parametrize(
    "asked",
    [{"seed": None}, {"prompt": 7}, {"loras": "m1"}, {"loras": None}, {"loras": [{"id": "m1"}], "modelId": "base"}],
)
def test_a_job_that_does_not_say_all_may_be_ours(asked: dict[str, object]) -> None:
    """Neither adopted nor drawn again: that would be another one's picture, or paid twice."""
    one = job("j1", 100, **asked)
    with pytest.raises(SampleUndecided, match="does not say what job j1 draws"):
        found(one, read={"j1": one})


def test_a_silent_job_is_recognised_by_its_pictures() -> None:
    """Each picture may have a seed of its own."""
    bare = RemoteJob(
        id=JobId("j1"), status="success", progress=1, created_at=110, asset_ids=(AssetId("a1"), AssetId("a2"))
    )
    told = {"prompt": SAMPLE.prompt, "modelId": MODEL}
    outcome = found(bare, read={"j1": bare}, assets=(asset("a1", **told, seed="8"), asset("a2", **told, seed="7")))
    assert outcome is not None
    assert outcome.job_id == "j1"
    assert found(bare, read={"j1": bare}, assets=(asset("a1", prompt="a castle"),)) is None
    with pytest.raises(SampleUndecided):
        found(bare, read={"j1": bare}, assets=(asset("a1", prompt=SAMPLE.prompt, seed="7", modelId="base"),))


@pytest.mark.parametrize("listing", [None, Refused("jobs are not listed", status=403)])
def test_a_job_that_is_not_listed_is_found_by_its_pictures(listing: ApiError | None) -> None:
    told = {"prompt": SAMPLE.prompt, "modelId": MODEL, "seed": "7"}
    outcome = found(listing=listing, assets=(asset("a1", drawn_by="j1", **told), asset("a2", **told)))
    assert outcome is not None
    assert outcome.job_id == "j1"


def test_where_jobs_are_not_listed_nothing_is_decided() -> None:
    with pytest.raises(SampleUndecided, match="jobs are not listed"):
        found(listing=Refused("jobs are not listed", status=403))
    with pytest.raises(Unauthorized):
        found(listing=Unauthorized("unknown key", status=401))


def test_older_jobs_and_those_of_other_requests_are_not_adopted() -> None:
    assert found(job("j2", 120), job("j1", 90), owned=("j2",)) is None


def test_of_two_alike_the_older_is_taken_and_the_other_named() -> None:
    outcome = found(job("j3", 130), job("j2", 120), job("j1", 110, width=1024))
    assert outcome is not None
    assert outcome.job_id == "j2", "the one whose settings are those that were sent"
    assert outcome.adopted == "the oldest of 3 jobs with the same prompt, seed and model; nothing uses j3, j1"


def test_a_job_that_a_list_shows_without_its_input_is_read() -> None:
    bare = RemoteJob(id=JobId("j1"), status="success", progress=1, created_at=110)
    outcome = found(bare, read={"j1": job("j1", 110)})
    assert outcome is not None
    assert outcome.job_id == "j1"


def test_jobs_of_other_requests_are_not_read_however_many_there_are() -> None:
    """Where no job of the list says what it draws, every one that is read is one that may be ours."""
    bare = [RemoteJob(id=JobId(f"j{n}"), status="success", progress=1, created_at=150) for n in range(60)]
    outcome = found(*bare, owned=tuple(f"j{n}" for n in range(59)), read={"j59": job("j59", 150)})
    assert outcome is not None
    assert outcome.job_id == "j59"


def test_a_job_is_found_behind_short_and_empty_pages_in_any_order() -> None:
    """A page of nothing but older jobs is the last one that is read."""
    read = list[str]()
    pages = [[], [job("j8", 90, seed=8), job("j9", 150, seed=9)], *[[job(f"x{n}", 140, seed=n)] for n in range(20, 60)]]
    pages += [[job("j1", 110)], [job("j0", 50)], [job("j7", 40)]]

    class Jobs(FakeScenario):
        def list_jobs(self, *, token: str | None = None, **named: object) -> JobPage:
            read.append(token or "0")
            at = int(token or 0)
            return JobPage(jobs=tuple(pages[at]), next_token=str(at + 1) if at + 1 < len(pages) else None)

    step = DrawSample(address=KAEL, number=1, sample=SAMPLE)
    outcome = find_drawn(Jobs(FakeClock()), STATE, step, 0.0, (), lambda id, at: at is None or at >= 100)
    assert outcome is not None
    assert (outcome.job_id, read[-1]) == ("j1", str(len(pages) - 2))


def test_a_list_without_end_decides_nothing() -> None:
    class Jobs(FakeScenario):
        def list_jobs(self, *, token: str | None = None, **named: object) -> JobPage:
            return JobPage(jobs=(), next_token=str(int(token or 0) + 1))

    step = DrawSample(address=KAEL, number=1, sample=SAMPLE)
    with pytest.raises(SampleUndecided, match="goes on after 100 pages"):
        find_drawn(Jobs(FakeClock()), STATE, step, 0.0, (), lambda id, at: True)


def test_a_job_that_only_the_account_knows_is_another_request() -> None:
    """A sample that failed and was drawn again is recorded once, and was launched twice."""
    entry = SampleEntry(
        at="2026-01-01T00:00:00Z", address=KAEL, version=1, model_id=MODEL, name="1", phase="failed", job_id=JobId("j1")
    )
    assert found(job("j1", 110), state=replace(STATE, samples=(entry,))) is None
