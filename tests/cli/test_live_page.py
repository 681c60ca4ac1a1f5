"""The page of apply --report: current while the run goes, with the ledger at its end, and never in the run's way."""

from __future__ import annotations

import errno
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from scenario_apply.apply.events import LedgerLine
from scenario_apply.cli.output_targets import TargetTaken
from scenario_apply.cli.page_file import PageFile, is_page
from scenario_apply.cli.progress.live_page import LivePage
from scenario_apply.errors import ScenarioApplyError
from scenario_apply.model.address import Address
from scenario_apply.review.html.page import Section, page_text
from tests.cli.runs import EVENTS, LEDGER
from tests.fakes.clock import FakeClock

NOTE = Section("below", "Below", "missing.html.jinja", ("the plan <b>",))


class Pages:
    """A file that keeps every page. fails: the errors of the next writes."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.fails: list[OSError | None] = []

    def replace(self, content: bytes) -> None:
        if self.fails and (error := self.fails.pop(0)) is not None:
            raise error
        self.written.append(content.decode())


def live(file: object, told: list[str], mask: Callable[[str], str] = str) -> LivePage:
    return LivePage(
        file,  # type: ignore[arg-type]  # of a page it needs only replace
        FakeClock(),
        tell=told.append,
        mask=mask,
        command="scenario-apply apply x.yaml",
        next_command="scenario-apply apply x.yaml --var a=1",
    )


def below() -> Sequence[Section]:
    return [NOTE]


def after() -> Sequence[Section]:
    return []


def test_a_run_begins_with_a_page_that_loads_itself_again_and_ends_with_one_that_does_not() -> None:
    pages, told = Pages(), list[str]()
    page = live(pages, told)
    page.start("Apply: x.yaml", None, 0, below)
    for event in EVENTS:
        page(event)
    page.close(after)
    first, last = pages.written[0], pages.written[-1]
    assert '<meta http-equiv="refresh" content="5">' in first
    assert ">Running</p>" in first
    assert "scenario-apply apply x.yaml --var a=1" in first
    assert "refresh" not in last
    assert "Running" not in last
    assert "the plan &lt;b&gt;" in last
    assert "composition.winter: create failed: \\x1b[31mred" in last
    assert told == []


def test_a_page_of_a_run_says_when_it_was_written() -> None:
    """So that one left by a run that was killed does not claim to be running for ever."""
    pages = Pages()
    page = live(pages, [])
    page.start("Apply", None, 0, below)
    written = re.search('data-written="([^"]*)" data-every="10"', pages.written[0])
    assert written is not None
    assert f"{written[1][:10]} {written[1][11:19]} UTC" in pages.written[0]
    assert "if that time is longer ago, the run was killed." in pages.written[0]
    page.finish(LEDGER)


def test_a_page_that_cannot_be_written_is_one_warning_and_does_not_stop_the_run() -> None:
    pages, told = Pages(), list[str]()
    pages.fails = [OSError(errno.ENOSPC, "No space left on device")] * 2
    page = live(pages, told)
    page.start("Apply", None, 0, below)
    page.finish(LEDGER)
    assert told == ["warning: the page of --report cannot be written: No space left on device; the run is not affected"]
    assert pages.written == [] or LEDGER.status in pages.written[-1]


def test_sections_that_cannot_be_made_are_a_warning() -> None:
    def broken() -> Sequence[Section]:
        raise ValueError("a bug")

    pages, told = Pages(), list[str]()
    page = live(pages, told)
    page.start("Apply", None, 0, broken)
    page.finish(LEDGER)
    page.close(after)
    assert told == ["warning: the page of --report has no pictures: ValueError: a bug"]


def test_after_ctrl_c_nothing_is_waited_for() -> None:
    """Sections that are still being made are left out."""
    go_on = threading.Event()

    def slow() -> Sequence[Section]:
        go_on.wait(60)
        return [NOTE]

    pages = Pages()
    page = live(pages, [])
    page.start("Apply", None, 0, slow)
    page.finish(replace(LEDGER, status="interrupted"))
    page.close(after)
    assert "Interrupted." in pages.written[-1]
    assert "the plan" not in pages.written[-1]
    go_on.set()


def test_the_end_waits_for_sections_that_are_still_being_made() -> None:
    go_on = threading.Event()

    def slow() -> Sequence[Section]:
        go_on.wait(60)
        return [NOTE]

    pages = Pages()
    page = live(pages, [])
    page.start("Apply", None, 0, slow)
    page.finish(LEDGER)
    assert "the plan" not in pages.written[-1]
    go_on.set()
    page.close(after)
    assert "the plan" in pages.written[-1]


def test_secrets_and_markup_of_others_do_not_get_into_a_page() -> None:
    pages = Pages()
    page = live(pages, [], lambda text: text.replace("hunter2", "***"))
    evil = LedgerLine(address=Address("model", "kael"), what="</p><script>alert(1)</script> hunter2", reason="\u202e")
    page.finish(replace(LEDGER, failed=(evil,)))
    assert "<script>alert" not in pages.written[-1]
    assert "hunter2" not in pages.written[-1]
    assert "\u202e" not in pages.written[-1]


def test_only_a_page_of_ours_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "notes.html").write_text("<!doctype html><p>mine")
    (tmp_path / "old.html").write_text(page_text("Old", []))
    with pytest.raises(TargetTaken, match="is no page of scenario-apply"):
        PageFile("notes.html", str(tmp_path), option="--report", may_stream=False)
    file = PageFile("old.html", str(tmp_path), option="--report", may_stream=False)
    file.begin(None)
    file.replace(page_text("New", []).encode())
    assert is_page((tmp_path / "old.html").read_bytes())
    assert "New" in (tmp_path / "old.html").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"notes.html", "old.html"}


def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ScenarioApplyError, match=r"--report missing/run\.html: there is no folder missing"):
        PageFile("missing/run.html", str(tmp_path), option="--report", may_stream=False)
    (tmp_path / "missing").mkdir()
    file = PageFile("missing/run.html", str(tmp_path), option="--report", may_stream=False)
    (tmp_path / "missing").rmdir()
    with pytest.raises(ScenarioApplyError, match=r"the page cannot be written to missing/run\.html") as found:
        file.begin(None)
    assert found.value.problems[0].hint == "name a file in a folder that exists"


def test_a_device_keeps_no_page_up_to_date(tmp_path: Path) -> None:
    with pytest.raises(ScenarioApplyError, match="is a device or a pipe"):
        PageFile("/dev/null", str(tmp_path), option="--report", may_stream=False)
