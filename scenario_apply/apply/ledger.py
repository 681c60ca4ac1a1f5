"""The ledger of a run: done, running, failed, unknown, not started, spent, and the one command to go on with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.apply.events import EndStatus, Ledger, LedgerLine
from scenario_apply.apply.next_command import apply_again, next_command
from scenario_apply.model.address import Address
from scenario_apply.model.queue_wait import QUEUED_LONG_MEND, queued_too_long, queued_words
from scenario_apply.model.steps import AwaitTraining, DeleteModel, PlannedStep, StartTraining, UploadImage
from scenario_apply.planning.changes import Action
from scenario_apply.state.state import State, Version

if TYPE_CHECKING:
    from scenario_apply.apply.apply_plan import ApplyOptions
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.apply.run import Executor


def ledger_of(
    world: Environment,
    prepared: Prepared,
    state: State,
    executor: Executor | None,
    options: ApplyOptions,
    took_s: float,
    error: str | None = None,
) -> Ledger:
    """How a run ended, from what its executor did; executor None: there was nothing to do."""
    withheld = tuple(
        LedgerLine(address=address, what="delete", reason="needs consent: --allow-destroy")
        for address in prepared.plan.withheld
    )
    adopted = tuple(
        LedgerLine(address=a.address, what=a.what, reason=a.how, remote_id=a.remote_id) for a in prepared.adopted
    )
    if executor is None:
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
            requests=_sent(world),
            refused=_refused(world),
            took_s=took_s,
            next_command=apply_again(options, prepared.plan, None, consent=True) if withheld else None,
        )
    running = _running(executor, state, world.clock.now())
    failed = _failed(executor)
    unknown = _unknown(executor)
    not_started = (*_not_started(executor, {line.address for line in running}), *withheld)
    status = _status(executor, running, failed, unknown, not_started)
    return Ledger(
        status=status,
        done=_done(executor, state),
        running=running,
        failed=failed,
        unknown=unknown,
        not_started=not_started,
        adopted=(*adopted, *_adopted(executor)),
        requests=_sent(world),
        refused=_refused(world),
        cu_charged=_charged(executor),
        took_s=took_s,
        steps_done=len(executor.done),
        steps_total=len(executor.steps),
        error=error or (str(executor.fatal) if executor.fatal is not None else None),
        next_command=next_command(executor, options, status, (*unknown, *not_started), withheld),
        gated=executor.gated,
        counts=dict(Counter(executor.steps[step_id].kind for step_id in executor.done)),
    )


def stopped_ledger(
    world: Environment, prepared: Prepared, executor: Executor | None, options: ApplyOptions, took_s: float, error: str
) -> Ledger:
    """The ledger of a run that could not save what it did, or met a bug."""
    command = apply_again(options, prepared.plan, executor, unsaved=executor is None)
    if executor is None:
        return Ledger(
            status="stopped",
            error=error,
            requests=_sent(world),
            refused=_refused(world),
            took_s=took_s,
            next_command=command,
            begun=False,
        )
    ledger = ledger_of(world, prepared, executor.state, executor, options, took_s, error)
    return replace(ledger, status="stopped", next_command=command)


def line_of(planned: PlannedStep, reason: str | None = None, remote_id: str | None = None) -> LedgerLine:
    """A line about one step."""
    what: str = planned.kind
    if isinstance(planned.step, UploadImage):
        what = f"upload {planned.step.picture.path}"
    return LedgerLine(address=planned.address, what=what, reason=reason, remote_id=remote_id)


def _done(executor: Executor, state: State) -> tuple[LedgerLine, ...]:
    """A line per resource all of whose steps are done."""
    lines = []
    for change in executor.plan.changes:
        if change.action is Action.NONE or change.address in executor.plan.withheld:
            continue
        if all(step_id in executor.done for step_id in change.steps):
            record = state.records.get(change.address)
            remote_id = record.current.id if record is not None else None
            lines.append(LedgerLine(address=change.address, what=change.action.value, remote_id=remote_id))
    return tuple(lines)


def _running(executor: Executor, state: State, now: float) -> tuple[LedgerLine, ...]:
    """Trainings that go on: those the run waits for, and those it launched or was to wait for before it was stopped."""
    lines = []
    for address in sorted(executor.waiting.keys() | _left_training(executor, state)):
        record = state.records.get(address)
        line = LedgerLine(address=address, what="training", remote_id=record.working.id if record is not None else None)
        lines.append(replace(line, reason=_queued(executor, record.working, address, now) if record else None))
    return tuple(lines)


def _left_training(executor: Executor, state: State) -> set[Address]:
    """Of the trainings whose end was not seen, those that are recorded as begun, and not by a version before."""
    return {
        planned.address
        for step_id, planned in executor.steps.items()
        if isinstance(planned.step, AwaitTraining)
        and step_id not in executor.done
        and step_id not in executor.failed
        and all(need in executor.done for need in planned.after if need in executor.steps)
        and (record := state.records.get(planned.address)) is not None
        and record.working.phase == "training"
    }


def _queued(executor: Executor, version: Version, address: Address, now: float) -> str | None:
    """Where the last round saw the training in the queue, and what to do where it has been there for long."""
    seen = executor.seen.get(address)
    words = None if seen is None else queued_words(seen.status, seen.progress, version.launched_at)
    too_long = queued_too_long(version.launched_at, now)
    return words if words is None or too_long is None else f"{words}: {too_long}; {QUEUED_LONG_MEND}"


def _failed(executor: Executor) -> tuple[LedgerLine, ...]:
    """A line a failed step; twenty uploads refused for one reason are one line, which counts them."""
    alike: dict[tuple[Address, str, str], list[PlannedStep]] = {}
    for step_id, reason in executor.failed.items():
        planned = executor.steps[step_id]
        alike.setdefault((planned.address, reason, planned.kind), []).append(planned)
    return tuple(
        line_of(steps[0], reason)
        if len(steps) == 1
        else LedgerLine(address=address, what=f"{len(steps)} {kind}s", reason=reason)
        for (address, reason, kind), steps in alike.items()
    )


def _unknown(executor: Executor) -> tuple[LedgerLine, ...]:
    reasons = dict.fromkeys(executor.running, "no answer yet") | executor.unknown
    ordered = sorted(reasons, key=lambda step_id: executor.order[step_id])
    return tuple(line_of(executor.steps[step_id], reasons[step_id]) for step_id in ordered)


def _not_started(executor: Executor, running: set[Address]) -> tuple[LedgerLine, ...]:
    lines: dict[Address, LedgerLine] = {}
    for step_id, planned in executor.steps.items():
        if step_id in executor.done or step_id in executor.failed:
            continue
        if step_id in executor.running or step_id in executor.unknown:
            continue
        if planned.address in running and isinstance(planned.step, AwaitTraining):
            continue
        reason = executor.skipped.get(step_id)
        if reason is None and step_id in executor.ceiling:
            reason = "waits for another training to end"
        left = sum(
            1
            for other in executor.steps.values()
            if other.address == planned.address and other.id not in executor.done and other.id not in executor.failed
        )
        if isinstance(planned.step, DeleteModel) or planned.address not in lines:
            lines.setdefault(
                planned.address,
                LedgerLine(address=planned.address, what=f"{left} step{'s' if left > 1 else ''}", reason=reason),
            )
    return tuple(lines.values())


def _adopted(executor: Executor) -> tuple[LedgerLine, ...]:
    return tuple(
        line_of(executor.steps[step_id], outcome.adopted, outcome.model_id or outcome.asset_id or outcome.job_id)
        for step_id, outcome in executor.done.items()
        if outcome.adopted is not None
    )


def _charged(executor: Executor) -> float | None:
    """CU of this run's launches; None when a launch did not say. A failed training is refunded."""
    costs: dict[Address, float | None] = {}
    for step_id, outcome in executor.done.items():
        if isinstance(executor.steps[step_id].step, StartTraining):
            costs[executor.steps[step_id].address] = outcome.cu
    for record_address in costs:
        record = executor.state.records.get(record_address)
        if record is not None and record.working.charged is not None:
            costs[record_address] = record.working.charged
    if any(cost is None for cost in costs.values()):
        return None
    return sum(cost for cost in costs.values() if cost is not None)


def _status(
    executor: Executor,
    running: tuple[LedgerLine, ...],
    failed: tuple[LedgerLine, ...],
    unknown: tuple[LedgerLine, ...],
    not_started: tuple[LedgerLine, ...],
) -> EndStatus:
    if executor.stop.requested.is_set():
        return "interrupted"
    if executor.fatal is not None:
        return "stopped"
    if failed:
        return "partial" if executor.done else "failed"
    if running:
        return "running"
    if unknown or not_started:
        return "partial"
    return "done"


def _sent(world: Environment) -> int:
    return 0 if world.counter is None else world.counter.sent


def _refused(world: Environment) -> int:
    return 0 if world.counter is None else world.counter.refused
