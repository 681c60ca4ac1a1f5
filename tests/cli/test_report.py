"""report, status --format html and apply --report: pages of everything that is known, which change nothing."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scenario_apply import __main__
from scenario_apply.emulator.thread import EmulatorThread, manual_options

QUICKSTART = Path(__file__).parent.parent.parent / "manifests" / "quickstart"
SECRET = "secret-1234"
MANIFEST = """\
version: 1
models:
  kael:
    type: flux.1-lora
    dataset: { images: ./kael, trigger: KAEL_07 }
compositions:
  ink: { concepts: [{ model: kael, scale: 0.8 }] }
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorThread]:
    """A service whose trainings take no time."""
    with EmulatorThread(manual_options(clock="real", training_s=0.02, queue_s=0)) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    (folder / "kael").mkdir(parents=True)
    for name in ("01_dusk_portrait", "02_winter_night", "03_full_draw"):
        for ending in (".jpg", ".txt"):
            shutil.copy(QUICKSTART / "kael" / (name + ending), folder / "kael")
    (folder / "scenario.yaml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.chdir(folder)
    for name in ("SCENARIO_SDK_API_KEY", "SCENARIO_SDK_API_SECRET", "SCENARIO_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def service(here: Path, emulator: EmulatorThread, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a service and credentials."""
    monkeypatch.setenv("SCENARIO_BASE_URL", emulator.url)
    monkeypatch.setenv("SCENARIO_SDK_API_KEY", "key-1234")
    monkeypatch.setenv("SCENARIO_SDK_API_SECRET", SECRET)
    return here


class Outline(HTMLParser):
    """Ids of sections, words of headings, and how many pictures there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.ids: list[str] = []
        self.pictures = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "section" and given.get("class") == "part":
            self.sections.append(given["id"] or "")
        self.pictures += tag == "img"


def run(*words: str) -> int:
    return __main__.main([*words])


def test_a_report_without_credentials_shows_files_and_state_and_says_what_is_missing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", "scenario.yaml", "--out", "report.html") == 0
    page = (here / "report.html").read_text(encoding="utf-8")
    assert "Scenario was not asked: SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET are not set" in page
    outline = Outline(page)
    assert outline.sections[:3] == ["missing", "status", "summary"]
    assert {"pictures", "statistics", "history", "budget", "graph"} <= set(outline.sections)
    assert outline.pictures == 3
    assert len(outline.ids) == len(set(outline.ids))
    assert "The report is in report.html." in capsys.readouterr().err
    assert not (here / "state").exists()


def test_a_report_of_broken_datasets_shows_what_is_wrong(here: Path) -> None:
    """No plan can be made; pictures and findings are shown."""
    (here / "kael" / "01_dusk_portrait.txt").write_bytes(b"\xff\xfe\x00")
    assert run("report", "scenario.yaml", "--out", "report.html") == 0
    page = (here / "report.html").read_text(encoding="utf-8")
    assert "This plan could not be made" in page
    assert Outline(page).pictures >= 2


def test_a_report_of_a_selection_has_no_other_resource(here: Path) -> None:
    assert run("report", "scenario.yaml", "--no-refresh", "--select", "composition.ink", "--out", "ink.html") == 0
    page = (here / "ink.html").read_text(encoding="utf-8")
    assert Outline(page).pictures == 0
    assert "The manifest declares no dataset." not in page
    assert "1 not created" in page
    assert "dataset.kael" not in page
    assert run("report", "scenario.yaml", "--no-refresh", "--select", "model.nobody", "--out", "ink.html") == 64


def test_a_saved_plan_is_no_manifest(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "scenario.yaml", "--no-refresh", "--out", "p.json") == 0
    capsys.readouterr()
    assert run("report", "p.json", "--no-refresh", "--out", "p.html") == 64
    assert "plan p.json --format html" in capsys.readouterr().err


def test_a_report_goes_to_stdout_where_that_is_no_terminal(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "scenario.yaml", "--no-refresh", "--quiet") == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("<!doctype html>")
    assert shown.err == ""


def test_a_report_never_fills_a_terminal(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run("report", "scenario.yaml", "--no-refresh") == 64
    assert "--out report.html" in capsys.readouterr().err


def test_a_report_writes_over_nothing_else(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (here / "scenario.yaml").read_bytes()
    assert run("report", "scenario.yaml", "--no-refresh", "--out", "scenario.yaml") == 1
    assert (here / "scenario.yaml").read_bytes() == before
    assert "is no page of scenario-apply" in capsys.readouterr().err


def test_a_service_that_cannot_be_asked_is_an_error_and_the_page_has_the_rest(
    service: Path, emulator: EmulatorThread, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = service
    monkeypatch.setenv("SCENARIO_BASE_URL", f"{emulator.url}/nowhere")
    assert run("report", "scenario.yaml", "--out", "report.html") == 1
    assert "Scenario could not be asked" in (here / "report.html").read_text(encoding="utf-8")
    assert "error[" in capsys.readouterr().err


def test_a_run_leaves_a_page_with_its_ledger_and_reports_know_what_was_trained(
    service: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither page holds a secret or a signed address."""
    words = ["--auto-approve", "--poll-interval", "0.05"]
    assert run("apply", "scenario.yaml", *words, "--report", "run.html") == 0
    page = (service / "run.html").read_text(encoding="utf-8")
    assert "Apply complete." in page
    assert "refresh" not in page
    assert "Version 1, current" in page
    capsys.readouterr()
    assert run("report", "scenario.yaml", "--out", "report.html") == 0
    report = (service / "report.html").read_text(encoding="utf-8")
    assert "2 trained" in report
    assert "No changes. All 2 resources match the manifest." in report
    assert run("status", "scenario.yaml", "--format", "html") == 0
    status = capsys.readouterr().out
    assert Outline(status).sections == ["status", "history", "budget", "graph"]
    assert Outline(status).pictures == 1  # a sample of the one epoch of the model; a composition has none
    assert Outline(report).pictures == 3 + 1
    for text in (page, report, status):
        assert SECRET not in text
        assert "signature=" not in text
        assert not re.search(r'(?:src|href)="(?!data:image/webp;base64,|#)', text)


def test_a_run_that_cannot_begin_says_so_on_its_page(service: Path) -> None:
    """Here nobody can be asked. The plan is shown whole, and the page of an earlier run does not stay."""
    assert run("apply", "scenario.yaml", "--report", "run.html") == 1
    page = (service / "run.html").read_text(encoding="utf-8")
    assert "Nothing was done." in page
    assert "approval is required, but no terminal is attached" in page
    assert Outline(page).pictures == 3
    assert "Running" not in page


def test_a_page_that_cannot_be_written_stops_an_apply_before_its_first_request(
    service: Path, emulator: EmulatorThread, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkdir(service / "run.html")
    assert run("apply", "scenario.yaml", "--auto-approve", "--report", "run.html") == 1
    assert "that is a folder" in capsys.readouterr().err
    assert run("apply", "scenario.yaml", "--auto-approve", "--report", "no/run.html") == 1
    assert "--report no/run.html: there is no folder no" in capsys.readouterr().err
    assert not (service / "state").exists()
