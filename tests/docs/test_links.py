"""Links of the pages lead to files and headings that exist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.code_blocks import PAGES, ROOT

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
FENCED = re.compile(r"^( *`{3,})[^`\n]*\n.*?^\1$", re.DOTALL | re.MULTILINE)


@cache
def prose(path: Path) -> str:
    """Without code blocks and code in lines."""
    return re.sub(r"`[^`\n]*`", "`", FENCED.sub("", path.read_text(encoding="utf-8")))


@cache
def anchors(path: Path) -> frozenset[str]:
    """Of the headings of a page, as GitHub makes them."""
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in re.findall(r"(?m)^#+ +(.*?) *$", text)]
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)


@pytest.mark.parametrize("page", [pytest.param(page, id=page.relative_to(ROOT).as_posix()) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    """Files and headings of the repository; addresses elsewhere are https or this machine."""
    for match in LINK.finditer(prose(page)):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            assert target.startswith(("https://", "http://127.0.0.1", "mailto:")), target
            continue
        name, _, heading = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name} links to {target}"
        assert path.is_relative_to(ROOT), f"{page.name} links out of the repository: {target}"
        if heading:
            assert heading in anchors(path), f"{page.name} links to {target}: no such heading"


def test_every_page_of_the_site_is_listed() -> None:
    """In the table of contents of docs/index.md."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [p.relative_to(ROOT / "docs").with_suffix("").as_posix() for p in (ROOT / "docs").rglob("*.md")]
    listed = set(re.findall(r"(?m)^([\w/-]+)$", index))
    assert {p for p in pages if not re.match(r"adr/\d|index$|container/", p)} <= listed


def test_every_variable_of_ours_is_documented() -> None:
    """On docs/environment.md: whatever the package reads under a name that begins with SCENARIO_."""
    page = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    package = ROOT / "scenario_apply"
    sources = [p for p in package.rglob("*.py") if "emulator" not in p.relative_to(package).parts]
    named = {name for p in sources for name in re.findall(r"\bSCENARIO_[A-Z_]*[A-Z]\b", p.read_text(encoding="utf-8"))}
    assert named <= set(re.findall(r"SCENARIO_[A-Z_]*[A-Z]\b", page))
