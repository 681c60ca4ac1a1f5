"""The marker spans the value that is wrong, whatever the width."""

from __future__ import annotations

import pytest

from scenario_apply.review.screen import columns
from scenario_apply.review.source_line import excerpt, marked_length


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("      - { model: knigth, scale: 0.8 }", "knigth"),
        ("name: Kael, the ranger  # a comment", "Kael, the ranger"),
        ("name: a#b", "a#b"),
        ("images: ./many", "./many"),
        ("url: http://x/y", "http://x/y"),
        ("nbEpochs: 12   ", "nbEpochs"),
        ("kael:", "kael"),
        ('name: "a, b: } # c" # d', '"a, b: } # c"'),
        (r'name: "a \" b" # d', r'"a \" b"'),
        ("name: 'it''s, so' # d", "'it''s, so'"),
        ('name: "goes on', '"goes on'),
        ("tags: [a, 'b]', {c: d}] # e", "[a, 'b]', {c: d}]"),
        ("dataset: { images: ./a", "{ images: ./a"),
        ("sizes: [1, 22]", "22"),
        ("it's: { a: b, c: d }", "b"),
    ],
)
def test_the_marker_spans_the_value(line: str, value: str) -> None:
    assert line[line.index(value) :][: marked_length(line, line.index(value))] == value


def test_the_end_of_a_line_is_marked_with_one_character() -> None:
    assert marked_length("name: ", 6) == 1
    assert marked_length("", 0) == 1


def test_a_line_that_fits_keeps_its_indentation() -> None:
    assert excerpt("    a: bcd\n", 7, 40) == ("    a: bcd", 7, 3)


@pytest.mark.parametrize("width", [30, 57, 77])
@pytest.mark.parametrize("start", [0, 40, 500, 995])
def test_a_long_line_is_cut_around_the_marker(start: int, width: int) -> None:
    line = "x" * start + " 名前 " + "y" * 500
    text, column, length = excerpt(line, start + 1, width)
    assert columns(text) <= width
    assert text[column if start < width - 10 else -1 :] or text.endswith("…")
    assert column + length <= width
    assert "名前" in text


def test_a_value_longer_than_the_line_is_marked_as_far_as_it_is_shown() -> None:
    text, column, length = excerpt("a: " + "b" * 200, 3, 40)
    assert columns(text) <= 40
    assert column + length <= 40
    assert text[column] == "b"
