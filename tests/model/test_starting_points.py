"""Parameters to start with, by the number of images."""

from __future__ import annotations

import pytest

from scenario_apply.model.starting_points import StartingPoint, starting_point
from scenario_apply.model.training_types import TRAINING_TYPES, training_type


@pytest.mark.parametrize(
    ("images", "values"),
    [
        (5, (5e-5, 20, 30)),
        (10, (5e-5, 15, 20)),
        (11, (1e-4, 10, 20)),
        (25, (1e-4, 10, 15)),
        (26, (2e-4, 8, 15)),
        (50, (2e-4, 6, 10)),
    ],
)
def test_values_lie_within_the_row_for_the_number_of_images(images: int, values: tuple[float, int, int]) -> None:
    point = starting_point(training_type("flux.1-lora"), images)
    assert isinstance(point, StartingPoint)
    assert tuple(point.parameters.values()) == values


def test_every_suggestion_is_within_the_ranges_of_its_type() -> None:
    for kind in TRAINING_TYPES.values():
        for images in range(60):
            point = starting_point(kind, images)
            for name, value in point.parameters.items() if isinstance(point, StartingPoint) else ():
                rule = kind.parameters[name]
                assert rule.minimum is None or value >= rule.minimum, (kind.name, name)
                assert rule.maximum is None or value <= rule.maximum, (kind.name, name)


@pytest.mark.parametrize(
    ("type", "images", "why"),
    [
        ("flux.1-lora", 4, "covers 5 to 50 images"),
        ("flux.1-lora", 51, "covers 5 to 50 images"),
        ("sd-xl-lora", 10, "not counted in epochs"),
        ("flux.9-lora", 10, "not a known type"),
    ],
)
def test_where_the_table_says_nothing_the_reason_is_given(type: str, images: int, why: str) -> None:
    found = starting_point(training_type(type), images)
    assert isinstance(found, str)
    assert why in found
