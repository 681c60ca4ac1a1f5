"""The ledger of a run: done, running, failed, unknown, not started, charged, and the next command. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.apply.events import EndStatus, Ledger, LedgerLine, TrainingCharge
from scenario_apply.apply.next_command import apply_again, next_command
from scenario_apply.apply.schedule import StepStatus
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.queue_wait import QUEUED_LONG_HINT, queued_too_long, queued_words
from scenario_apply.model.steps import (
    AwaitSample,
    AwaitTraining,
    CreateModel,
    DetachImage,
    DrawSample,
    PlannedStep,
    SetCaption,
    StartTraining,
    UploadImage,
)
from scenario_apply.planning.changes import Action
from scenario_apply.state.state import SampleEntry, State, Version

if TYPE_CHECKING:
    from scenario_apply.apply.apply_options import ApplyOptions
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.apply.run_snapshot import RunSnapshot


TRAINING = "training"
SAMPLE_KINDS = frozenset({"sample", "sample-wait"})
HELD = "waits for another training to end"
"""The reason of what was not started because as many trainings run as may."""
HELD_SAMPLE = "waits for another sample to end"


class RunTotals(Struct, frozen=True, kw_only=True):
    """now: seconds since the epoch, at the end. took_s: seconds since the start. sent, refused: requests."""

    now: float
    took_s: float
    sent: int = 0
    refused: int = 0


def ledger_of(
    prepared: Prepared,
    state: State,
    run: RunSnapshot | None,
    options: ApplyOptions,
    totals: RunTotals,
    error: str | None = None,
) -> Ledger:
    """How a run ended. run None: there was nothing to do."""
    withheld = tuple(
        LedgerLine(address=address, what="delete", reason="needs --allow-destroy") for address in prepared.plan.withheld
    )
    adopted = tuple(
        LedgerLine(address=a.address, what=a.what, reason=a.how, remote_id=a.remote_id) for a in prepared.adopted
    )
    if run is None:
        done = tuple(
            LedgerLine(address=change.address, what=change.action.value)
            for change in prepared.plan.changes
            if change.action is not Action.NONE and change.address not in prepared.plan.withheld
        )
        return Ledger(
            status="partial" if withheld else "done",
            done=done,
            not_started=withheld,
            adopted=adopted,
            requests=totals.sent,
            refused=totals.refused,
            took_s=totals.took_s,
            next_command=apply_again(options, prepared.plan, None, consent=True) if withheld else None,
        )
    running = _running(run, state, totals.now)
    failed = _failed(run)
    unknown = _unknown(run)
    not_started = (*_not_started(run, {line.address for line in running}), *withheld)
    drawn = (line for line in running if line.what != TRAINING)  # only an apply records them
    status = _status(run, running, failed, unknown, not_started)
    return Ledger(
        status=status,
        done=_done(run, state),
        running=running,
        failed=failed,
        unknown=unknown,
        not_started=not_started,
        adopted=(*adopted, *_adopted(run)),
        requests=totals.sent,
        refused=totals.refused,
        cu_charged=_charged(run),
        charges=_charges(run),
        took_s=totals.took_s,
        steps_done=len(run.outcomes),
        steps_total=len(run.plan.steps),
        error=error or (str(run.fatal) if run.fatal is not None else _declined(run)),
        next_command=next_command(run, options, status, (*unknown, *not_started, *drawn), withheld),
        gated=run.is_gated,
        declined=run.declined is not None,
        counts=dict(Counter(planned.kind for planned in run.plan.steps if planned.id in run.outcomes)),
    )


def stopped_ledger(
    prepared: Prepared, run: RunSnapshot | None, options: ApplyOptions, totals: RunTotals, error: str
) -> Ledger:
    """The ledger of a run that could not save what it did, or met a bug."""
    command = apply_again(options, prepared.plan, run, unsaved=run is None)
    if run is None:
        return Ledger(
            status="stopped",
            error=error,
            requests=totals.sent,
            refused=totals.refused,
            took_s=totals.took_s,
            next_command=command,
            begun=False,
        )
    ledger = ledger_of(prepared, run.state, run, options, totals, error)
    return replace(ledger, status="stopped", next_command=command)


def line_of(planned: PlannedStep, reason: str | None = None, remote_id: str | None = None) -> LedgerLine:
    """A line about one step; one about an image names it by its picture."""
    name = _name_of(planned)
    kind = "sample" if isinstance(planned.step, AwaitSample) else planned.kind
    what = kind if name is None else f"{kind} {name}"
    return LedgerLine(address=planned.address, what=what, reason=reason, remote_id=remote_id)


def _name_of(planned: PlannedStep) -> str | None:
    """The picture, or the sample, that a step is about."""
    match planned.step:
        case UploadImage(picture=picture):
            return picture.path
        case SetCaption(path=path) | DetachImage(path=path):
            return path
        case DrawSample(sample=sample):
            return sample.name
        case AwaitSample(name=name):
            return name
        case _:
            return None


def _without_its_asset(planned: PlannedStep, reason: str) -> str:
    """The reason without 'caption asset ID: ': the line names the picture, and several are alike."""
    return _OF_AN_ASSET.sub("", reason) if isinstance(planned.step, SetCaption | DetachImage) else reason


_OF_AN_ASSET = re.compile(r"\A(?:caption asset|take image) [^:]+: ")
_NAMED = 3  # pictures, or samples, in a line about several steps


def _several(steps: list[PlannedStep], kind: str) -> str:
    """'5 captions (01.png, 02.png, 03.png and 2 more)'."""
    names = [name for planned in steps if (name := _name_of(planned)) is not None]
    kind = "sample" if kind == "sample-wait" else kind
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(steps)} {kind}s" + (f" ({', '.join(names[:_NAMED])}{more})" if names else "")


def _done(run: RunSnapshot, state: State) -> tuple[LedgerLine, ...]:
    """A line for each resource whose steps are all done."""
    lines, steps = [], run.steps
    for change in run.plan.changes:
        if change.action is Action.NONE or change.address in run.plan.withheld:
            continue
        if all(step_id in run.done for step_id in change.steps):
            record = state.records.get(change.address)
            remote_id = record.current.id if record is not None else None
            kinds = {steps[step_id].kind for step_id in change.steps}
            what = "samples" if kinds and kinds <= SAMPLE_KINDS else change.action.value
            lines.append(LedgerLine(address=change.address, what=what, remote_id=remote_id))
    return tuple(lines)


def _running(run: RunSnapshot, state: State, now: float) -> tuple[LedgerLine, ...]:
    """Trainings and samples that continue: those the run waits for, and those it launched or would have waited for."""
    lines = []
    waited_for = {
        p.address for p in run.plan.steps if run.is_at(p.id, StepStatus.WAITING) and isinstance(p.step, AwaitTraining)
    }
    for address in sorted(waited_for | _left_training(run, state)):
        record = state.records.get(address)
        line = LedgerLine(address=address, what=TRAINING, remote_id=record.working.id if record is not None else None)
        lines.append(replace(line, reason=_queued(run, record.working, address, now) if record else None))
    return (*lines, *_drawing(run))


def _drawing(run: RunSnapshot) -> Iterator[LedgerLine]:
    """A line for each resource whose samples are being drawn."""
    drawn: dict[Address, list[PlannedStep]] = {}
    for planned in run.plan.steps:
        if _is_being_drawn(planned, run):
            drawn.setdefault(planned.address, []).append(planned)
    for address in sorted(drawn):
        steps = drawn[address]
        yield line_of(steps[0]) if len(steps) == 1 else LedgerLine(address=address, what=_several(steps, "sample"))


def _is_being_drawn(planned: PlannedStep, run: RunSnapshot) -> bool:
    return isinstance(planned.step, AwaitSample) and (
        run.is_at(planned.id, StepStatus.WAITING)
        or (run.is_at(planned.id, StepStatus.PENDING) and all(need in run.done for need in planned.after))
    )


def _left_training(run: RunSnapshot, state: State) -> set[Address]:
    """Trainings that the current steps launched and whose end is not known."""
    return {
        planned.address
        for step_id, planned in run.steps.items()
        if isinstance(planned.step, AwaitTraining)
        and not run.is_at(step_id, StepStatus.DONE, StepStatus.FAILED)
        and all(need in run.done for need in planned.after if need in run.steps)
        and (record := state.records.get(planned.address)) is not None
        and record.working.phase == "training"
    }


def _queued(run: RunSnapshot, version: Version, address: Address, now: float) -> str | None:
    """The training's place in the queue at the last poll, with a hint when it has waited for long."""
    result = run.poll_results.get(address)
    words = None if result is None else queued_words(result.status, result.progress, version.launched_at)
    too_long = queued_too_long(version.launched_at, now)
    return words if words is None or too_long is None else f"{words}: {too_long}; {QUEUED_LONG_HINT}"


def _failed(run: RunSnapshot) -> tuple[LedgerLine, ...]:
    """A line for each failed step; steps that failed for the same reason are one line with their number."""
    alike: dict[tuple[Address, str, str], list[PlannedStep]] = {}
    for planned in run.plan.steps:
        if not run.is_at(planned.id, StepStatus.FAILED):
            continue
        reason = _without_its_asset(planned, run.reasons[planned.id])
        alike.setdefault((planned.address, reason, planned.kind), []).append(planned)
    return tuple(
        line_of(steps[0], reason)
        if len(steps) == 1
        else LedgerLine(address=address, what=_several(steps, kind), reason=reason)
        for (address, reason, kind), steps in alike.items()
    )


def _unknown(run: RunSnapshot) -> tuple[LedgerLine, ...]:
    return tuple(
        line_of(planned, _without_its_asset(planned, run.reasons.get(planned.id, "no response yet")))
        for planned in run.plan.steps
        if run.is_at(planned.id, StepStatus.RUNNING, StepStatus.UNKNOWN)
    )


def _not_started(run: RunSnapshot, running: set[Address]) -> tuple[LedgerLine, ...]:
    """A line for each resource with steps left, and the number of its steps that are neither done nor failed."""
    left = Counter(
        p.address
        for p in run.plan.steps
        if not run.is_at(p.id, StepStatus.DONE, StepStatus.FAILED) and not _is_being_drawn(p, run)
    )
    lines: dict[Address, LedgerLine] = {}
    for planned in run.plan.steps:
        if run.is_at(planned.id, StepStatus.DONE, StepStatus.FAILED, StepStatus.RUNNING, StepStatus.UNKNOWN):
            continue
        if planned.address in running and isinstance(planned.step, AwaitTraining):
            continue
        if _is_being_drawn(planned, run):
            continue
        if planned.address in lines:
            continue
        count = left[planned.address]
        reason = run.reasons.get(planned.id) or ("the price was not approved" if run.declined else None)
        if run.is_at(planned.id, StepStatus.HELD):
            reason = HELD_SAMPLE if isinstance(planned.step, DrawSample) else HELD
        lines[planned.address] = LedgerLine(
            address=planned.address, what=f"{count} step{'s' if count > 1 else ''}", reason=reason
        )
    return tuple(lines.values())


def _adopted(run: RunSnapshot) -> tuple[LedgerLine, ...]:
    steps = run.steps
    return tuple(
        line_of(steps[step_id], outcome.adopted, outcome.model_id or outcome.asset_id or outcome.job_id)
        for step_id, outcome in run.outcomes.items()
        if outcome.adopted is not None
    )


def _charged(run: RunSnapshot) -> float | None:
    """CU of this run's launches; None when the cost of one is unknown. A failed training is refunded."""
    costs = [charge.charged for charge in _charges(run)]
    known = [cost for cost in costs if cost is not None]
    return total(known) if len(known) == len(costs) else None


def _charges(run: RunSnapshot) -> tuple[TrainingCharge, ...]:
    """What each launch of this run was quoted and charged, as the state's account has it."""
    launched = {p.address: run.outcomes[p.id] for p in run.plan.steps if _is_launched(p, run)}
    entries = {(entry.address, entry.at): entry for entry in run.state.trainings}
    charges = []
    for address, outcome in sorted(launched.items()):
        entry = entries.get((address, outcome.at))
        if entry is None:
            charges.append(TrainingCharge(address=address, quoted=outcome.quoted, charged=outcome.cu))
            continue
        charge = TrainingCharge(
            address=address,
            quoted=entry.quoted,
            charged=entry.charged,
            discount=entry.discount,
            details=entry.details,
        )
        charges.append(charge)
    return (*charges, *_sample_charges(run))


def _sample_charges(run: RunSnapshot) -> Iterator[TrainingCharge]:
    """What the samples of this run were quoted and charged, added up for each resource."""
    launched: dict[Address, list[SampleEntry]] = {}
    entries = {entry.job_id: entry for entry in run.state.samples}
    for planned in run.plan.steps:
        outcome = run.outcomes.get(planned.id)
        if isinstance(planned.step, DrawSample) and outcome is not None and outcome.job_id in entries:
            launched.setdefault(planned.address, []).append(entries[outcome.job_id])
    for address in sorted(launched):
        yield sample_charge(address, launched[address])


def sample_charge(address: Address, of_resource: Sequence[SampleEntry]) -> TrainingCharge:
    """What several samples of a resource were quoted and charged together."""
    charged = [entry.charged for entry in of_resource]
    known = [cu for cu in charged if cu is not None]
    quoted = [entry.quoted for entry in of_resource if entry.quoted is not None]
    parts = dict.fromkeys(name for entry in of_resource for name in entry.details)
    return TrainingCharge(
        address=address,
        quoted=total(quoted) if len(quoted) == len(of_resource) else None,
        charged=total(known) if len(known) == len(charged) else None,
        discount=total(entry.discount or 0.0 for entry in of_resource) or None,
        details={name: total(entry.details.get(name, 0.0) for entry in of_resource) for name in parts},
        samples=len(of_resource),
    )


def _is_launched(planned: PlannedStep, run: RunSnapshot) -> bool:
    return isinstance(planned.step, StartTraining) and planned.id in run.outcomes


def _declined(run: RunSnapshot) -> str | None:
    """Why the price ended the run, and what there is."""
    if run.declined is None:
        return None
    made = sum(isinstance(planned.step, CreateModel) for step_id, planned in run.steps.items() if step_id in run.done)
    empty = "1 empty model is" if made == 1 else f"{made} empty models are"
    return f"{run.declined}. Nothing was uploaded or trained; {empty} recorded, which cost nothing."


def _status(
    run: RunSnapshot,
    running: tuple[LedgerLine, ...],
    failed: tuple[LedgerLine, ...],
    unknown: tuple[LedgerLine, ...],
    not_started: tuple[LedgerLine, ...],
) -> EndStatus:
    if run.is_interrupted:
        return "interrupted"
    if run.fatal is not None:
        return "stopped"
    if run.declined is not None:
        return "failed" if run.is_gated else "stopped"
    if failed:
        return "partial" if run.done else "failed"
    if running:
        return "running"
    if unknown or not_started:
        return "partial"
    return "done"
