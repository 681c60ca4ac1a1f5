"""review.markdown.fitting: every part at some level, none cut, never longer than the room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from scenario_apply.review.markdown.fitting import Lines, Part, fitted, length_of


def part(*levels: Sequence[str]) -> Part:
    def shown(lines: Sequence[str]) -> Lines:
        return lambda: lines

    return Part([shown(lines) for lines in levels])


def test_what_fits_is_shown_at_its_richest() -> None:
    (one,) = fitted([part(["all", "of it"], ["some"])], 100)
    assert (one.text, one.level) == ("all\nof it\n\n", 0)


def test_every_part_has_its_poorest_level_before_one_gets_a_richer_one() -> None:
    two = part(["x" * 50], ["a"])
    assert [one.level for one in fitted([two, two, two], 60)] == [0, 1, 1]
    assert [one.level for one in fitted([two, two, two], 7)] == [1, 1, 2]


def test_a_line_that_does_not_fit_ends_the_making_of_a_part() -> None:
    made: list[int] = []

    def lines() -> Iterator[str]:
        for number in range(1000):
            made.append(number)
            yield "ten letters"

    assert fitted([Part([lines])], 100)[0].text == ""
    assert len(made) < 12


def test_characters_beyond_the_first_plane_count_twice() -> None:
    assert (length_of("abc"), length_of("ä"), length_of("😀")) == (3, 1, 2)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.lists(st.text("ab😀", max_size=9), max_size=3), min_size=1, max_size=3), max_size=5),
    st.integers(0, 80),
)
def test_the_room_is_kept_and_each_text_is_one_of_its_levels(parts: list[list[list[str]]], room: int) -> None:
    found = fitted([part(*levels) for levels in parts], room)
    assert sum(length_of(one.text) for one in found) <= room
    for one, levels in zip(found, parts, strict=True):
        expected: Iterable[str] = [*("".join(f"{line}\n" for line in [*lines, ""]) for lines in levels), ""]
        assert one.text == [*expected][one.level]
