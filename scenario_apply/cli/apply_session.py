"""The ledger of a run that ended before its first step: what it asked, what is left, and the command that helps."""

from __future__ import annotations

import contextlib
import shlex
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenario_apply.apply.events import Ledger, LedgerLine
from scenario_apply.errors import (
    ApiError,
    ApplyError,
    CoolingDown,
    GateClosed,
    Interrupted,
    PlanBegun,
    PlanStale,
    RateLimited,
    Refused,
    ScenarioApplyError,
    StateError,
    StateLocked,
    StateNotSaved,
)

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared


class NobodyToAsk(ScenarioApplyError):
    """No terminal, and no consent given beforehand."""

    code = "no-approval"


class DeletesNotAllowed(ScenarioApplyError):
    """A saved plan deletes models, and the command line that applies it does not consent to that."""

    code = "no-consent-to-deletes"


@dataclass(slots=True, kw_only=True)
class ApplySession:
    """How far a run got; filled as it gets there. same: the command as it was given. plan_again: of a saved plan, the
    one that makes it anew. carry_on: of a saved plan, the one that applies its manifest. is_over: the first step is
    next, and the run tells its own end."""

    same: str
    plan_again: str | None = None
    carry_on: str | None = None
    world: Environment | None = None
    prepared: Prepared | None = None
    is_over: bool = False
    started_at: float = field(default_factory=time.monotonic)

    def ledger(self, error: BaseException) -> Ledger:
        """How it ended."""
        counter = None if self.world is None else self.world.counter
        is_gated = isinstance(error, GateClosed)
        is_interrupted = isinstance(error, KeyboardInterrupt | Interrupted)
        return Ledger(
            status="interrupted" if is_interrupted else "failed" if is_gated else "stopped",
            unknown=() if self.is_over else self._unknown(error),
            not_started=() if self.is_over else self._not_started(error),
            requests=0 if counter is None else counter.sent,
            refused=0 if counter is None else counter.refused,
            took_s=time.monotonic() - self.started_at,
            error=str(error) or type(error).__name__,
            next_command=(self.carry_on or self.same) if self.is_over else self._next_command(error),
            gated=is_gated,
            begun=self.is_over,
        )

    def _next_command(self, error: BaseException) -> str | None:
        """None where the error says what has to be fixed first, and no command does that."""
        from scenario_apply.apply.lost_answers import AmbiguousAdoption

        match error:
            case PlanBegun():
                return self.carry_on
            case PlanStale():
                return self.plan_again
            case GateClosed():
                return self._with_raised_limits()
            case AmbiguousAdoption():
                return f"{self.same} {shlex.quote(f'--adopt={error.address}=ID')}"
            case DeletesNotAllowed():
                return f"{self.same} --allow-destroy --auto-approve"
            case NobodyToAsk():
                return f"{self.same} --auto-approve"
            case StateLocked() | StateNotSaved() | KeyboardInterrupt() | ApplyError() | RateLimited() | CoolingDown():
                return self.same
            case ApiError() if not isinstance(error, Refused):
                return self.same
        return None

    def _with_raised_limits(self) -> str | None:
        from scenario_apply.apply.next_command import with_limits
        from scenario_apply.planning.gates import needed

        if self.prepared is None or any(problem.code != "gate" for problem in self.prepared.plan.blocked):
            return None  # what is protected, no limit gives up
        return with_limits(self.same, needed(self.prepared.plan, self.prepared.limits))

    def _unknown(self, error: BaseException) -> tuple[LedgerLine, ...]:
        """Calls of an earlier run that nobody knows the end of; none while another run is at it."""
        from scenario_apply.apply.ledger import line_of
        from scenario_apply.apply.lost_answers import AmbiguousAdoption

        if self.world is None or isinstance(error, StateLocked):
            return ()
        unanswered = []
        with contextlib.suppress(StateError):  # the error itself, then: it is told already
            unanswered = [call.step for call in self.world.store.load().unanswered]
        reasons = {}
        if isinstance(error, AmbiguousAdoption):
            reasons[error.address] = f"its answer was lost, and several fit: {', '.join(error.ids)}"
        return tuple(
            line_of(step, reasons.get(step.address) if step.kind == "create" else "no answer yet")
            for step in unanswered
        )

    def _not_started(self, error: BaseException) -> tuple[LedgerLine, ...]:
        """Everything that was planned."""
        if self.prepared is None:
            return ()
        reason = "a limit stopped the plan" if isinstance(error, GateClosed) else None
        return tuple(
            LedgerLine(
                address=change.address,
                what=f"{len(change.steps)} step{'s' if len(change.steps) > 1 else ''}",
                reason=reason,
            )
            for change in self.prepared.plan.changes
            if change.steps
        )
