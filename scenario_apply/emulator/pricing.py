"""What a training costs: the emulator's own formula, deterministic, linear in epochs, of the size the guides show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scenario_apply.emulator.families import Family
from scenario_apply.emulator.messages import Json

_UNITS_PER_STEP = 0.05


def training_steps(family: Family, parameters: Mapping[str, Any], images: int) -> int:
    """How many steps a training takes; 0 for a composition, which only merges."""
    if family.dataset == "concepts":
        return 0
    merged = {**family.defaults, **parameters}
    if merged.get("maxTrainSteps"):
        return int(merged["maxTrainSteps"])
    if "nbEpochs" in merged or "nbRepeats" in merged:
        rounds = float(merged.get("nbEpochs", 10)) * float(merged.get("nbRepeats", 10))
        return math.ceil(images * rounds / float(merged.get("batchSize", 1)))
    return images * 100


def training_cost(family: Family, parameters: Mapping[str, Any], images: int) -> int:
    """Compute units of one training."""
    return min(100_000, family.base_cost + math.ceil(training_steps(family, parameters, images) * _UNITS_PER_STEP))


def cost_fields(cost: int) -> Json:
    """The three properties that carry a price, in a dry run as in a launch."""
    return {"creativeUnitsCost": cost, "creativeUnitsDiscount": 0, "costDetails": {"train-model": cost}}
