"""What an error means for its step and for the run: a table, read from the top. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from msgspec import Struct

from scenario_apply.apply.call_context import LONGEST_COOLDOWN_S
from scenario_apply.errors import (
    CoolingDown,
    GateClosed,
    Interrupted,
    LaunchHeld,
    PlanCeiling,
    RateLimited,
    ScenarioApplyError,
    StateError,
    Unauthorized,
    Unreachable,
)

LONGEST_HELD_S = 15.0
"""Where a later run launches what has to wait, a cooldown is waited for only so long."""


class Consequence(Enum):
    """What becomes of the step, and of the run."""

    UNKNOWN = "its request may have been carried out; the run is ending"
    PUT_BACK = "it was not carried out; the run is ending"
    DELAY = "it is tried again when the cooldown is over"
    HOLD = "it is tried again when another training, or another sample, ends"
    ASK_AGAIN = "it is tried again in a few seconds: jobs of others leave it no room"
    FAIL = "it failed; what depends on it is skipped, the rest continues"
    FAIL_AT_GATE = "a limit stopped it; what depends on it is skipped"
    END_RUN = "it failed, and so would every other call: no more are started"
    RAISE = "it is no failure of the step: the state cannot be kept, or there is a bug"


class Situation(Struct, frozen=True):
    """is_unanswered: a request of the step may have been carried out. others_run: another training of this run (for a
    sample: another sample) is running or being launched, whose end would allow this one. leaves_held: a later run
    launches what has to wait. has_patience: samples may be asked for again while jobs of others fill the ceiling.
    """

    is_unanswered: bool
    others_run: bool
    leaves_held: bool = False
    has_patience: bool = False


class _Rule(Struct, frozen=True):
    errors: tuple[type[BaseException], ...]
    consequence: Consequence
    applies: Callable[[BaseException, Situation], bool] = lambda error, situation: True


def _waits_too_long(error: BaseException, situation: Situation) -> bool:
    return isinstance(error, CoolingDown) and error.remaining_s > LONGEST_COOLDOWN_S


def _another_may_end(error: BaseException, situation: Situation) -> bool:
    if not isinstance(error, PlanCeiling) or error.limit == 0:
        return False
    is_parallel = error.action == "parallel-training" or is_ceiling_of_samples(error)
    return is_parallel and (situation.others_run or situation.leaves_held)


def is_ceiling_of_samples(error: BaseException) -> bool:
    """Whether no more samples may be drawn at once: the limit `parallelCustomJobs`, as the name of an action."""
    return isinstance(error, PlanCeiling) and error.action.replace("-", "").lower().startswith("parallelcustom")


def _others_may_end(error: BaseException, situation: Situation) -> bool:
    is_ceiling = isinstance(error, PlanCeiling) and error.limit != 0 and is_ceiling_of_samples(error)
    return is_ceiling and situation.has_patience


def _is_left(error: BaseException, situation: Situation) -> bool:
    """Whether a cooldown is longer than a run waits that leaves launches to a later one."""
    return situation.leaves_held and isinstance(error, CoolingDown) and error.remaining_s > LONGEST_HELD_S


RULES: tuple[_Rule, ...] = (
    _Rule((Interrupted,), Consequence.UNKNOWN, lambda error, situation: situation.is_unanswered),
    _Rule((Interrupted,), Consequence.PUT_BACK),
    _Rule((CoolingDown,), Consequence.FAIL, _waits_too_long),
    _Rule((CoolingDown,), Consequence.HOLD, _is_left),
    _Rule((CoolingDown,), Consequence.DELAY),
    _Rule((PlanCeiling,), Consequence.HOLD, _another_may_end),
    _Rule((PlanCeiling,), Consequence.ASK_AGAIN, _others_may_end),
    _Rule((LaunchHeld,), Consequence.HOLD),
    _Rule((StateError,), Consequence.RAISE),
    _Rule((Unauthorized, Unreachable, RateLimited), Consequence.END_RUN),
    _Rule((GateClosed,), Consequence.FAIL_AT_GATE),
    _Rule((ScenarioApplyError,), Consequence.FAIL),
    _Rule((BaseException,), Consequence.RAISE),
)


def consequence_of(error: BaseException, situation: Situation) -> Consequence:
    """The consequence of the first rule that applies; the last one applies to everything."""
    return next(rule.consequence for rule in RULES if isinstance(error, rule.errors) and rule.applies(error, situation))
