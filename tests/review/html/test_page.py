"""A page is one file that runs its own script only, and text from outside changes nothing but itself."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from msgspec.structs import replace

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.review.html.page import Section, page_text
from scenario_apply.review.html.plan_page import MANY, PlanPage, plan_page
from scenario_apply.review.plan_view import failed_plan_view, plan_view
from tests.cli.plans import CREATED, plan_of
from tests.review.html.pages import full_page

SECTION = Section(
    "summary", "Summary", "plan_summary.html.jinja", PlanPage(plan=plan_view(plan_of()), cards=(), album={})
)


def page(title: str = "Plan", **more: object) -> str:
    return page_text(title, [SECTION], **more)  # type: ignore[arg-type]  # options by name


@pytest.mark.parametrize("name", ["style", "script"])
def test_only_its_own_style_and_script_are_allowed(name: str) -> None:
    """The policy holds the digest of exactly what stands in the page."""
    text = page()
    found = re.findall(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
    assert len(found) == 1
    digest = b64encode(sha256(found[0].encode()).digest()).decode()
    policy = re.search('Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert f"{name}-src &#39;sha256-{digest}&#39;" in policy[1]
    assert "default-src &#39;none&#39;; img-src data:;" in policy[1]


def test_style_and_script_are_ascii() -> None:
    """In a page written as ASCII, characters of a style or script could not be spelled as references."""
    assert "".join(re.findall("<(?:style|script)>(.*?)</", page(), re.DOTALL)).isascii()


def test_text_is_escaped_and_what_cannot_be_seen_is_spelled_out() -> None:
    text = page('</title><script>alert(1)</script>"\u202e\x1b[31m', about="<img src=x onerror=alert(1)>")
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&#34;\\u202e\\x1b[31m" in text


def test_a_page_loads_itself_again_only_where_asked_to() -> None:
    assert "refresh" not in page()
    assert '<meta http-equiv="refresh" content="5">' in page(refresh_s=5)


def test_sections_are_listed_and_drawn_in_order() -> None:
    text = page_text(
        "Two", [SECTION._replace(id="a", title="First"), SECTION._replace(id="b", title="Second", note="7")]
    )
    assert text.index('href="#a"') < text.index('href="#b"') < text.index('id="a"') < text.index('id="b"')
    assert 'Second <span class="note">7</span>' in text


def test_what_stops_a_plan_is_said_first() -> None:
    text = full_page()
    first = text.index("This plan cannot be applied")
    assert first < text.index("130 CU exceed the limit of 100") < text.index('id="changes"')


def test_a_plan_that_could_not_be_made_shows_its_errors_first() -> None:
    problem = Diagnostic(code="unknown-key", message="unknown key modells")
    view = failed_plan_view([problem], manifest=None, endpoint="local", created_at="2026-01-02T03:04:05Z")
    text = plan_page(PlanPage(plan=view, cards=(), album={}))
    assert text.index("This plan could not be made") < text.index("unknown key modells") < text.index('id="findings"')
    assert "Ready" not in text


def test_titles_of_folded_changes_say_what_is_inside() -> None:
    """Where all are open, the pictures are seen."""
    folded = plan_of(*(replace(CREATED, address=Address("model", f"m{n}")) for n in range(MANY + 1)))
    assert full_page(folded).count("· pictures: 40 added</span>") == MANY + 1
    assert "· pictures: 40 added" not in full_page(plan_of(CREATED))
