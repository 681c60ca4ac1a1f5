"""How long trainings take, by those that the state records. Pure."""

from __future__ import annotations

from scenario_apply.model.timestamps import from_iso
from scenario_apply.state.state import State


def expected_seconds(state: State, type: str) -> float | None:
    """The mean of past trainings of that type that ended well; None where there was none."""
    taken = []
    for record in state.records.values():
        for version in record.versions():
            started, ended = from_iso(version.launched_at or ""), from_iso(version.ended_at or "")
            if version.type == type and version.is_usable and started is not None and ended is not None:
                taken.append(ended - started)
    return sum(taken) / len(taken) if taken else None
