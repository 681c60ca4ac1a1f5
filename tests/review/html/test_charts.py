"""review/html/charts.py: plots as geometry, each with a table that says the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario_apply.review.html.charts import Numbers, bars, heat_map, histogram, points


def test_bars_are_as_long_as_their_values_say() -> None:
    chart = bars("k", "t", "s", [("a", 40, "40 CU"), ("b", 10, "10 CU"), ("c", 0, "nothing")], head=("x", "y"))
    assert [round(mark.width / chart.marks[0].width, 2) for mark in chart.marks] == [1, 0.25, 0]
    assert chart.numbers.rows == (("a", "40 CU"), ("b", "10 CU"), ("c", "nothing"))


def test_a_bar_of_little_is_still_seen() -> None:
    assert bars("k", "t", "s", [("a", 1e6, ""), ("b", 1, "")], head=("x", "y")).marks[1].width == 1


def test_a_histogram_has_a_column_for_each_range() -> None:
    chart = histogram("k", "t", "s", [3, 4, 4, 12], unit="words", step=5)
    assert chart.numbers.rows == (("0 to 4 words", "3"), ("5 to 9 words", "0"), ("10 to 14 words", "1"))
    assert [mark.height > 0 for mark in chart.marks] == [True, False, True]


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=60))
def test_a_histogram_counts_every_value_once_in_few_columns(values: list[int]) -> None:
    chart = histogram("k", "t", "s", values, unit="words")
    assert sum(int(row[1].replace(",", "")) for row in chart.numbers.rows) == len(values)
    assert 1 <= len(chart.marks) <= 13
    assert all(0 <= mark.x <= chart.width and mark.y >= 0 and mark.height >= 0 for mark in chart.marks)


@given(st.dictionaries(st.tuples(st.integers(1, 100_000), st.integers(1, 100_000)), st.integers(1, 500), max_size=40))
def test_points_lie_within_their_axes(counts: dict[tuple[int, int], int]) -> None:
    chart = points("k", "t", "s", counts, head=("x", "y"), noun="pictures")
    assert len(chart.marks) == len(counts)
    assert all(chart.left <= mark.x <= chart.width and 0 <= mark.y <= chart.bottom for mark in chart.marks)
    assert len(chart.up) <= 6


def test_a_table_says_how_many_rows_it_leaves_out() -> None:
    chart = points("k", "t", "s", {(n, n): 1 for n in range(1, 101)}, head=("x", "y"), noun="pictures")
    assert len(chart.numbers.rows) + chart.numbers.left_out == 100


@pytest.mark.parametrize(("value", "level"), [(0.1, None), (0.3, 0), (0.75, 2), (1.0, 4)])
def test_a_cell_of_a_heat_map_is_darker_the_larger_it_is(value: float, level: int | None) -> None:
    chart = heat_map("k", "t", "s", [(), (value,)], Numbers((), ()))
    assert [bool(shade) for shade in chart.shades] == [level == number for number in range(5)]
