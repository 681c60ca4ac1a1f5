"""A run as JSON, one object a line; the last one is the ledger, on every way out.

Common keys: @timestamp (ISO 8601, UTC), @level, @message (a sentence, for readers who do not know the type), type,
run_id, seq (1, 2, 3 …). Readers ignore types and keys they do not know.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import assert_never

from scenario_apply.apply.events import (
    Adopted,
    Event,
    Ledger,
    LedgerLine,
    Noted,
    Priced,
    RunStarted,
    SampleMoved,
    StepFailed,
    StepFinished,
    StepStarted,
    Throttled,
    TrainingMoved,
)
from scenario_apply.cli.progress.eta import Eta
from scenario_apply.cli.progress.plain_view import (
    adopted_line,
    failed_line,
    finished_line,
    noted_line,
    priced_line,
    throttled_line,
)
from scenario_apply.errors import Diagnostic
from scenario_apply.model import codec
from scenario_apply.model.ports import Clock, RequestCounter
from scenario_apply.model.steps import PlannedStep, UploadImage
from scenario_apply.planning.plan import Plan
from scenario_apply.review.ledger_text import headline
from scenario_apply.review.plan_json import reason_json
from scenario_apply.review.printable import json_text
from scenario_apply.review.screen import counted, safe
from scenario_apply.review.step_words import doing, sample_name
from scenario_apply.review.validation_text import diagnostic
from scenario_apply.version import VERSION

FORMAT_VERSION = "1.0"


class JsonLinesView:
    """Takes events from any thread. Every line is written and flushed at once by write."""

    def __init__(
        self,
        write: Callable[[str], None],
        clock: Clock,
        *,
        counter: RequestCounter | None = None,
        rate_limit: int = 0,
        destroy: bool = False,
    ) -> None:
        self._write = write
        self._clock = clock
        self._counter = counter
        self._rate_limit = rate_limit
        self._destroy = destroy
        self._eta = Eta(counter)
        self._lock = threading.Lock()
        self._seq = 0
        self._run_id = str(uuid.uuid4())
        self.has_ledger = False
        self._line("version", f"scenario-apply {VERSION}", scenario_apply=VERSION, events=FORMAT_VERSION)

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._eta.take(event, self._clock.monotonic())
        match event:
            case RunStarted():
                steps = len(event.plan.steps)
                self._line(
                    "run_start", counted(steps, "step"), steps=steps, journal=event.run_id, resumed=event.resumed
                )
            case StepStarted():
                message = f"{event.step.address}: {doing(event.step.step)}"
                self._line("apply_start", safe(message), hook=_hook(event.step))
            case StepFinished():
                hook = _hook(event.step) | {
                    "elapsed_seconds": round(event.took_s, 3),
                    "id_value": event.remote_id,
                    "adopted": event.adopted,
                    "how": event.how,
                    "cu_charged": event.cu_charged,
                }
                self._line("apply_complete", finished_line(event), hook=hook)
            case StepFailed():
                hook = _hook(event.step) | {"error": event.error, "skipped": event.skipped}
                self._line("apply_errored", failed_line(event), level="error", hook=hook)
            case Adopted():
                adopted = {"address": str(event.address), "what": event.what, "id": event.remote_id, "how": event.how}
                self._line("adopted", adopted_line(event), level="warn", **adopted)
            case TrainingMoved() | SampleMoved():
                self._moved(event)
            case Throttled():
                self._line("throttled", throttled_line(event), seconds=round(event.seconds, 3), reason=event.reason)
            case Noted():
                address = None if event.address is None else str(event.address)
                self._line("log", noted_line(event), address=address, text=event.text)
            case Priced():
                prices = codec.plain(event.prices)
                self._line("priced", priced_line(event), cu=event.cu, planned_cu=event.planned, prices=prices)
            case Ledger():
                self._ledger(event)
            case _:
                assert_never(event)

    def planned(self, plan: Plan) -> None:
        """What is going to be done, before it is: an object a change, then their sum."""
        for change in plan.changes:
            if change.action.value != "none":
                told = {
                    "resource": str(change.address),
                    "action": change.action.value,
                    "reasons": [reason_json(reason) for reason in change.reasons],
                    "requests": change.requests,
                    "cu": change.total_cost.cu,
                    "cost_source": change.total_cost.source,
                }
                self._line("planned_change", f"{change.address}: {change.action.value}", change=told)
        changes = {**plan.summary, "requests": plan.requests_total, "cu": plan.cu, "operation": "plan"}
        self._line("change_summary", counted(len(plan.steps), "step"), changes=changes)

    def count_with(self, counter: RequestCounter | None, rate_limit: int) -> None:
        """From now on every line says what of the request budget is used."""
        self._counter, self._rate_limit = counter, rate_limit
        self._eta = Eta(counter)

    def problems(self, problems: Iterable[Diagnostic]) -> None:
        """Diagnostics: what stops a run, or deserves a look."""
        for problem in problems:
            level = {"error": "error", "warning": "warn", "info": "info"}[problem.severity]
            self._line("diagnostic", safe(problem.message), level=level, diagnostic=diagnostic(problem))

    def close(self) -> None:
        """Nothing to put away: every line is out already."""

    def _moved(self, event: TrainingMoved | SampleMoved) -> None:
        progress = event.progress
        told: dict[str, object] = {"address": str(event.address), "action": "wait", "status": event.status}
        told["job_id"] = event.job_id
        what = ""
        if isinstance(event, SampleMoved):
            told |= {"action": "sample-wait", "sample": event.name}
            what = f"sample {event.name}: "
        told["stage"] = progress.stage if progress is not None else None
        share = progress.progress if progress is not None else None
        told["percent"] = None if share is None else round(share * 100, 1)
        told["queue_position"] = progress.position if progress is not None else None
        told["remaining_seconds"] = progress.remaining_s if progress is not None else None
        self._line("apply_progress", safe(f"{event.address}: {what}{event.status}"), hook=told)

    def _ledger(self, ledger: Ledger) -> None:
        level = "info" if ledger.status in ("done", "running") else "error"
        self._line("ledger", headline(ledger, destroy=self._destroy), level=level, ledger=ledger_json(ledger))
        self.has_ledger = True

    def _line(self, kind: str, message: str, *, level: str = "info", **more: object) -> None:
        with self._lock:
            self._seq += 1
            line: dict[str, object] = {
                "@level": level,
                "@message": message,
                "@module": "scenario_apply",
                "@timestamp": datetime.fromtimestamp(self._clock.now(), UTC).isoformat(timespec="milliseconds"),
                "type": kind,
                "run_id": self._run_id,
                "seq": self._seq,
                **more,
            }
            if self._counter is not None:
                seconds = self._eta.seconds(self._clock.monotonic())
                line["budget"] = {
                    "used": self._counter.sent,
                    "refused": self._counter.refused,
                    "limit": self._rate_limit,
                    "left": None if seconds is None else self._eta.left,
                    "seconds_left": None if seconds is None else round(seconds, 1),
                }
            self._write(json_text(json.dumps(line, ensure_ascii=False, default=str)) + "\n")


def ledger_json(ledger: Ledger) -> dict[str, object]:
    """A ledger as events show it."""
    lists = ("done", "running", "failed", "unknown", "not_started", "adopted")
    told: dict[str, object] = {name: [_entry(line) for line in getattr(ledger, name)] for name in lists}
    return told | {key: value for key, value in codec.plain(ledger).items() if key not in lists}


def _hook(planned: PlannedStep) -> dict[str, object]:
    image = planned.step.picture.path if isinstance(planned.step, UploadImage) else getattr(planned.step, "path", None)
    hook: dict[str, object] = {"address": str(planned.address), "action": planned.kind, "step": planned.id}
    return hook | {"image": image, "sample": sample_name(planned.step)}


def _entry(line: LedgerLine) -> dict[str, object]:
    return {"address": str(line.address), "what": line.what, "reason": line.reason, "id": line.remote_id}
