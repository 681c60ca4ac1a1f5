"""Whatever a text holds, the page has the same elements as with a harmless one, and shows exactly that text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from msgspec.structs import replace as with_fields

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import parse_address
from scenario_apply.planning.changes import (
    Action,
    CaptionChange,
    CaptionDiff,
    Change,
    Drift,
    ImageChange,
    ImageDiff,
    PairChange,
    PairDiff,
)
from scenario_apply.planning.reasons import NameChanged
from scenario_apply.review.html.album import PageImage
from scenario_apply.review.html.figures import PictureFacts
from scenario_apply.review.html.plan_page import PlanPage, cards_of, plan_page
from scenario_apply.review.plan_view import PlanContext, plan_view
from scenario_apply.review.screen import safe
from tests.cli.plans import KAEL, SOURCE, plan_of
from tests.hostile_text.strings import HARMLESS, HOSTILE

OF_HTML = (
    "</title><script>alert(1)</script>",
    "</script><script src=//evil.example/x.js></script>",
    "</style><style>*{display:none}</style>",
    "<svg><use href='//evil.example#x'/></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<link rel=stylesheet href=//evil.example/x.css><base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><input name=q></form>",
    "<!-- a comment",
    "<![CDATA[ x ]]><?xml version='1.0'?><!doctype html>",
    "<plaintext>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    '" onmouseover="alert(1)',
    "' onmouseover='alert(1)",
    "a&lt;b&gt;c &amp;amp; &#60;script&#62; &copy",
    "{{ 7 * 7 }} {% raw %} {# x #}",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
)
ALL = (*HOSTILE.values(), *OF_HTML)


class Elements(HTMLParser):
    """Every start tag with the names of its attributes, the comments, and the text between."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.elements.append(("!", (data,)))

    def handle_decl(self, decl: str) -> None:
        self.elements.append(("!", (decl,)))

    def unknown_decl(self, data: str) -> None:
        self.elements.append(("!", (data,)))

    def handle_pi(self, data: str) -> None:
        self.elements.append(("?", (data,)))


def page_with(text: str) -> Elements:
    """A page that has the text in every place where somebody else's may be."""
    finding = Diagnostic(code="D02", message=text, hint=text, location=Location(file=text, line=1), severity="warning")
    images = ImageDiff(
        add=(ImageChange(path=text, caption=text, sha256="a"),), remove=(ImageChange(path=f"b{text}", caption=text),)
    )
    captions = CaptionDiff(change=(CaptionChange(path=f"c{text}", before="one", after=text),))
    pair = PairChange(before=f"d{text}", after=f"e{text}", instruction=text)
    change = Change(
        address=KAEL,
        action=Action.REPLACE,
        reasons=(NameChanged(text, f"{text}!"),),
        before={"name": text, "tags": [text]},
        after={"name": f"{text}!", "tags": [text, text], "parameters": {"learningRate": text}},
        images=images,
        captions=captions,
        pairs=PairDiff(add=(pair,)),
        arithmetic=text,
        place=Location(file=text),
    )
    kept = Change(address=parse_address("model.kept"), action=Action.NONE, notes=(NameChanged(text, text),))
    plan = plan_of(
        change,
        kept,
        source=with_fields(SOURCE, manifest_path=text, endpoint=text, project=text),
        blocked=(finding,),
        diagnostics=(finding,),
        drift=(Drift(address=KAEL, what=text, path=text, recorded=text, observed=f"{text}!"),),
    )
    view = plan_view(plan, PlanContext(next_command=text))
    facts = {
        text: PictureFacts(sha256="a", findings=(finding,), twins=(f"c{text}",)),
        f"c{text}": PictureFacts(sha256="b"),
    }
    album = {"a": PageImage("data:image/webp;base64,AA", 1, 1), "b": PageImage(why=text)}
    page = PlanPage(plan=view, cards=cards_of(view, {KAEL: facts}), album=album)
    found = Elements()
    found.feed(plan_page(page))
    found.close()
    return found


EXPECTED = page_with(HARMLESS)


def test_the_page_has_a_text_in_many_places() -> None:
    assert len(set(ALL)) >= 40
    assert EXPECTED.text.count(HARMLESS) >= 25


@pytest.mark.parametrize("text", ALL, ids=range(len(ALL)))
def test_a_hostile_text_changes_nothing_but_itself(text: str) -> None:
    found = page_with(text)
    assert _without_diffs(found) == _without_diffs(EXPECTED)
    assert found.text.count(safe(text)) >= 25
    assert all(value == safe(value) for value in found.values)


def _without_diffs(page: Elements) -> list[tuple[str, tuple[str, ...]]]:
    """A word diff has as many marks as the texts have words."""
    return [element for element in page.elements if element[0] not in ("ins", "del")]
