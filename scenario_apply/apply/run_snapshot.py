"""How far a run got, as one value: the ledger, the next command and the history read it instead of the run."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, field

from scenario_apply.apply.poll_rounds import PollResult
from scenario_apply.apply.schedule import StepStatus
from scenario_apply.model.address import Address
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.steps import PlannedStep, StepId
from scenario_apply.planning.plan import Plan
from scenario_apply.state.outcome import Outcome
from scenario_apply.state.state import State


class RefusedLaunches(Struct, frozen=True, kw_only=True):
    """Launches that a limit stopped. over_cost: CU quoted for each training; samples: CU of the samples of a resource;
    lowest_score: of the datasets below min_score.
    """

    limits: Limits = Limits()
    over_cost: Mapping[Address, float] = field(default_factory=dict)
    samples: Mapping[Address, float] = field(default_factory=dict)
    lowest_score: float | None = None


class RunSnapshot(Struct, frozen=True, kw_only=True):
    """reasons: of steps that failed, are unknown or were skipped. outcomes: of the steps that are done.

    poll_results: of the last poll. fatal: the error that ended the run.
    is_gated: a limit stopped a launch, or the run before its first upload. declined: why the price ended it there.
    """

    plan: Plan
    state: State
    status: Mapping[StepId, StepStatus]
    reasons: Mapping[StepId, str]
    outcomes: Mapping[StepId, Outcome]
    poll_results: Mapping[Address, PollResult] = field(default_factory=dict)
    fatal: BaseException | None = None
    is_interrupted: bool = False
    is_gated: bool = False
    declined: str | None = None
    refused: RefusedLaunches = RefusedLaunches()

    @property
    def steps(self) -> Mapping[StepId, PlannedStep]:
        return {planned.id: planned for planned in self.plan.steps}

    @property
    def done(self) -> Collection[StepId]:
        return self.outcomes.keys()

    def is_at(self, step_id: StepId, *statuses: StepStatus) -> bool:
        return self.status[step_id] in statuses
