"""Carries a plan out: check, do, save. The journal comes first, the state at the end, and a ledger in every case.

Stages: save what recovery found; write the edits; journal; run the steps; save; remove the journal; ledger.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable

from msgspec import structs
from msgspec.structs import replace

from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.environment import Environment
from scenario_apply.apply.events import Event, Ledger, RunStarted
from scenario_apply.apply.launch_gates import Launching
from scenario_apply.apply.ledger import RunTotals, ledger_of, stopped_ledger
from scenario_apply.apply.prepare import Prepared
from scenario_apply.apply.price_round import PriceRound
from scenario_apply.apply.run import Run
from scenario_apply.apply.run_snapshot import RunSnapshot
from scenario_apply.apply.schedule import StepStatus
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.dataset.types import Image
from scenario_apply.errors import GateClosed, StateError, StateNotSaved
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess
from scenario_apply.model.steps import UploadImage
from scenario_apply.planning.changes import Action, Change
from scenario_apply.planning.state_edit import edited
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Journal
from scenario_apply.state.stores.provenance import noted
from scenario_apply.state.stores.rescue import Rescue

CHANGES_NAMED = 8
"""Changes that an entry of the history names; the others are counted."""


def apply_plan(
    environment: Environment,
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
    started_at = environment.clock.monotonic()
    run_id = uuid.uuid4().hex[:12]
    emit(RunStarted(plan=plan, run_id=run_id, resumed=prepared.has_journal))
    for adopted in prepared.adopted:
        emit(adopted)
    state = edited(prepared.state, prepared.edits)
    run: Run | None = None

    def snapshot() -> RunSnapshot | None:
        return None if run is None else run.snapshot()

    def totals() -> RunTotals:
        clock, counter = environment.clock, environment.counter
        return RunTotals(
            now=clock.now(),
            took_s=clock.monotonic() - started_at,
            sent=0 if counter is None else counter.sent,
            refused=0 if counter is None else counter.refused,
        )

    try:
        if not plan.steps and (prepared.edits or prepared.took_over):
            state = _noted(environment, prepared, state, root, options, plan.changes)
        state = environment.store.save(state)
        environment.store.discard_journal()  # the state that was just written holds all of it
        if plan.steps:
            environment.store.keep_backup()
            with environment.store.begin_journal(run_id) as journal:
                run = _run(environment, prepared, state, journal, root, options, emit, stop)
                state = _carry_out(
                    environment,
                    run,
                    lambda done: _noted(environment, prepared, done.state, root, options, _touched(done)),
                )
        ledger = ledger_of(prepared, state, snapshot(), options, totals())
    except StateError as error:
        ledger = _rescued_ledger(environment, prepared, state, run, error, options, totals())
    except Exception as error:  # a bug; the journal holds what was done
        text = f"unexpected {type(error).__name__}: {error}"
        emit(stopped_ledger(prepared, snapshot(), options, totals(), text))
        raise
    emit(ledger)
    return ledger


def _rescued_ledger(
    environment: Environment,
    prepared: Prepared,
    state: State,
    run: Run | None,
    error: StateError,
    options: ApplyOptions,
    totals: RunTotals,
) -> Ledger:
    """What was done is in the journal, as far as the disk accepted it, and in a rescue file if one can be written."""
    rescued = _rescued(environment, prepared, state, run, error)
    snapshot = None if run is None else run.snapshot()
    ledger = stopped_ledger(prepared, snapshot, options, totals, rescued.text)
    if rescued.is_lost:
        return replace(ledger, next_command=None)
    if rescued.first is None:
        return ledger
    return replace(ledger, next_command=f"{rescued.first} && {ledger.next_command}")


def _run(
    environment: Environment,
    prepared: Prepared,
    state: State,
    journal: Journal,
    root: str,
    options: ApplyOptions,
    emit: Callable[[Event], None],
    stop: StopSignal,
) -> Run:
    return Run(
        environment,
        prepared.plan,
        state,
        journal,
        read=reader(root, options.outside, options.remote),
        emit=emit,
        stop=stop,
        launching=Launching(prepared.limits, emit, prepared.problems, may_launch=options.may_launch),
        options=options,
        prices=PriceRound(prepared),
    )


def _carry_out(environment: Environment, run: Run, noted: Callable[[RunSnapshot], State]) -> State:
    """Run, save, and remove the journal unless it holds a request whose result is unknown."""
    journal = run.journal
    try:
        run.run()
    finally:
        # also after an unexpected error: what was done is saved, requests without a response stay journalled
        with contextlib.suppress(StateNotSaved):
            journal.flush()
    ended = run.snapshot()
    if isinstance(ended.fatal, StateError):
        raise ended.fatal
    state = noted(ended) if ended.done else ended.state
    return environment.store.end_run(state, journal, has_open_calls=run.has_open_calls)


def _touched(run: RunSnapshot) -> tuple[Change, ...]:
    """The changes that got anywhere: a step was done, or the record was edited."""
    return tuple(c for c in run.plan.changes if c.edit or any(step in run.outcomes for step in c.steps))


def _noted(
    environment: Environment,
    prepared: Prepared,
    state: State,
    root: str,
    options: ApplyOptions,
    changes: tuple[Change, ...],
) -> State:
    """The state with a history entry on what this run did."""
    named = [f"{change.action.value} {change.address}" for change in changes if change.action is not Action.NONE]
    named += list(dict.fromkeys(f"refresh {one.what} of {one.address}" for one in prepared.took_over))
    more = len(named) - CHANGES_NAMED
    what = ", ".join(named[:CHANGES_NAMED]) + (f" and {more} more" if more > 0 else "")
    digest = prepared.plan.source.manifest_digest
    command = options.command_line or options.command
    return noted(state, environment.clock, command=command, what=what, manifest=digest, root=root)


def reader(
    root: str, outside: frozenset[str] = frozenset(), remote: RemoteAccess = NO_REMOTE
) -> Callable[[UploadImage], bytes]:
    """Reads an image right before it is sent, checks it against the planned digest, and alters it as its recipe says.

    outside: files that may lie outside the root. remote: URLs that may be read.
    """
    from scenario_apply.dataset.scan.virtual_files import VirtualFiles

    virtual = VirtualFiles(remote)

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
            recipe=picture.recipe,
        )
        return read_for_upload(root, image, may_leave=picture.file in outside, virtual=virtual)

    return read


def _rescued(environment: Environment, prepared: Prepared, state: State, run: Run | None, error: StateError) -> Rescue:
    """Write an emergency copy of what the run knows."""
    journal = None
    settled: set[str] = set()
    if run is not None:
        ended = run.snapshot()
        state, journal = ended.state, run.journal
        settled = {
            step_id for step_id, status in ended.status.items() if status in (StepStatus.DONE, StepStatus.FAILED)
        }
    state = structs.replace(state, lineage=state.lineage or str(uuid.uuid4()))
    return environment.store.rescue(state, journal, error, settled=settled, has_journal=prepared.has_journal)
