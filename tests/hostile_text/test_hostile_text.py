"""A text of somebody else changes nothing but itself, in the document of any writer."""

from __future__ import annotations

from functools import cache

import pytest

from scenario_apply.review.markdown.fitting import length_of
from scenario_apply.review.markdown.plan_markdown import LONGEST, MarkdownOptions, plan_markdown
from scenario_apply.review.printable import is_harmless
from scenario_apply.review.screen import safe
from tests.hostile_text.plans import view_with
from tests.hostile_text.strings import HARMLESS, HOSTILE
from tests.hostile_text.writers import WRITERS, Writer, squeezed


def test_there_are_many_hostile_texts_and_all_five_writers() -> None:
    assert len(HOSTILE) >= 40
    assert {writer.name.split()[0] for writer in WRITERS} == {"terminal", "json", "markdown", "html", "github"}


@cache
def _expected(writer: Writer) -> object:
    return writer.structure(writer.document(HARMLESS), HARMLESS)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_changes_nothing_but_itself(text: str) -> None:
    """Each document has the structure that it has with a harmless text, and the text is in it, spelled out."""
    for writer in WRITERS:
        document = writer.document(text)
        assert writer.structure(document, text) == _expected(writer), writer.name
        assert squeezed(safe(text)) in squeezed(writer.texts(document)), writer.name
        document.encode("utf-8")
        assert is_harmless(document.replace("\t", " ").replace("\n", " ")), writer.name


@pytest.mark.parametrize("name", ["details", "backticks", "bar", "combining"])
def test_no_text_makes_a_comment_longer_than_its_host_takes(name: str) -> None:
    shown = plan_markdown(view_with(HOSTILE[name] * 400), MarkdownOptions())
    assert length_of(shown) <= LONGEST["github"]
    assert shown.count("\n<details") == shown.count("\n</details>")
