"""error_rules.py: the table of what an error means for the step it stopped."""

from __future__ import annotations

import pytest

from scenario_apply.apply.error_rules import Consequence, Situation, consequence_of
from scenario_apply.errors import (
    AnswerLost,
    CoolingDown,
    GateClosed,
    Interrupted,
    NotFound,
    PlanCeiling,
    RateLimited,
    Refused,
    StateNotSaved,
    Unauthorized,
    Unreachable,
)

PLAIN = Situation(is_unanswered=False, others_run=False)
PATIENT = Situation(is_unanswered=False, others_run=False, has_patience=True)
UNANSWERED = Situation(is_unanswered=True, others_run=False)
BESIDE_TRAININGS = Situation(is_unanswered=False, others_run=True)
CEILING = PlanCeiling("no more", action="parallel-training", limit=1)

CASES = [
    (Interrupted("x"), UNANSWERED, Consequence.UNKNOWN),
    (Interrupted("x"), PLAIN, Consequence.PUT_BACK),
    (CoolingDown("x", remaining_s=17), PLAIN, Consequence.DELAY),
    (CoolingDown("x", remaining_s=3600), PLAIN, Consequence.DELAY),
    (CoolingDown("x", remaining_s=1e308), PLAIN, Consequence.FAIL),
    (CEILING, BESIDE_TRAININGS, Consequence.HOLD),
    (CEILING, PLAIN, Consequence.FAIL),
    (PlanCeiling("full", action="parallel-custom-jobs", limit=9), BESIDE_TRAININGS, Consequence.HOLD),
    (PlanCeiling("full", action="parallelCustomJobs", limit=9), PLAIN, Consequence.FAIL),
    (PlanCeiling("full", action="parallelCustomJobs", limit=9), PATIENT, Consequence.ASK_AGAIN),
    (PlanCeiling("none", action="parallelCustomJobs", limit=0), PATIENT, Consequence.FAIL),
    (CEILING, PATIENT, Consequence.FAIL),
    (PlanCeiling("none", action="parallel-training", limit=0), BESIDE_TRAININGS, Consequence.FAIL),
    (PlanCeiling("full", action="dataset-images", limit=9), BESIDE_TRAININGS, Consequence.FAIL),
    (StateNotSaved("x"), PLAIN, Consequence.RAISE),
    (Unauthorized("x"), PLAIN, Consequence.END_RUN),
    (Unreachable("x"), PLAIN, Consequence.END_RUN),
    (RateLimited("x"), PLAIN, Consequence.END_RUN),
    (GateClosed("x"), PLAIN, Consequence.FAIL_AT_GATE),
    (AnswerLost("x"), UNANSWERED, Consequence.FAIL),
    (Refused("x"), PLAIN, Consequence.FAIL),
    (NotFound("x"), PLAIN, Consequence.FAIL),
    (ZeroDivisionError("a bug"), PLAIN, Consequence.RAISE),
]


@pytest.mark.parametrize(("error", "situation", "expected"), CASES, ids=lambda value: getattr(value, "name", None))
def test_what_an_error_means(error: Exception, situation: Situation, expected: Consequence) -> None:
    assert consequence_of(error, situation) is expected
