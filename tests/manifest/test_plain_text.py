"""manifest.yaml.plain_text: what YAML does to text without quotes."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.yaml.plain_text import cut_message, is_curly_quoted, lost_at_hash, places_of_lost_text


@pytest.mark.parametrize("text", ["“KAEL_07”", "”KAEL_07”", "„KAEL“", "«KAEL»", "‘the fox’s den’"])
def test_a_text_in_typographic_quotes_is_recognised(text: str) -> None:
    assert is_curly_quoted(text)


@pytest.mark.parametrize("text", ["", "“", "“yes” and “no”", "“Hello,” said the fox", "the fox’s den’", "’tis’"])
def test_quotes_inside_a_text_are_left_alone(text: str) -> None:
    assert not is_curly_quoted(text)


@pytest.mark.parametrize(
    ("rest", "lost"),
    [
        (" #7 of the line\nb: x", "#7 of the line"),
        ("\t#sunset", "#sunset"),
        (" # 7 of them", "# 7 of them"),
        (" # a comment", None),
        (" ## old", None),
        (" #!x", None),
        ("#7", None),
        ("\n #7", None),
        ("", None),
    ],
)
def test_a_comment_that_looks_like_text_is_lost_text(rest: str, lost: str | None) -> None:
    source = "é: robot" + rest
    assert lost_at_hash(source, 8) == lost
    assert places_of_lost_text(source).get(8) == lost


def test_the_message_shows_where_the_text_is_cut() -> None:
    assert cut_message("#7 of the line") == "cut at #7, where YAML begins a comment"
    assert cut_message("# 7") == "cut at # 7, where YAML begins a comment"


def test_a_megabyte_of_blanks_is_searched_once() -> None:
    assert places_of_lost_text(" " * 1_000_000 + "#") == {}
