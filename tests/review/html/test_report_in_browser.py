"""The sections of report and apply --report in a real headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.review.html.page import page_text
from scenario_apply.review.html.run_section import run_section
from tests.review.html.browser import PROGRAM, Browser
from tests.review.html.pages import HAT
from tests.review.html.report_sections import ended_with, sections_with
from tests.review.html.test_in_browser import WIDTHS, keep, violations

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """report.html, and run.html, which loads itself again."""
    made = tmp_path_factory.mktemp("page")
    text = page_text("Report", [run_section(ended_with(HAT)), *sections_with(HAT)[1:]])
    (made / "report.html").write_text(text, encoding="utf-8")
    (made / "run.html").write_text(page_text("Apply", sections_with("x"), refresh_s=60), encoding="utf-8")
    return made


@pytest.mark.parametrize(("name", "dark"), [("report", False), ("run", True)])
def test_nothing_is_logged_or_asked_for_and_axe_finds_nothing(
    browser: Browser, folder: Path, name: str, dark: bool
) -> None:
    browser.open((folder / f"{name}.html").as_uri(), dark=dark)
    assert browser.heard == []
    browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert violations(browser) == []
    keep(browser, f"{name}-{'dark' if dark else 'light'}")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_fits_every_width(browser: Browser, folder: Path, width: int) -> None:
    """Tables and the graph scroll by themselves."""
    browser.open((folder / "report.html").as_uri(), width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.title") == "Report"
    keep(browser, f"report-{width}")


def test_a_page_of_a_run_that_was_killed_says_so_and_a_person_can_look_again(browser: Browser, folder: Path) -> None:
    """It was written in the past; with the time of now it says that it runs, and can be paused."""
    browser.open((folder / "run.html").as_uri())
    state = "document.getElementById('run-state').textContent"
    button = "document.getElementById('run-pause').textContent"
    assert browser.run(state).startswith("Not running any more, it seems: nothing was written since 2026-11-27")
    assert browser.run(button) == "Look again"
    text = (folder / "run.html").read_text(encoding="utf-8")
    now = browser.run("new Date().toISOString()")
    (folder / "now.html").write_text(text.replace("2026-11-27T08:00:09Z", now), encoding="utf-8")
    browser.open((folder / "now.html").as_uri())
    assert browser.run(state) == "Running"
    browser.run("document.getElementById('run-pause').click()")
    assert browser.run(button) == "Continue updates"
    assert browser.heard == []


def test_numbers_are_reached_by_keyboard(browser: Browser, folder: Path) -> None:
    browser.open((folder / "report.html").as_uri())
    browser.run("document.querySelector('.chart details summary').focus()")
    assert not browser.run("document.querySelector('.chart details').open")
    browser.press("Enter", 13)
    browser.run("document.activeElement.click()")
    assert browser.run("document.querySelector('.chart details').open")
    assert browser.run("document.querySelector('.chart details table').offsetHeight") > 0


def test_two_columns_of_samples_are_laid_over_each_other(browser: Browser, folder: Path) -> None:
    """Left, right and sample are chosen; the slider cuts the right picture, a button and holding F show it whole."""
    browser.open((folder / "report.html").as_uri())
    cut = "document.querySelector('.both img + img').style.clipPath"
    assert (
        browser.run("Array.from(document.querySelectorAll('.overlaid select')).map((one) => one.value).join()")
        == "0,1,0"
    )
    assert browser.run(cut) == "inset(0px 0px 0px 50%)"
    browser.run("document.querySelector('.overlaid input').focus()")
    browser.press("ArrowRight", 39)
    assert browser.run(cut) == "inset(0px 0px 0px 51%)"
    browser.run("document.querySelector('.overlaid button').click()")
    assert browser.run(cut) == "inset(0px 0px 0px 0%)"
    for event, expected in (("keydown", "inset(0px 0px 0px 51%)"), ("keyup", "inset(0px 0px 0px 0%)")):
        browser.run(
            f"document.activeElement.dispatchEvent(new KeyboardEvent('{event}', {{ key: 'f', bubbles: true }}))"
        )
        assert browser.run(cut) == expected
    assert browser.heard == []


def test_samples_are_a_table_without_scripts(browser: Browser, folder: Path) -> None:
    """The first column stays where it is while the others scroll."""
    browser.open((folder / "report.html").as_uri(), width=400, script=False)
    assert browser.run("document.querySelectorAll('.compared tbody td').length") == 6
    assert browser.run("document.querySelector('.overlaid')") is None
    left = "document.querySelector('.sidebyside tbody th').getBoundingClientRect().left"
    before = browser.run(left)
    browser.run("document.querySelector('.sidebyside').scrollLeft = 200")
    assert browser.run("document.querySelector('.sidebyside').scrollLeft") > 0
    assert browser.run(left) == before
