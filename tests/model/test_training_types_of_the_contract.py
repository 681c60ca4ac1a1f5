"""The client's table of training types says what x-scenario.families of the contract says."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_apply.model.training_types import SCALE_BOUNDS, TRAINING_TYPES, ParameterRule, composable
from tests.contract.openapi import contract

FAMILIES: dict[str, dict[str, Any]] = contract()["x-scenario"]["families"]
OF_EVERY_TYPE = {"wandbKey", "seed"}
"""Parameters that the contract lists once, beside the families."""


def bounds(rule: ParameterRule) -> dict[str, Any]:
    """A rule in the contract's own short form; bounds it does not have are left out."""
    least = "exclusiveMin" if rule.exclusive else "min"
    told = {
        least: rule.minimum,
        "max": rule.maximum,
        "default": rule.default,
        "enum": list(rule.choices) or None,
        "maxItems": rule.max_items,
        "maxLength": rule.max_length,
        "sameLengthAs": rule.same_length_as,
    }
    return {key: value for key, value in told.items() if value is not None}


@pytest.mark.parametrize("family", FAMILIES)
def test_types_and_shapes_of_datasets(family: str) -> None:
    told = FAMILIES[family]
    for name in told["types"]:
        known = TRAINING_TYPES[name]
        assert known.dataset == told["dataset"], name
        assert known.images_too == (told.get("imagesToo") == "warn"), name
        assert known.legacy == told.get("x-legacy", False), name
        if "conceptTypes" in told:
            assert list(composable(name)) == told["conceptTypes"]
            assert (told["scale"]["min"], told["scale"]["max"]) == SCALE_BOUNDS


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "sdxlLegacy"])
def test_parameters_and_their_bounds(family: str) -> None:
    """Neither a parameter nor a bound more or less than the contract gives; of legacy ones it gives no bounds."""
    told = FAMILIES[family]
    for name in told["types"]:
        rules = {parameter: rule for parameter, rule in TRAINING_TYPES[name].parameters.items() if not rule.deprecated}
        assert rules.keys() - OF_EVERY_TYPE == told["parameters"].keys() - OF_EVERY_TYPE, name
        for parameter in rules.keys() - OF_EVERY_TYPE:
            wanted = dict(told["parameters"][parameter])
            if wanted.get("default") == "images*100":
                del wanted["default"]
                assert TRAINING_TYPES[name].steps_per_image == 100
            assert bounds(rules[parameter]) == wanted, (name, parameter)
