"""Steps ⇄ plain values, for plans. A secret is masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from scenario_apply.model import codec
from scenario_apply.model.steps import PlannedStep, Step, StepId


class StepHead(Struct, frozen=True):
    """What a plan says of a step besides the step itself."""

    id: StepId
    after: tuple[StepId, ...]


def step_to_json(planned: PlannedStep) -> dict[str, object]:
    """One step: id, kind, address, after, and what its kind needs."""
    step: dict[str, object] = codec.plain(planned.step)
    head = {"id": planned.id, "kind": step["kind"], "address": step["address"], "after": list(planned.after)}
    return head | step


def step_from_json(plain: Mapping[str, object], at: str = "") -> PlannedStep:
    """The step that plain values describe; at: their path, for errors. Raises Misfit when they describe none."""
    head = codec.fitted(plain, StepHead, at)
    step: Step = codec.fitted(plain, Step, at)
    return PlannedStep(id=head.id, step=step, after=head.after)


def plain_value(value: object) -> Any:
    """Structs and addresses as plain values; a secret masked."""
    match value:
        case Mapping():
            return {str(key): plain_value(item) for key, item in value.items()}
        case list() | tuple():
            return [plain_value(item) for item in value]
        case _:
            return codec.plain(value)
