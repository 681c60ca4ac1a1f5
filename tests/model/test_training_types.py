from __future__ import annotations

import pytest

from scenario_apply.model.training_types import TRAINING_TYPES, composable, training_steps, training_type


def test_the_guides_say_how_each_type_is_polled() -> None:
    """A flux.1-lora by its job, everything else by the model."""
    assert [name for name, known in TRAINING_TYPES.items() if known.polled_by == "job"] == ["flux.1-lora"]


def test_each_composition_is_made_of_one_type() -> None:
    made_of = {name: composable(name) for name, known in TRAINING_TYPES.items() if known.is_composition}
    assert made_of == {"flux.1-composition": ("flux.1-lora",), "sd-xl-composition": ("sd-xl-lora",)}


def test_edit_types_and_kontext_take_pairs_whatever_their_name_ends_in() -> None:
    pairs = {name for name, known in TRAINING_TYPES.items() if known.dataset == "pairs"}
    assert pairs == {"flux.1-kontext-lora"} | {name for name in TRAINING_TYPES if "-edit-" in name}


def test_only_kontext_takes_single_images_too() -> None:
    assert [name for name, known in TRAINING_TYPES.items() if known.images_too] == ["flux.1-kontext-lora"]


def test_defaults_are_within_their_own_ranges() -> None:
    for known in TRAINING_TYPES.values():
        for name, rule in known.parameters.items():
            if isinstance(rule.default, int | float):
                assert rule.minimum is None or rule.default >= rule.minimum, (known.name, name)
                assert rule.maximum is None or rule.default <= rule.maximum, (known.name, name)


@pytest.mark.parametrize(
    ("name", "parameters", "images", "steps"),
    [
        ("flux.1-lora", {}, 12, 1200),
        ("flux.1-lora", {"maxTrainSteps": 750}, 12, 750),
        ("flux.1-lora", {"nbEpochs": 10, "nbRepeats": 20}, 12, 2400),
        ("flux.1-lora", {"nbEpochs": 10, "nbRepeats": 20, "batchSize": 4}, 12, 600),
        ("flux.1-lora", {"maxTrainSteps": 750, "nbEpochs": 10}, 12, 750),
        ("qwen-image-lora", {}, 12, 2400),
        ("qwen-image-lora", {"nbEpochs": 12, "batchSize": 1}, 12, 2880),
        ("qwen-image-lora", {"batchSize": 8, "nbEpochs": 1, "nbRepeats": 1}, 9, 2),
        ("qwen-image-edit-lora", {}, 2, 400),
        ("flux.1-kontext-lora", {}, 8, 800),
        ("sd-xl-lora", {}, 10, 1750),
        ("flux.1-composition", {}, 0, None),
        ("flux.9-lora", {"nbEpochs": 1}, 10, None),
    ],
)
def test_steps_of_a_training(name: str, parameters: dict[str, object], images: int, steps: int | None) -> None:
    assert training_steps(name, parameters, images) == steps


def test_an_unknown_type_is_taken_as_it_comes() -> None:
    unknown = training_type("flux.9-edit-lora")
    assert not unknown.known
    assert unknown.dataset == "pairs"
    assert training_type("flux.1-lora").known
