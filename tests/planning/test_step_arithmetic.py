"""The sum of steps, and where its numbers come from."""

from __future__ import annotations

import pytest

from scenario_apply.errors import Location
from scenario_apply.manifest.spec import CompositionSpec, ModelSpec
from scenario_apply.model.address import parse_address
from scenario_apply.planning.step_arithmetic import StepSource, step_arithmetic

PLACE = Location(file="scenario.yaml", line=1)


def model(type: str, *inherited: str, **parameters: int) -> ModelSpec:
    return ModelSpec(
        address=parse_address("model.kael"),
        name="kael",
        type=type,
        dataset="kael",
        parameters=parameters,
        inherited=frozenset(inherited),
        place=PLACE,
    )


@pytest.mark.parametrize(
    ("spec", "text", "sources"),
    [
        (
            model("flux.2-dev-lora", "nbEpochs", nbEpochs=12),
            "12 images x 20 repeats x 12 epochs / batch 1 = 2880 steps",
            {"nbRepeats": "type", "nbEpochs": "defaults", "batchSize": "type"},
        ),
        (
            model("flux.1-lora", nbEpochs=10, nbRepeats=20, batchSize=4),
            "12 images x 20 repeats x 10 epochs / batch 4 = 600 steps",
            {"nbRepeats": "model", "nbEpochs": "model", "batchSize": "model"},
        ),
        (
            model("flux.1-lora", nbEpochs=10),
            "12 images x 1 repeat x 10 epochs = 120 steps",
            {"nbRepeats": "assumed", "nbEpochs": "model"},
        ),
        (
            model("flux.1-lora", "nbEpochs", nbEpochs=10, maxTrainSteps=750),
            "750 steps",
            {"maxTrainSteps": "model", "nbEpochs": "unused"},
        ),
        (model("sd-xl-lora"), "12 images x 175 = 2100 steps (175 a picture by default)", {"maxTrainSteps": "type"}),
    ],
)
def test_the_sum_says_where_each_of_its_numbers_comes_from(
    spec: ModelSpec, text: str, sources: dict[str, StepSource]
) -> None:
    found = step_arithmetic(spec, 12, 0)
    assert found is not None
    assert (found.text, found.sources) == (text, sources)


def test_pairs_are_counted_and_not_the_images_of_both_sides() -> None:
    found = step_arithmetic(model("qwen-image-edit-lora"), 24, 12)
    assert found is not None
    assert found.text == "12 pairs x 20 repeats x 10 epochs / batch 1 = 2400 steps"
    assert found.steps == 2400


def test_kontext_counts_single_images_where_it_has_no_pairs() -> None:
    found = step_arithmetic(model("flux.1-kontext-lora", nbEpochs=2, nbRepeats=1), 1, 0)
    assert found is not None
    assert found.text == "1 image x 1 repeat x 2 epochs = 2 steps"


def test_no_sum_for_a_composition_or_a_type_that_may_count_in_any_way() -> None:
    composition = CompositionSpec(
        address=parse_address("composition.a"), name="a", type="flux.1-composition", concepts=(), place=PLACE
    )
    assert step_arithmetic(composition, 0, 0) is None
    assert step_arithmetic(model("flux.9-lora", nbEpochs=3), 12, 0) is None
