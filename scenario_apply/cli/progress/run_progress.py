"""The progress of a run, gathered from its events, for the live view and the plain view."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field

from scenario_apply.apply.events import (
    Event,
    RunStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Throttled,
    TrainingMoved,
)
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ENDED_STATUSES, JOB_ENDED_STATUSES, Progress
from scenario_apply.model.steps import StartTraining, StepKind

_ENDED = ENDED_STATUSES | JOB_ENDED_STATUSES

QUIET_KINDS: frozenset[StepKind] = frozenset({"upload", "attach", "caption", "detach"})
"""Steps that come by the dozen: counted, not printed one by one."""

UNTOLD_KINDS: frozenset[StepKind] = QUIET_KINDS | {"sample"}
"""Of samples a line is printed once they are drawn."""

SAMPLE_KINDS: frozenset[StepKind] = frozenset({"sample-wait"})

FAILURES_TOLD = 5
"""Failures of one kind for the same reason that have a line each; the ledger counts all of them."""


class Training(Struct):
    """One running training. since: monotonic seconds of its launch, or of the first poll."""

    since: float
    status: str = "launched"
    progress: Progress | None = None


class RunProgress(Struct):
    """Updated by every event. total, done, failed: steps by kind."""

    total: Counter[StepKind] = field(default_factory=Counter)
    done: Counter[StepKind] = field(default_factory=Counter)
    failed: Counter[StepKind] = field(default_factory=Counter)
    active: dict[str, str] = field(default_factory=dict)  # step id -> address
    trainings: dict[Address, Training] = field(default_factory=dict)
    lasted: dict[Address, float] = field(default_factory=dict)  # seconds, of trainings that ended
    alike: Counter[tuple[StepKind, str]] = field(default_factory=Counter)  # failures by kind and error
    throttled_until: float = 0.0
    throttled_why: str = ""

    def take(self, event: Event, now: float) -> None:
        """now: monotonic seconds."""
        match event:
            case RunStarted():
                self.total = Counter(planned.kind for planned in event.plan.steps)
            case StepStarted():
                self.active[event.step.id] = str(event.step.address)
            case StepFinished():
                self.active.pop(event.step.id, None)
                self.done[event.step.kind] += 1
                if isinstance(event.step.step, StartTraining):
                    self.trainings.setdefault(event.step.address, Training(since=now))
                elif event.step.kind == "wait":
                    self._end(event.step.address, now)
            case StepFailed():
                self.active.pop(event.step.id, None)
                self.failed[event.step.kind] += 1
                self.alike[event.step.kind, event.error] += 1
                if event.step.kind in ("wait", "train"):
                    self._end(event.step.address, now)
            case TrainingMoved() if not has_ended(event.status, event.progress):
                training = self.trainings.setdefault(event.address, Training(since=now))
                training.status, training.progress = event.status, event.progress
            case Throttled():
                self.throttled_until, self.throttled_why = now + event.seconds, event.reason
            case _:
                pass

    def _end(self, address: Address, now: float) -> None:
        training = self.trainings.pop(address, None)
        if training is not None:
            self.lasted[address] = now - training.since

    def is_told(self, event: StepFailed) -> bool:
        """Whether a failure has a line of its own: not the hundredth upload that fails for the same reason."""
        return event.step.kind not in UNTOLD_KINDS or self.alike[event.step.kind, event.error] <= FAILURES_TOLD

    def counted(self, kinds: frozenset[StepKind]) -> tuple[int, int]:
        """How many of those steps have ended, and how many there are."""
        over = sum(self.done[kind] + self.failed[kind] for kind in kinds)
        return over, sum(self.total[kind] for kind in kinds)


def has_ended(status: str, progress: Progress | None) -> bool:
    """Whether model or job has ended; the step that waits for it reports the outcome."""
    return status in _ENDED or (progress is not None and progress.stage in _ENDED)
