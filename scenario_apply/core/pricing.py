"""What a plan costs: quoted by the service, else from the state's own history, else unknown; never 0 for unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scenario_apply.core.address import Address
from scenario_apply.core.changes import Change, Cost
from scenario_apply.core.state import State
from scenario_apply.core.verdict import Verdict

SAME_SIZE = 0.25
"""Two datasets are of a size when their image counts differ by at most this share."""


def needs_quote(verdict: Verdict) -> bool:
    """Whether the service can be asked: something is trained, and the resource has a model of that type there."""
    if not verdict.train or verdict.spec is None or verdict.record is None or verdict.edit.gone:
        return False
    return verdict.record.working.type == verdict.spec.type


def priced(change: Change, verdict: Verdict, quotes: Mapping[Address, float], state: State) -> Change:
    """The change with its cost."""
    if not verdict.train or verdict.spec is None:
        return change
    quoted = quotes.get(change.address)
    if quoted is not None:
        return replace(change, cost=Cost(cu=quoted, source="quoted"))
    past = cost_from_history(state, verdict.spec.type, change.image_count)
    if past is not None:
        return replace(change, cost=Cost(cu=past, source="history"))
    return replace(change, cost=Cost(cu=None, source="unknown"))


def cost_from_history(state: State, type: str, images: int) -> float | None:
    """What the last training of that type and about that many images was charged, in CU."""
    best: tuple[str, float] | None = None
    for record in state.records.values():
        for version in record.versions():
            if version.type != type or version.charged is None:
                continue
            if abs(len(version.images) - images) > SAME_SIZE * max(images, 1):
                continue
            when = version.launched_at or ""
            if best is None or when > best[0]:
                best = (when, version.charged)
    return None if best is None else best[1]
