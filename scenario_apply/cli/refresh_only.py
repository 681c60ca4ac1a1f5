"""--refresh-only: options that it cannot be combined with, and what it asks and says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from scenario_apply.errors import UsageError
from scenario_apply.review.screen import counted

if TYPE_CHECKING:
    from scenario_apply.planning.changes import Drift

_IGNORED = (
    ("no_refresh", "changes made outside can only be seen with a refresh"),
    ("out", "such a plan contains nothing to apply"),
    ("destroy", "it changes nothing"),
    ("replace", "it changes nothing"),
    ("train", "it changes nothing"),
)
QUESTION = "Record these differences in the state? Nothing is changed on Scenario."


def refuse_contradictions(asked: Mapping[str, object]) -> None:
    """Raises UsageError for an option that --refresh-only would ignore."""
    if not asked.get("refresh_only"):
        return
    for name, why in _IGNORED:
        if asked.get(name):
            raise UsageError(f"--refresh-only cannot be combined with --{name.replace('_', '-')}: {why}")


def refreshed(drift: Sequence[Drift]) -> str:
    """The sentence after the state was written."""
    return f"State refreshed: {counted(len(drift), 'difference')} recorded. Nothing was changed on Scenario.\n"
