"""model/folder_names.py: names of folders that say how other trainers use them."""

from __future__ import annotations

import pytest

from scenario_apply.model.folder_names import repeats_of


@pytest.mark.parametrize(
    ("folder", "number"),
    [("10_kael man", 10), ("set/1_x", 1), ("01_front", None), ("10", None), ("2024_photos", None), ("10-kael", None)],
)
def test_a_number_of_repeats_has_one_to_three_digits_and_a_name(folder: str, number: int | None) -> None:
    """As sd-scripts has it; 01_front is an order, and 2024_photos a year."""
    assert repeats_of(folder) == number
