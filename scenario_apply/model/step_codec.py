"""Steps and other values of a plan as plain values. A secret is masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from scenario_apply.model import codec
from scenario_apply.model.steps import PlannedStep


def step_to_json(planned: PlannedStep) -> dict[str, object]:
    """One step: id, kind, address, after, and what its kind needs."""
    step: dict[str, object] = codec.plain(planned.step)
    head = {"id": planned.id, "kind": step["kind"], "address": step["address"], "after": list(planned.after)}
    return head | step


def plain_value(value: object) -> Any:
    """Dataclasses, structs and addresses as plain values; a secret masked."""
    match value:
        case Mapping():
            return {str(key): plain_value(item) for key, item in value.items()}
        case list() | tuple():
            return [plain_value(item) for item in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain_value(getattr(value, field.name)) for field in fields(value)}
        case _:
            return codec.plain(value)
