"""Models that were created a moment ago, perhaps by a run that was killed, and that the service does not show yet."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.errors import NotFound
from scenario_apply.model.ports import Clock, ScenarioApi
from scenario_apply.model.remote import ModelId, RemoteModel
from scenario_apply.model.timestamps import from_iso
from scenario_apply.planning.observed import SHOWN_LATE_S
from scenario_apply.state.state import State, Version

PAUSES_S = (0.0, 1.0, 2.0, 4.0)
"""Pauses before each read of such a model."""


def late_models(
    api: ScenarioApi, clock: Clock, state: State, models: Mapping[ModelId, RemoteModel]
) -> dict[ModelId, RemoteModel]:
    """Those of the recorded models that are new, not among models, and shown after all. The others are deleted."""
    missing = [
        version.id
        for record in state.records.values()
        for version in (record.current, record.pending)
        if version is not None and version.id not in models and _is_new(version, clock.now())
    ]
    found: dict[ModelId, RemoteModel] = {}
    for pause_s in PAUSES_S if missing else ():
        clock.wait(pause_s)
        for model_id in [one for one in missing if one not in found]:
            try:
                found[model_id] = api.get_model(model_id)
            except NotFound:
                continue
        if len(found) == len(missing):
            break
    return found


def _is_new(version: Version, now: float) -> bool:
    created_at = None if version.created_at is None else from_iso(version.created_at)
    return created_at is not None and now - created_at <= SHOWN_LATE_S
