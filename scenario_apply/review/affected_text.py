"""What a change reaches beyond its own resource, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.planning.changes import Action
from scenario_apply.review.change_view import DependantView
from scenario_apply.review.screen import counted

_NAMED = 5


def affected_text(dependants: Sequence[DependantView]) -> str:
    """'affects 4 compositions, 1 of them protected: composition.duo (retrain), ...'; not safe to print."""
    protected = sum(one.is_protected for one in dependants)
    if len(dependants) == 1:
        amount = "1 protected composition" if protected else "1 composition"
    else:
        amount = counted(len(dependants), "composition") + (f", {protected:,} of them protected" if protected else "")
    named = [_named(one) for one in dependants[:_NAMED]]
    left = len(dependants) - _NAMED
    return f"affects {amount}: {', '.join(named)}{f' and {left:,} more' if left > 0 else ''}"


def _named(one: DependantView) -> str:
    return str(one.address) if one.action is Action.NONE else f"{one.address} ({one.action.value})"
