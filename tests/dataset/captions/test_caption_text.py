"""dataset.captions.caption_text: a caption as found -> one line."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.caption_text import caption_line
from scenario_apply.dataset.captions.matching import Raw


def line_of(text: str, lines: str = "join") -> tuple[str, list[str]]:
    """The caption, and the codes of what was found."""
    line = caption_line(Raw(text, "01.txt"), lines)
    return line.text, [finding.code for finding in line.findings]


@pytest.mark.parametrize(
    ("text", "lines", "sent"),
    [
        ("1girl\nsolo\nlong hair\n", "join", "1girl, solo, long hair"),
        ("1girl,\r\nsolo,\r\n\r\nlong hair,", "join", "1girl, solo, long hair"),
        ("1girl\nsolo\na\ntin robot walking in tall grass", "join", "1girl, solo, a, tin robot walking in tall grass"),
        ("a tin robot walking through\ntall grass", "join", "a tin robot walking through tall grass"),
        ("A fox.\nIt runs.\nIt is red.", "join", "A fox. It runs. It is red."),
        ("1girl\nsolo", "space", "1girl solo"),
        ("a tin robot walking\nin tall grass at noon", "comma", "a tin robot walking, in tall grass at noon"),
        ("1girl\nsolo", "first", "1girl"),
    ],
)  # fmt: skip
def test_lines_are_joined_with_commas_when_they_are_tags(text: str, lines: str, sent: str) -> None:
    assert line_of(text, lines) == (sent, [])


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a robot\x0bin tall\x0c grass", "a robot in tall grass"),
        ("a bottle\u2028on the sill", "a bottle on the sill"),
        ("boats\x07 on a pond", "boats on a pond"),
        ("a bicycle \x1b[31mby a\x1b[0m wall", "a bicycle by a wall"),
        ("a cat\x85in a box\x1a", "a cat in a box"),
        ("KAEL\u200b_07, a so\u00adfa", "KAEL_07, a sofa"),
        ("a fox\ufeff in snow", "a fox in snow"),
    ],
)
def test_characters_that_nobody_sees_are_not_sent_and_reported(text: str, sent: str) -> None:
    assert line_of(text) == (sent, ["C20"])


@pytest.mark.parametrize(
    "text",
    ["a café, the cat’s hat", "ช้าง\u200bในป่า", "a family 👨\u200d👩\u200d👧", "می\u200cخواهم", "a\u00a0fox",
     "[trigger] rides", "{a|b}", "[1, 2, 3] on a board", "{trigger}", "['n' roll"],
)  # fmt: skip
def test_other_text_is_sent_as_it_is(text: str) -> None:
    assert line_of(text) == (text, [])


@pytest.mark.parametrize("text", ["", " \n ", "\u200b", "\ufeff\ufeff", ",", "...", "\u2060 \u00ad", "-\n-", "“ ”"])
def test_a_caption_without_a_letter_or_digit_is_empty(text: str) -> None:
    assert line_of(text)[0] == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"caption": "a fox"}',
        '{\n "caption": "a fox",\n "tags": []\n}',
        '["fox", "red"]',
        "{'caption': 'a fox'}",
        "['fox', 'red']",
    ],
)
def test_json_is_no_caption(text: str) -> None:
    assert line_of(text)[1] == ["C18"]
