"""How many polls a plan expects: until the longest training ends, compositions after their parts, samples last."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.model.steps import AwaitSample, AwaitTraining, PlannedStep
from scenario_apply.planning.training_times import expected_seconds
from scenario_apply.state.state import State

POLLS_OF_UNKNOWN_LENGTH = 5
"""Polls counted for a training whose duration is unknown: the state's history has none of its type."""
POLLS_OF_SAMPLES = 3
"""Polls counted for samples, all of them together: each is drawn in a minute or two."""


def polls_of(steps: Sequence[PlannedStep], state: State, interval_s: float | None) -> int:
    """Polls to expect. interval_s: the time between two of them; None: one that grows."""
    waits = [planned.step for planned in steps if isinstance(planned.step, AwaitTraining)]
    polls = POLLS_OF_SAMPLES if any(isinstance(planned.step, AwaitSample) for planned in steps) else 0
    for kind in ("model", "composition"):  # compositions wait after their parts; those of a kind share their polls
        of_kind = [_polls_of(state, wait.type, interval_s) for wait in waits if wait.address.kind == kind]
        polls += max(of_kind, default=0)
    return polls


def _polls_of(state: State, type: str, interval_s: float | None) -> int:
    from scenario_apply.apply.poll_rounds import expected_polls  # start-up of a plan without changes was measured

    seconds = expected_seconds(state, type)
    return POLLS_OF_UNKNOWN_LENGTH if seconds is None else expected_polls(seconds, interval_s)
