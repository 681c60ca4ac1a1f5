"""A run as plain lines, for logs and where there is no terminal. Never more than a few lines a minute and training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import assert_never

from scenario_apply.apply.events import (
    Adopted,
    Event,
    Ledger,
    Noted,
    RunStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Throttled,
    TrainingMoved,
)
from scenario_apply.cli.progress.eta import Eta, eta_text
from scenario_apply.cli.progress.line_throttle import LineThrottle
from scenario_apply.cli.progress.run_progress import QUIET_KINDS, RunProgress, has_ended
from scenario_apply.model.ports import Clock, RequestCounter
from scenario_apply.review.screen import amount, counted, duration, safe
from scenario_apply.review.step_words import did, doing, failure
from scenario_apply.review.training_words import progress_words

COUNT_EVERY_S = 5.0


class PlainView:
    """Takes events from any thread, writes one line at a time."""

    def __init__(
        self,
        write: Callable[[str], None],
        clock: Clock,
        *,
        verbose: bool = False,
        counter: RequestCounter | None = None,
    ) -> None:
        self._write = write
        self._clock = clock
        self._verbose = verbose
        self._board = RunProgress()
        self._outlook = Eta(counter)
        self._lock = threading.Lock()
        self._rarely = LineThrottle()
        self._counted_at = float("-inf")

    def __call__(self, event: Event) -> None:
        with self._lock:
            now = self._clock.monotonic()
            self._board.take(event, now)
            self._outlook.take(event, now)
            for line in self._lines(event, now):
                self._write(f"{line}\n")

    def close(self) -> None:
        """Nothing to put away."""

    def _lines(self, event: Event, now: float) -> list[str]:
        match event:
            case RunStarted():
                word = "continuing" if event.resumed else "applying"
                return [f"{word}: {counted(len(event.plan.steps), 'step')}"] if event.plan.steps else []
            case StepStarted():
                return [f"{event.step.address}: {safe(doing(event.step.step))} …"] if self._verbose else []
            case StepFinished():
                return self._finished(event, now)
            case StepFailed():
                return [failed_line(event)]
            case Adopted():
                return [adopted_line(event)]
            case TrainingMoved():
                return self._moved(event, now)
            case Throttled():
                return [f"waiting {duration(event.seconds)}: {safe(event.reason)}"] if event.seconds >= 1 else []
            case Noted():
                return [noted_line(event)]
            case Ledger():
                return []  # shown by whoever ends the run
            case _:
                assert_never(event)

    def _finished(self, event: StepFinished, now: float) -> list[str]:
        if event.step.kind in QUIET_KINDS and not (self._verbose or event.adopted):
            over, total = self._board.counted(QUIET_KINDS)
            if over < total and now - self._counted_at < COUNT_EVERY_S:
                return []
            self._counted_at = now
            left = eta_text(self._outlook, now)
            return [f"images and captions: {over}/{total}{', ' if left else ''}{left}"]
        return [finished_line(event, self._board.lasted.get(event.step.address))]

    def _moved(self, event: TrainingMoved, now: float) -> list[str]:
        if has_ended(event.status, event.progress):
            return []  # the step that waited for it says so
        if not self._rarely.is_due(event.address, event.status, event.progress, now):
            return []
        return [f"{event.address}: {safe(', '.join(progress_words(event.status, event.progress)))}"]


def finished_line(event: StepFinished, lasted_s: float | None = None) -> str:
    """'model.kael: training launched, 230 CU (job_x)'. lasted_s: of the training that ended, where it is known."""
    parts = [safe(did(event.step.step))]
    if event.adopted:
        parts.append(f"adopted: {safe(event.how or 'found on the service')}")
    if event.cu_charged is not None:
        parts.append(f"{amount(event.cu_charged)} CU")
    if event.step.kind == "wait" and lasted_s is not None:
        parts.append(f"after {duration(lasted_s)}")
    where = f" ({safe(event.remote_id)})" if event.remote_id and event.step.kind in ("create", "train") else ""
    return f"{event.step.address}: {', '.join(parts)}{where}"


def failed_line(event: StepFailed) -> str:
    """'model.kael: upload 01.png failed: the reason; 4 steps that need it are left out'."""
    skipped = counted(event.skipped, "step that needs it is left out", "steps that need it are left out")
    told = safe(failure(doing(event.step.step), event.error))
    return f"{event.step.address}: {told}{'; ' + skipped if event.skipped else ''}"


def adopted_line(event: Adopted) -> str:
    """What an earlier run had done without knowing it."""
    return f"{event.address}: adopted {safe(event.what)} {safe(event.remote_id)}: {safe(event.how)}"


def noted_line(event: Noted) -> str:
    """A note, with its resource where it has one."""
    return f"{event.address}: {safe(event.text)}" if event.address is not None else safe(event.text)
