"""Texts made safe, measured and cut by columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.review.screen import Screen, columns, duration, fit, fit_path, pad, safe, wrap
from scenario_apply.review.word_diff import drawn_diff, word_diff


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("\ud800", "\\ud800"),
        ("a\xa0b", "a b"),
        ("👩\u200d🎨", "👩\u200d🎨"),
    ],
)
def test_nothing_a_terminal_would_act_upon_is_left(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(st.text())
def test_safe_text_holds_no_control_character(text: str) -> None:
    assert all(c.isprintable() or c in "\u200c\u200d\u3000" for c in safe(text))


@given(st.text(), st.integers(2, 30))
def test_fit_never_exceeds_the_width(text: str, width: int) -> None:
    text = safe(text)
    assert columns(fit(text, width)) <= width
    assert columns(fit_path(text, width)) <= width
    assert columns(pad(fit(text, width), width)) == width
    assert all(columns(line) <= width for line in wrap(text, width))


def test_wide_letters_take_two_columns() -> None:
    assert columns("青い ab") == 7
    assert fit("青い空", 4) == "青…"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (128, "2 min 8 s"), (180, "3 min"), (7200, "2 h"), (4800 + 3600, "2 h 20 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("before", "after", "drawn"),
    [
        ("red cape", "red cloak", '"red [-cape-] {+cloak+}"'),
        ("a big cat", "a cat", '"a [-big-] cat"'),
        ("a cat", "a big cat", '"a {+big+} cat"'),
        ("one two three", "uno dos three", '"[-one two-] {+uno dos+} three"'),
        ("x, y", "x; y", '"x[-,-] {+;+} y"'),
        ("赤いマント", "青いマント", '"[-赤-] {+青+}いマント"'),
        ("", "new words", '"{+new words+}"'),
        ("same", "same", '"same"'),
    ],
)
def test_word_diff(before: str, after: str, drawn: str) -> None:
    assert drawn_diff(before, after, 70, Screen()) == [drawn]


@given(st.text(alphabet="ab ,.青", max_size=60), st.text(alphabet="ab ,.青", max_size=60))
def test_a_word_diff_holds_both_texts_whole(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(piece.same + piece.gone for piece in pieces) == before
    assert "".join(piece.same + piece.new for piece in pieces) == after


@given(st.text(max_size=200), st.text(max_size=200), st.integers(20, 60))
def test_a_drawn_diff_keeps_to_its_width(before: str, after: str, width: int) -> None:
    for line in drawn_diff(before, after, width, Screen()):
        assert columns(line) <= width
