"""Pages in a real headless Chromium: nothing is logged or asked for, and people can see, read, filter and enlarge.

SCENARIO_SCREENSHOTS=FOLDER keeps a picture of each page that is opened, to be looked at.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenario_apply.planning.changes import Action, Change
from scenario_apply.review.screen import safe
from tests.cli.plans import KAEL, plan_of
from tests.review.html.browser import PROGRAM, Browser
from tests.review.html.pages import HAT, full_page, full_plan

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium is installed")

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
WIDTHS = (320, 768, 1920)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """plan.html, and plain.html: the same without its script, as those see it who have none; axe-core needs scripts."""
    made = tmp_path_factory.mktemp("page")
    text = full_page()
    (made / "plan.html").write_text(text, encoding="utf-8")
    (made / "plain.html").write_text(re.sub("<script>.*?</script>", "", text, flags=re.DOTALL), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def url(folder: Path) -> str:
    return (folder / "plan.html").as_uri()


def keep(browser: Browser, name: str) -> None:
    folder = os.environ.get("SCENARIO_SCREENSHOTS")
    if folder:
        shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot))


def violations(browser: Browser) -> list[str]:
    """What axe-core finds on the page as it is."""
    browser.run(f"{AXE}; null")
    found = browser.run("axe.run().then((all) => all.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))")
    return [f"{name}: {nodes}" for name, nodes in found]


@pytest.mark.parametrize("name", ["plan", "plain"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_logged_or_asked_for_and_axe_finds_nothing(
    browser: Browser, folder: Path, dark: bool, name: str
) -> None:
    browser.open((folder / f"{name}.html").as_uri(), dark=dark)
    assert browser.heard == []
    assert violations(browser) == []
    keep(browser, f"{name}-{'dark' if dark else 'light'}")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_fits_every_width(browser: Browser, url: str, width: int) -> None:
    """No text and no picture is wider than the window; wide tables scroll by themselves."""
    browser.open(url, width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width
    narrow = "[...document.querySelectorAll('figure, .tile, .status')].map((e) => e.getBoundingClientRect().right)"
    assert max(browser.run(narrow)) <= width
    assert browser.run("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    keep(browser, f"width-{width}")


def test_foreign_texts_change_nothing_but_themselves(browser: Browser, url: str) -> None:
    browser.open(url)
    assert browser.run("document.title") == "Plan for manifests/quickstart"
    assert browser.run("document.scripts.length") == 1
    assert browser.run("[...document.images].every((image) => image.src.startsWith('data:image/webp;base64,'))")
    assert browser.run("document.querySelector('#p2-0 .text').textContent") == safe(HAT)


def test_a_picture_is_enlarged_without_script(browser: Browser, url: str) -> None:
    """A link leads to the figure, which fills the window then; another one leads back."""
    browser.open(f"{url}#p2-0", script=False)
    box = "(({width, height}) => [width, height])(document.querySelector('#p2-0').getBoundingClientRect())"
    assert browser.run(box) == [1280, 900]
    assert browser.run("document.querySelector('#p2-0 img').getBoundingClientRect().width") > 320
    assert browser.run("getComputedStyle(document.querySelector('#p2-0 .close')).display") == "block"
    keep(browser, "enlarged-plain")


def test_axe_finds_nothing_on_an_enlarged_figure(browser: Browser, folder: Path) -> None:
    browser.open(f"{(folder / 'plain.html').as_uri()}#p2-0", dark=True)
    assert violations(browser) == []


def test_a_picture_is_enlarged_and_left_by_keyboard(browser: Browser, url: str) -> None:
    browser.open(url)
    browser.run("document.querySelector('#p2-0 a.open').focus(); document.activeElement.click()")
    assert browser.run("document.querySelector('dialog').open")
    assert browser.run("document.querySelector('dialog').getAttribute('aria-label')") == "+ new.png"
    assert violations(browser) == []
    keep(browser, "enlarged")
    browser.press("ArrowRight", 39)
    assert browser.run("document.querySelector('dialog').getAttribute('aria-label')") == "~ other.png"
    browser.press("Escape", 27)
    assert not browser.run("document.querySelector('dialog').open")
    assert browser.run("document.activeElement.closest('figure').id") == "p2-0"
    assert browser.heard == []


def visible(browser: Browser, what: str) -> list[str]:
    found = browser.run(f"[...document.querySelectorAll('{what}')].filter((e) => e.offsetParent).map((e) => e.id)")
    assert isinstance(found, list)
    return found


def choose(browser: Browser, name: str, value: str) -> None:
    field = f"document.querySelector('.filter').elements['{name}']"
    browser.run(f"{field}.value = '{value}'; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def test_changes_and_pictures_are_filtered(browser: Browser, url: str) -> None:
    """By finding, text, action and resource; showing all again brings everything back."""
    browser.open(url)
    everything = visible(browser, ".change, figure")
    choose(browser, "finding", "D02")
    assert visible(browser, ".change, figure") == ["c2", "p2-0"]
    assert browser.run("document.querySelector('.filter output').textContent") == "1 of 4 changes, 1 pictures"
    choose(browser, "finding", "")
    choose(browser, "text", "red cloak")
    assert visible(browser, ".change, figure") == ["c2", "p2-4"]
    choose(browser, "text", "")
    choose(browser, "action", "create")
    assert visible(browser, ".change") == ["c4"]
    choose(browser, "action", "")
    choose(browser, "resource", "c3")
    assert visible(browser, ".change") == ["c3"]
    choose(browser, "text", "nothing has this")
    assert visible(browser, ".change") == []
    assert browser.run("document.querySelector('.none').offsetParent !== null")
    browser.run("document.querySelector('.filter').reset(); new Promise((done) => setTimeout(done))")
    assert visible(browser, ".change, figure") == everything


def test_without_script_there_is_no_filter_and_everything_is_shown(browser: Browser, url: str) -> None:
    browser.open(url)
    everything = visible(browser, ".change, figure")
    browser.open(url, script=False)
    assert visible(browser, ".change, figure") == everything
    assert browser.run("document.querySelector('.filter').offsetParent") is None


def test_a_printed_page_has_what_was_folded_and_nothing_to_click(browser: Browser, tmp_path: Path) -> None:
    many = [Change(address=KAEL, action=Action.UPDATE, after={"name": f"n{number}"}) for number in range(41)]
    path = tmp_path / "many.html"
    path.write_text(full_page(plan_of(*many)), encoding="utf-8")
    browser.open(path.as_uri(), script=False)
    height = "document.querySelector('.change').getBoundingClientRect().height"
    folded = browser.run(height)
    browser.media(kind="print")
    assert browser.run(height) > folded
    assert browser.run("document.querySelector('.contents').offsetParent") is None
    keep(browser, "print")


def test_a_plan_that_is_stopped_is_never_folded() -> None:
    """Whatever stops it must be seen whole."""
    many = [Change(address=KAEL, action=Action.UPDATE, after={"name": f"n{number}"}) for number in range(41)]
    assert " open>" not in full_page(plan_of(*many))
    assert full_page(plan_of(*many, blocked=full_plan().blocked)).count(" open>") == 41
