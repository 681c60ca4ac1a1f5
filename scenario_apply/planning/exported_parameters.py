"""Training parameters as the service reports them -> those that a manifest declares. Pure.

The service's defaults are left out: a manifest says what was chosen. What a manifest cannot hold is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scenario_apply.model.kept_text import is_same_value
from scenario_apply.model.training_types import ParameterRule, TrainingType
from scenario_apply.state.fingerprint import plain_parameter

_SHORT = 7
"""Digits that a number in single precision has."""


class ExportedParameters(NamedTuple):
    """left_out: what no manifest may say of this type, and secrets, which the service does not give back."""

    values: Mapping[str, object]
    left_out: tuple[str, ...]


def exported_parameters(training: TrainingType, reported: Mapping[str, object], images: int) -> ExportedParameters:
    """images: how many the model has: maxTrainSteps has a default for each of them."""
    values: dict[str, object] = {}
    left_out: list[str] = []
    for name, shown in sorted(reported.items()):
        rule = training.parameters.get(name)
        value = short_number(plain_parameter(_number(shown) if rule is not None and _is_count(rule) else shown))
        if rule is None or rule.secret or not _fits(rule, value):
            left_out.append(name)
        elif not _is_default(training, rule, name, value, images):
            values[name] = value
    prompts, sources = values.get("samplePrompts"), values.get("sampleSourceImages")
    if sources is not None and (not isinstance(prompts, list) or len(prompts) != len(_list(sources))):
        del values["sampleSourceImages"]
        left_out.append("sampleSourceImages")
    return ExportedParameters(values, tuple(left_out))


def short_number(value: object) -> object:
    """0.0001 for the 9.999999747378752e-05 of a service that keeps numbers in single precision."""
    if not isinstance(value, float):
        return value
    short = float(f"{value:.{_SHORT}g}")
    return plain_parameter(short if is_same_value(short, value) else value)


def _is_count(rule: ParameterRule) -> bool:
    return rule.kind in ("number", "integer")


def _number(shown: object) -> object:
    """A number that the service writes as text."""
    try:
        return float(shown) if isinstance(shown, str) else shown
    except ValueError:
        return shown


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _is_default(training: TrainingType, rule: ParameterRule, name: str, value: object, images: int) -> bool:
    if name == "maxTrainSteps" and training.steps_per_image is not None:
        return value == images * training.steps_per_image
    if value in ("", []):
        return True
    return rule.default is not None and is_same_value(rule.default, value)


def _fits(rule: ParameterRule, value: object) -> bool:
    """Whether a manifest may give the parameter that value."""
    match rule.kind:
        case "boolean":
            return isinstance(value, bool)
        case "string":
            is_text = isinstance(value, str) and (rule.max_length is None or len(value) <= rule.max_length)
            return is_text and (not rule.choices or value in rule.choices)
        case "strings":
            is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
            return is_list and (rule.max_items is None or len(_list(value)) <= rule.max_items)
    if isinstance(value, bool) or not isinstance(value, int if rule.kind == "integer" else int | float):
        return False
    is_over = rule.minimum is None or (value > rule.minimum if rule.exclusive else value >= rule.minimum)
    return is_over and (rule.maximum is None or value <= rule.maximum)
