"""Parameters as reported -> as declared."""

from __future__ import annotations

from scenario_apply.model.training_types import TRAINING_TYPES
from scenario_apply.planning.exported_parameters import exported_parameters

FLUX = TRAINING_TYPES["flux.1-lora"]


def test_defaults_are_left_out_and_numbers_are_short() -> None:
    """Of what the service fills in by itself nothing is declared; single precision is no other number."""
    reported = {
        "learningRate": 9.999999747378752e-05,
        "learningRateTextEncoder": 1.9999999494757503e-05,
        "rank": 16.0,
        "batchSize": "2",
        "nbEpochs": 12.0,
        "maxTrainSteps": 800,
        "conceptPrompt": "",
        "samplePrompts": [],
    }
    found = exported_parameters(FLUX, reported, images=8)
    assert found == ({"batchSize": 2, "learningRateTextEncoder": 2e-05, "nbEpochs": 12}, ())
    assert exported_parameters(FLUX, {"maxTrainSteps": 800}, images=7).values == {"maxTrainSteps": 800}


def test_what_no_manifest_can_say_is_named() -> None:
    """Unknown names, values out of range or of another type, and secrets, which come back masked."""
    reported = {
        "internalThing": 1,
        "rank": 1000,
        "nbEpochs": "many",
        "wandbKey": "(secret)",
        "seed": True,
        "sampleSourceImages": ["a"],
    }
    found = exported_parameters(FLUX, reported, images=8)
    assert found.values == {}
    assert set(found.left_out) == set(reported)
