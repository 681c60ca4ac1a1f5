"""A run as plain lines, for logs and pipes: at most a few lines a minute for each training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import assert_never

from scenario_apply.apply.events import (
    Adopted,
    Event,
    Ledger,
    Noted,
    Priced,
    RunStarted,
    SampleMoved,
    StepFailed,
    StepFinished,
    StepStarted,
    Throttled,
    TrainingMoved,
    TrainingPrice,
)
from scenario_apply.cli.progress.eta import Eta, eta_text
from scenario_apply.cli.progress.line_throttle import LineThrottle
from scenario_apply.cli.progress.run_progress import QUIET_KINDS, UNTOLD_KINDS, RunProgress, has_ended
from scenario_apply.model.amounts import amount
from scenario_apply.model.ports import Clock, RequestCounter
from scenario_apply.review.screen import counted, duration, safe
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
        rate_limit: int = 0,
    ) -> None:
        self._write = write
        self._clock = clock
        self._verbose = verbose
        self._rate_limit = rate_limit
        self._progress = RunProgress()
        self._eta = Eta(counter)
        self._lock = threading.Lock()
        self._throttle = LineThrottle()
        self._counted_at = float("-inf")

    def __call__(self, event: Event) -> None:
        with self._lock:
            now = self._clock.monotonic()
            self._progress.take(event, now)
            self._eta.take(event, now)
            for line in self._lines(event, now):
                self._write(f"{line}\n")

    def close(self) -> None:
        """Nothing to release."""

    def _lines(self, event: Event, now: float) -> list[str]:
        match event:
            case RunStarted():
                deletes = all(planned.kind == "delete" for planned in event.plan.steps)
                word = "continuing" if event.resumed else "deleting" if deletes else "applying"
                return [f"{word}: {counted(len(event.plan.steps), 'step')}"] if event.plan.steps else []
            case StepStarted():
                return [f"{event.step.address}: {safe(doing(event.step.step))} …"] if self._verbose else []
            case StepFinished():
                return self._finished(event, now)
            case StepFailed():
                return [failed_line(event)] if self._verbose or self._progress.is_told(event) else []
            case Adopted():
                return [adopted_line(event)]
            case TrainingMoved():
                return self._moved(event, now)
            case Throttled():
                return [throttled_line(event)] if event.seconds >= 1 else []
            case Noted():
                return [noted_line(event)]
            case Priced():
                return [priced_line(event)]
            case SampleMoved() | Ledger():
                return []  # samples are drawn in moments; the caller shows the ledger
            case _:
                assert_never(event)

    def _finished(self, event: StepFinished, now: float) -> list[str]:
        if event.step.kind in QUIET_KINDS and not (self._verbose or event.adopted):
            over, total = self._progress.counted(QUIET_KINDS)
            if over < total and now - self._counted_at < COUNT_EVERY_S:
                return []
            self._counted_at = now
            left = eta_text(self._eta, now, self._rate_limit)
            return [f"images and captions: {over}/{total}{', ' if left else ''}{left}"]
        if event.step.kind in UNTOLD_KINDS and not (self._verbose or event.adopted):
            return []
        return [finished_line(event, self._progress.lasted.get(event.step.address))]

    def _moved(self, event: TrainingMoved, now: float) -> list[str]:
        if has_ended(event.status, event.progress):
            return []  # the step that waits for it reports the end
        if not self._throttle.is_due(event.address, event.status, event.progress, now):
            return []
        return [f"{event.address}: {safe(', '.join(progress_words(event.status, event.progress)))}"]


def finished_line(event: StepFinished, lasted_s: float | None = None) -> str:
    """'model.kael: training launched, 230 CU (job_x)'. lasted_s: of the training that ended, where it is known."""
    parts = [safe(did(event.step.step))]
    if event.adopted:
        parts.append(f"adopted: {safe(event.how or 'found on Scenario')}")
    if event.cu_charged is not None:
        parts.append(f"{amount(event.cu_charged)} CU")
    if event.step.kind == "wait" and lasted_s is not None:
        parts[0] += f" in {duration(lasted_s)}"
    where = f" ({safe(event.remote_id)})" if event.remote_id and event.step.kind in ("create", "train") else ""
    return f"{event.step.address}: {', '.join(parts)}{where}"


def failed_line(event: StepFailed) -> str:
    """'model.kael: upload 01.png failed: the reason; 4 dependent steps are skipped'."""
    skipped = counted(event.skipped, "dependent step is skipped", "dependent steps are skipped")
    told = safe(failure(doing(event.step.step), event.error))
    return f"{event.step.address}: {told}{'; ' + skipped if event.skipped else ''}"


def adopted_line(event: Adopted) -> str:
    """A request of an earlier run whose response was lost, found on Scenario."""
    return f"{event.address}: adopted {safe(event.what)} {safe(event.remote_id)}: {safe(event.how)}"


def throttled_line(event: Throttled) -> str:
    """'waiting for the rate limit, continues in 21 s'."""
    return f"waiting for {safe(event.reason)}, continues in {duration(event.seconds)}"


def priced_line(event: Priced) -> str:
    """'price: 140 CU for 2 trainings: model.kael 130 CU, model.props 10 CU'. Unknown prices are not in the sum."""
    known = [f"{price.address} {_price(price)}" for price in event.prices]
    more = f" and {len(known) - _PRICES_NAMED} more" if len(known) > _PRICES_NAMED else ""
    priced = sum(price.cu is not None for price in event.prices)
    left = len(event.prices) - priced
    cu = [] if event.cu is None else [f"{amount(event.cu)} CU for {counted(priced, 'training')}"]
    unknown = [f"{counted(left, 'training')} of unknown price"] if left else []
    return f"price: {', plus '.join([*cu, *unknown])}: {', '.join(known[:_PRICES_NAMED])}{more}"


_PRICES_NAMED = 6


def _price(price: TrainingPrice) -> str:
    if price.cu is None:
        return "unknown" + (f" ({safe(price.reason)})" if price.reason else "")
    return f"{amount(price.cu)} CU{'' if price.source == 'quoted' else ' (estimated)'}"


def noted_line(event: Noted) -> str:
    """A note, with its resource where it has one."""
    return f"{event.address}: {safe(event.text)}" if event.address is not None else safe(event.text)
