"""What a plan would make though it seems to exist on the service: asks for the project's models where it must."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.planning.decision import Create, Decision
from scenario_apply.planning.observed import Observed
from scenario_apply.planning.rule_inputs import Inputs


def similar_models(
    api: ScenarioApi | None, inputs: Inputs, decisions: Mapping[Address, Decision], observed: Observed
) -> tuple[Diagnostic, ...]:
    """Notes on them. A plan that creates asks once more, unless it listed the models."""
    from scenario_apply.planning.lookalikes import lookalikes  # start-up of a plan without changes was measured

    on_service = observed.own or observed.listed
    creates = any(isinstance(decision, Create) and decision.record is None for decision in decisions.values())
    if on_service is None and creates and observed.refreshed and api is not None:
        on_service = api.list_models().models
    return lookalikes(inputs, decisions, on_service or ())
