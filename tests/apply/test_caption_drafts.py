"""Drafts are priced, approved and written one after another; what was paid is on the disk, and not paid again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.caption_drafts import DraftRun, Drafts, add_jobs
from scenario_apply.dataset.captions.draft_marks import DRAFT_MARK
from scenario_apply.dataset.scan.caption_places import caption_places
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.errors import AnswerLost, Interrupted, Refused, Unreachable
from scenario_apply.model.remote import GeneratedCaption, PictureToCaption
from scenario_apply.state.stores.draft_requests import DraftRequests
from tests.cli.test_captions import HUMAN
from tests.dataset.build import make_picture, spec_from
from tests.fakes.clock import FakeClock
from tests.fakes.service import FakeScenario

SPEC = spec_from({"images": ["set"]})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        make_picture(tmp_path / "set" / f"0{number}.png", seed=number, size=(64, 64))
    (tmp_path / "set" / "02.txt").write_text(HUMAN)
    return tmp_path


def jobs(root: Path, *, retry_lost: bool = False, **facts: int) -> Drafts:
    """facts: of every image."""
    drafts = Drafts()
    scanned = scan_datasets({"set": SPEC}, root=str(root), cache_path=None, types_of={}, cwd=str(root))["set"]
    places = caption_places(SPEC, root=str(root))
    requests = DraftRequests(str(root), "e")
    images = [replace(image, **facts) for image in scanned.contents.images]
    add_jobs(drafts, places, images, (), requests, retry_lost=retry_lost, may_leave=False)
    return drafts


def write(root: Path, api: FakeScenario, drafts: Drafts, stopped: Callable[[], bool] = lambda: False) -> Drafts:
    requests = DraftRequests(str(root), "e")
    service = DraftRun(api=api, clock=FakeClock(), root=str(root), requests=requests)
    assert service.quote(drafts.jobs) == 0.25 * len(drafts.jobs)
    service.write(drafts, approved_cu=1, is_stopped=stopped, done=lambda *_: None)
    return drafts


class Failing(FakeScenario):
    """Fails at the second caption."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(FakeClock())
        self.error = error

    def generate_caption(self, picture: PictureToCaption, *args: object, **more: object) -> GeneratedCaption:
        if self.count("generate_caption") == 1:
            raise self.error
        return super().generate_caption(picture)


def test_only_images_without_a_caption_get_a_marked_draft(root: Path) -> None:
    done = write(root, FakeScenario(FakeClock()), jobs(root))
    assert [file for file, _ in done.written["set"]] == ["set/01.txt", "set/03.txt"]
    assert done.charged == 0.5
    lines = (root / "set" / "01.txt").read_text().splitlines()
    assert lines[0] == DRAFT_MARK
    assert lines[1].startswith("a picture of")
    assert (root / "set" / "02.txt").read_text() == HUMAN
    assert jobs(root).jobs == []


def test_how_large_an_image_is_goes_by_what_is_sent(root: Path) -> None:
    """A large file may be sent small, and a small one large."""
    assert len(jobs(root, size_bytes=9_000_000, most_bytes=1000).jobs) == 2
    assert not jobs(root, size_bytes=1000, most_bytes=9_000_000).jobs


@pytest.mark.parametrize("error", [AnswerLost("lost"), KeyboardInterrupt()])
def test_what_may_be_paid_is_not_paid_again_unless_asked(root: Path, error: BaseException) -> None:
    """The first draft is on the disk; the request that got no answer is known to the next run."""
    with pytest.raises(type(error)):
        write(root, Failing(error), jobs(root))
    assert (root / "set" / "01.txt").exists()
    again = jobs(root)
    assert again.jobs == []
    assert "--retry-lost" in again.left["set"]["03.png"]
    write(root, FakeScenario(FakeClock()), jobs(root, retry_lost=True))
    assert (root / "set" / "03.txt").exists()
    assert json.loads((root / ".scenario" / "caption-drafts.json").read_text()) == {}


def test_a_request_that_was_interrupted_before_it_left_is_made_again(root: Path) -> None:
    done = write(root, Failing(Interrupted("before the request was sent")), jobs(root))
    assert done.left["set"]["03.png"] == "not requested: the run was stopped"
    assert [job.file for job in jobs(root).jobs] == ["set/03.txt"]


def test_a_request_that_was_surely_not_carried_out_is_made_again(root: Path) -> None:
    with pytest.raises(Unreachable):
        write(root, Failing(Unreachable("down")), jobs(root))
    assert [job.file for job in jobs(root).jobs] == ["set/03.txt"]


def test_a_picture_that_the_service_refuses_is_left_with_its_reason(root: Path) -> None:
    done = write(root, Failing(Refused("too odd", status=400)), jobs(root))
    assert done.left == {"set": {"03.png": "too odd"}}


def test_a_run_that_is_stopped_asks_for_no_more(root: Path) -> None:
    done = write(root, FakeScenario(FakeClock()), jobs(root), stopped=(root / "set" / "01.txt").exists)
    assert [file for file, _ in done.written["set"]] == ["set/01.txt"]
    assert done.left["set"]["03.png"] == "not requested: the run was stopped"


def test_a_text_that_appears_meanwhile_is_not_replaced(root: Path) -> None:
    drafts = jobs(root)
    (root / "set" / "01.txt").write_text(HUMAN)
    done = write(root, FakeScenario(FakeClock()), drafts)
    assert (root / "set" / "01.txt").read_text() == HUMAN
    assert "exists already; the caption was: a picture of" in done.left["set"]["01.png"]


def test_nothing_is_paid_for_what_cannot_be_written(root: Path) -> None:
    """Neither where that is known before, nor after the first file that could not be written."""
    drafts = jobs(root)
    (root / "set").rename(root / "real")
    (root / "set").symlink_to("real")
    assert jobs(root).jobs == []
    assert "links are not followed" in jobs(root).left["set"]["01.png"]
    api = FakeScenario(FakeClock())
    done = write(root, api, drafts)
    assert api.count("generate_caption") == 1
    assert done.left["set"]["03.png"] == "not requested: set/01.txt could not be written"
