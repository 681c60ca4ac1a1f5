"""How many steps a training takes, as a sum that can be checked, and where each of its numbers comes from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from scenario_apply.manifest.spec import CompositionSpec, ModelSpec
from scenario_apply.model.training_types import TrainingType, training_steps, training_type

StepSource = Literal["model", "defaults", "type", "assumed", "unused"]
"""Where a number comes from.

model: the model's parameters, its matrix, or the model it extends. defaults: defaults.models. type: the documented
default of the training type. assumed: not set, and the type has no documented default: counted as 1. unused: set, but
maxTrainSteps decides; the service does not document that, see training_steps.
"""

_FACTORS = {"nbRepeats": "repeat", "nbEpochs": "epoch"}


class StepArithmetic(Struct, frozen=True, kw_only=True):
    """text: such as "12 images x 20 repeats x 12 epochs / batch 1 = 2880 steps". sources: by parameter."""

    text: str
    steps: int
    sources: Mapping[str, StepSource] = field(default_factory=dict)


def step_arithmetic(spec: ModelSpec | CompositionSpec, images: int, pairs: int) -> StepArithmetic | None:
    """The steps over so many images, or pairs if there are any; None where they are not known: compositions are not
    trained on images, and a type that this release does not know may count in any way."""
    kind = training_type(spec.type)
    if not isinstance(spec, ModelSpec) or kind.is_composition:
        return None
    count = pairs or images
    steps = training_steps(kind, spec.parameters, count)
    if steps is None:
        return None
    if spec.parameters.get("maxTrainSteps"):
        unused = [name for name in _FACTORS if name in spec.parameters]
        sources: dict[str, StepSource] = {"maxTrainSteps": _source("maxTrainSteps", spec)}
        return StepArithmetic(text=f"{steps} steps", steps=steps, sources=sources | dict.fromkeys(unused, "unused"))
    counted = _counted(count, "pair" if pairs else "image")
    values = {name: _value(name, spec, kind) for name in (*_FACTORS, "batchSize")}
    if all(values[name] is None for name in _FACTORS):
        each = kind.steps_per_image
        text = f"{counted} x {each} = {steps} steps ({each} a picture by default)"
        return StepArithmetic(text=text, steps=steps, sources={"maxTrainSteps": "type"})
    factors = [_counted(1 if values[name] is None else values[name], word) for name, word in _FACTORS.items()]
    batch = values["batchSize"]
    divisor = "" if batch is None else f" / batch {_number(batch)}"
    named = [name for name in values if name in _FACTORS or values[name] is not None]
    return StepArithmetic(
        text=f"{' x '.join([counted, *factors])}{divisor} = {steps} steps",
        steps=steps,
        sources={name: "assumed" if values[name] is None else _source(name, spec) for name in named},
    )


def _value(name: str, spec: ModelSpec, kind: TrainingType) -> object:
    """The number that counts, declared or by default of the type; None where there is neither."""
    rule = kind.parameters.get(name)
    return spec.parameters.get(name, rule.default if rule is not None else None)


def _source(name: str, spec: ModelSpec) -> StepSource:
    if name not in spec.parameters:
        return "type"
    return "defaults" if name in spec.inherited else "model"


def _counted(count: object, word: str) -> str:
    return f"{_number(count)} {word}{'' if count == 1 else 's'}"


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
