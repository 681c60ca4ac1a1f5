"""Carry a plan out: look, do, save. Journal first, state at the end, and a ledger on every way out.

Stages: save what recovery found; write the edits; journal; walk the graph; save; remove the journal; ledger.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.environment import Environment
from scenario_apply.apply.events import Event, Ledger, RunStarted
from scenario_apply.apply.launch_gates import Launching
from scenario_apply.apply.ledger import ledger_of, stopped_ledger
from scenario_apply.apply.prepare import Prepared
from scenario_apply.apply.run import Run, RunOptions
from scenario_apply.apply.run_snapshot import RunSnapshot
from scenario_apply.apply.schedule import StepStatus
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.dataset.types import Image
from scenario_apply.errors import GateClosed, StateError, StateNotSaved
from scenario_apply.model.steps import UploadImage
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.state_edit import edited
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Journal
from scenario_apply.state.stores.provenance import noted
from scenario_apply.state.stores.rescue import Rescue, rescue

CHANGES_TOLD = 8
"""Changes a line of history names; the rest is counted."""


def apply_plan(
    world: Environment,
    prepared: Prepared,
    root: str,
    options: ApplyOptions,
    emit: Callable[[Event], None],
    stop: StopSignal,
) -> Ledger:
    """Carry the plan out; the caller holds the lock. root: folder that the plan's files are relative to.

    Every error of the run is in the ledger, which is also the last event. Raises GateClosed for a blocked plan.
    """
    plan = prepared.plan
    if plan.blocked:
        raise GateClosed(plan.blocked[0].message, problems=plan.blocked)
    started_at = world.clock.monotonic()
    run_id = uuid.uuid4().hex[:12]
    emit(RunStarted(plan=plan, run_id=run_id, resumed=prepared.has_journal))
    for adopted in prepared.adopted:
        emit(adopted)
    state = edited(prepared.state, prepared.edits)
    run: Run | None = None

    def snapshot() -> RunSnapshot | None:
        return None if run is None else run.snapshot()

    def took_s() -> float:
        return world.clock.monotonic() - started_at

    try:
        if not plan.steps and prepared.edits:
            state = _noted(world, prepared, state, root, options, plan.changes)
        state = world.store.save(state)
        world.store.discard_journal()  # all of it is in the state that was just written
        if plan.steps:
            store, guard = world.store, world.store.check_unchanged
            with Journal(store.journal_path, run_id, world.clock.now(), guard, store.folder) as journal:
                run = _run(world, prepared, state, journal, root, options, emit, stop)
                state = _carry_out(
                    world, run, lambda done: _noted(world, prepared, done.state, root, options, _touched(done))
                )
        ledger = ledger_of(world, prepared, state, snapshot(), options, took_s())
    except StateError as error:
        # what was done is in the journal where the disk took it, and in a rescue file where one can be written
        rescued = _rescued(world, prepared, state, run, error)
        ledger = stopped_ledger(world, prepared, snapshot(), options, took_s(), rescued.text)
        if rescued.is_lost:
            ledger = replace(ledger, next_command=None)
        elif rescued.first is not None:
            ledger = replace(ledger, next_command=f"{rescued.first} && {ledger.next_command}")
    except Exception as error:  # a bug of ours; the journal holds what was done, and the error is raised again
        text = f"unexpected {type(error).__name__}: {error}"
        emit(stopped_ledger(world, prepared, snapshot(), options, took_s(), text))
        raise
    emit(ledger)
    return ledger


def _run(
    world: Environment,
    prepared: Prepared,
    state: State,
    journal: Journal,
    root: str,
    options: ApplyOptions,
    emit: Callable[[Event], None],
    stop: StopSignal,
) -> Run:
    return Run(
        world,
        prepared.plan,
        state,
        journal,
        read=reader(root, options.outside),
        emit=emit,
        stop=stop,
        launching=Launching(prepared.limits, emit),
        options=RunOptions(
            parallelism=options.parallelism,
            poll_interval_s=options.poll_interval_s,
            timeout_s=options.timeout_s,
            wait=options.wait,
            gone=frozenset(address for address, edit in prepared.edits.items() if edit.gone),
        ),
    )


def _carry_out(world: Environment, run: Run, noted: Callable[[RunSnapshot], State]) -> State:
    """Run, save, and remove the journal unless it holds a call that nobody knows the end of."""
    journal = run.journal
    try:
        run.run()
    finally:
        # also on the way out of an unexpected error: what was done is saved, what is unanswered stays journalled
        with contextlib.suppress(StateNotSaved):
            journal.flush()
    ended = run.snapshot()
    if isinstance(ended.fatal, StateError):
        raise ended.fatal
    state = world.store.save(noted(ended) if ended.done else ended.state, journal)
    if run.has_open_calls:
        journal.check_there()  # what it holds is nowhere else
    else:
        journal.remove()
    return state


def _touched(run: RunSnapshot) -> tuple[Change, ...]:
    """The changes that got anywhere: a step was done, or the record was edited."""
    return tuple(c for c in run.plan.changes if c.edit or any(step in run.outcomes for step in c.steps))


def _noted(
    world: Environment, prepared: Prepared, state: State, root: str, options: ApplyOptions, changes: tuple[Change, ...]
) -> State:
    """The state with a line of history on what this run did."""
    told = [f"{change.action.value} {change.address}" for change in changes if change.action is not Action.NONE]
    more = len(told) - CHANGES_TOLD
    what = ", ".join(told[:CHANGES_TOLD]) + (f" and {more} more" if more > 0 else "")
    digest = prepared.plan.source.manifest_digest
    return noted(state, world.clock, command=options.command, what=what, manifest=digest, root=root)


def reader(root: str, outside: frozenset[str] = frozenset()) -> Callable[[UploadImage], bytes]:
    """Reads the bytes of a picture about to be sent, once more checked against the digest that was planned.

    outside: files that may lie outside the root.
    """

    def read(step: UploadImage) -> bytes:
        from scenario_apply.dataset.scan.scan_all import read_for_upload

        picture = step.picture
        image = Image(
            path=picture.path,
            file=picture.file,
            sha256=picture.sha256,
            size_bytes=picture.size_bytes,
            mime=picture.mime,
            width=0,
            height=0,
            caption=None,
        )
        return read_for_upload(root, image, may_leave=picture.file in outside)

    return read


def _rescued(world: Environment, prepared: Prepared, state: State, run: Run | None, error: StateError) -> Rescue:
    """What the run knows, written down somewhere."""
    journal = None
    settled: set[str] = set()
    if run is not None:
        ended = run.snapshot()
        state, journal = ended.state, run.journal
        settled = {
            step_id for step_id, status in ended.status.items() if status in (StepStatus.DONE, StepStatus.FAILED)
        }
    state = structs.replace(state, lineage=state.lineage or str(uuid.uuid4()))
    return rescue(world.store, state, journal, error, settled=settled, has_journal=prepared.has_journal)
