"""Plain values and costs on one line."""

from __future__ import annotations

from scenario_apply.model.amounts import amount
from scenario_apply.planning.changes import Cost, UnknownCost


def cost_text(cost: Cost) -> str:
    """'230 CU quoted', 'about 86 CU' for an estimate, 'cost unknown'; empty when nothing is paid for."""
    match cost.source:
        case "none":
            return ""
        case "unknown":
            return "cost unknown"
        case "quoted":
            return f"{amount(cost.cu or 0)} CU quoted"
        case "history" | "estimate":
            return about(cost.cu or 0)


ESTIMATED_HOW = {"history": "from past trainings", "estimate": "by steps from other quotes"}
"""How costs of that source are estimated, all together."""

UNKNOWN_WHY: dict[UnknownCost, str] = {
    "no-model": "no model of this type exists yet",
    "parts": "a composition is priced at its launch, once its parts are trained",
    "not-asked": "the plan was made without Scenario",
    "refused": "Scenario gives no price for it",
    "failed": "Scenario could not be asked for the price",
    "no-reference": "no picture is uploaded yet that a price could be asked with",
}


def cost_basis_text(cost: Cost) -> str:
    """What an estimate is based on, or why a cost is unknown: 'estimated from a training of 2026-11-02'; else empty."""
    match cost.source:
        case "history":
            return "estimated from past trainings" + (f", the last one of {cost.basis}" if cost.basis else "")
        case "estimate":
            return f"estimated by steps from the quote of {cost.basis}"
        case "unknown":
            return UNKNOWN_WHY[cost.why or "no-model"]
        case _:
            return ""


def about(cu: float) -> str:
    """'about 86 CU': an estimate, without a fraction from 10 on."""
    return f"about {amount(round(cu) if cu >= 10 else cu)} CU"


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
        return number_text(value)
    return str(value)


def number_text(value: float) -> str:
    """As short as it can be without being another number: 0.0001, and 9.999999747378752e-05 in full."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def change_text(old: object, new: object, none: str) -> str:
    """'10 -> 12': never the same text twice, also where only the kind differs. none: what None reads as."""
    before, after = (none if value is None else value_text(value) for value in (old, new))
    return f"{before} -> {after}" if before != after else f"{old!r} -> {new!r}"
