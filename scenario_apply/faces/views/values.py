"""Plain values and costs on one line."""

from __future__ import annotations

from scenario_apply.core.changes import Cost
from scenario_apply.faces.views.screen import amount


def cost_text(cost: Cost) -> str:
    """'230 CU quoted', '230 CU last time', '? CU'; empty when nothing is trained."""
    match cost.source:
        case "none":
            return ""
        case "unknown":
            return "? CU"
        case "quoted":
            return f"{amount(cost.cu or 0)} CU quoted"
        case "history":
            return f"{amount(cost.cu or 0)} CU last time"


def value_text(value: object) -> str:
    """A plain value on one line: maps as k=v, lists joined by commas, texts as they are."""
    if isinstance(value, dict):
        return ", ".join(f"{key}={value_text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(value_text(inner) for inner in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "(none)"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
