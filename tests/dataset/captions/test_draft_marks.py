"""The line that marks a draft is reported and never sent."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.draft_marks import DRAFT_MARK, without_draft_mark
from scenario_apply.dataset.captions.tables import caption_in_file


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_draft_is_its_text_and_a_warning(end: str) -> None:
    caption, findings = caption_in_file(f"{DRAFT_MARK}{end}a fox{end}", file="01.txt")
    assert (caption or "").strip() == "a fox"
    assert [(finding.code, finding.file) for finding in findings] == [("C40", "01.txt")]


@pytest.mark.parametrize("text", ["a fox", "# 1 fox", "a fox\n# draft: later", "a draft: fox"])
def test_any_other_text_is_no_draft(text: str) -> None:
    assert without_draft_mark(text, file="01.txt") == (text, [])


def test_a_mark_alone_is_an_empty_caption() -> None:
    assert without_draft_mark(DRAFT_MARK, file="01.txt")[0] == ""
