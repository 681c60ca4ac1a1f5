"""manifest.written_numbers: what to write in place of a number that YAML reads as text."""

from __future__ import annotations

import pytest

from scenario_apply.manifest.written_numbers import number_hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1e\u22124", "\u2212 is U+2212, not a minus sign: write 1e-4"),
        ("1e\u20134", "\u2013 is U+2013, not a minus sign: write 1e-4"),
        ("0,0001", "write 0.0001 with a point"),
        ("1,5e-4", "write 1.5e-4 with a point"),
        ("5e -5", "write 5e-5 without blanks"),
        ("1e-\u00a04", "write 1e-4 without blanks"),
        ("1\u00d710\u207b\u2074", "write 1e-4"),
        ("1 x 10^-4", "write 1e-4"),
        ("10^-4", "write 1e-4"),
        ("2*10**-5", "write 2e-5"),
        ("\uff11\uff0e\uff15", "write 1.5 in plain digits"),
        ("1/10000", "write 0.0001"),
        ("5%", "write 0.05"),
        ("auto", None),
        ("fast", None),
        ("1.2.3", None),
        ("x" * 100_000, None),
    ],
)
def test_the_hint_is_the_number_that_was_meant(text: str, hint: str | None) -> None:
    assert number_hint(text, whole=False, quoted=False) == hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2,000", "write 2000 without marks"),
        ("2.000", "write 2000 without marks"),
        ("2.000.000", "write 2000000 without marks"),
        ("2'000", "write 2000 without marks"),
        ("2_000", "write 2000 without marks"),
        ("2 000", "write 2000 without blanks"),
        ("2\u202f000", "write 2000 without blanks"),
        ("2k", "write 2000"),
        ("1.5k", "write 1500"),
        ("2000 steps", "write 2000 without a unit"),
        ("10%", "write 10 without a unit"),
    ],
)
def test_marks_between_thousands_are_left_out(text: str, hint: str) -> None:
    assert number_hint(text, whole=True, quoted=False) == hint


def test_quotes_are_mentioned_where_there_are_some() -> None:
    assert number_hint("1e-4", whole=False, quoted=True) == "write 1e-4 without quotes"
