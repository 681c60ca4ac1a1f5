"""What to do when a run cannot save in its remote store, or a state there cannot be read.

The store holds the calls of the run, and this machine its journal: mostly the next apply finds all of it. Only where
the state itself is gone, or an earlier one took its place, the rescue file has to be pushed first.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Protocol

from scenario_apply.errors import StateDamaged, StateError, StateForeign
from scenario_apply.state.state import State
from scenario_apply.state.state_file import DuplicateKey, read_state_file, state_of
from scenario_apply.state.stores.backups import ADOPT_HINT, lineage_in, of_another_kind, unknown_to
from scenario_apply.state.stores.journal import Journal
from scenario_apply.state.stores.remote.backend import LeaseLost
from scenario_apply.state.stores.rescue import Rescue, written_rescue

_IDS_SHOWN = 5


class RescuedStore(Protocol):
    """What RemoteStore offers to a rescue."""

    shown: str
    journal_path: str

    @property
    def content(self) -> bytes | None: ...
    def content_of(self, state: State, journal: Journal | None = None) -> bytes: ...
    def look(self) -> bytes | None: ...


def rescue_from_store(store: RescuedStore, state: State, journal: Journal | None, error: StateError) -> Rescue:
    """Write down what the run knows in a file of this machine. journal: None for a run that had not begun."""
    is_over = isinstance(error, LeaseLost)
    push = None if is_over or not isinstance(error, StateForeign) else _push(store, state)
    try:
        path = written_rescue(store.content_of(state, journal), ".json")
    except OSError as refusal:
        return _nothing_written(store, error, refusal, is_lost=push is not None)
    known = f"What this run knows is in {path}"
    if push is not None:
        command = shlex.join(["scenario-apply", "state", "push", path, "--state", store.shown, *push])
        return Rescue(
            text=f"{error}. {known}: push it before anything else, or the next apply makes and trains everything a "
            "second time",
            first=command,
        )
    if is_over or isinstance(error, StateForeign):
        return Rescue(
            text=f"{error}. Nothing was overwritten: let the other run end, then apply again, which finds what this "
            f"one began. {known}, too"
        )
    command = shlex.join(["scenario-apply", "state", "push", path, "--state", store.shown])
    return Rescue(
        text=f"{error}. {known}. The next apply finds it by itself, in the store and in {store.journal_path}. Only if "
        f"the store has lost the state by then: {command}"
    )


def _push(store: RescuedStore, state: State) -> tuple[str, ...] | None:
    """The options of the push that has to come first; None where none has to: another run has gone on from here."""
    try:
        content = store.look()
        if content is None:
            return ()
        if content == store.content:
            return None
        there = state_of(read_state_file(content, source=store.shown), source=store.shown)
    except StateError:
        return None  # this cannot be checked: what is there is damaged, or the store does not answer
    if there.lineage == state.lineage:
        return None if there.serial > state.serial else ()
    return ("--force",)


def _nothing_written(store: RescuedStore, error: StateError, refusal: OSError, *, is_lost: bool) -> Rescue:
    text = f"{error}. No rescue file could be written either ({refusal.strerror})"
    if not is_lost:
        return Rescue(text=f"{text}; the store and the journal {store.journal_path} have what they took")
    return Rescue(
        text=f"{text}: nothing says what this run made. Push an earlier state to {store.shown} and import what the "
        "service has beside it, or delete that there, before the next apply",
        is_lost=True,
    )


def damaged_in_store(
    damaged: StateDamaged, content: bytes, shown: str, earlier: Iterable[tuple[str, State]]
) -> StateDamaged:
    """The same error with the way back. content: of the damaged state; earlier: backups, newest first."""
    what = damaged.problems[0].message
    other = of_another_kind(content, shown)
    if other is not None:
        return other
    if isinstance(damaged, DuplicateKey):
        return StateDamaged(what, hint="keep the right one of the two entries; nothing was changed")
    lineage = lineage_in(content)
    newest = next((found for found in earlier if lineage is None or found[1].lineage == lineage), None)
    push = shlex.join(["scenario-apply", "state", "push", "FILE", "--force", "--state", shown])
    if newest is None:
        hint = f"restore a version that the store keeps, or save one as FILE and push it: {push}. {ADOPT_HINT}"
        return StateDamaged(what, hint=f"{hint}; nothing was changed")
    name, state = newest
    lost = unknown_to(state, content)
    named = ", ".join(lost[:_IDS_SHOWN]) + (f" and {len(lost) - _IDS_SHOWN} more" if len(lost) > _IDS_SHOWN else "")
    unknown = f". It does not know {named}, which an apply would make and pay for again. {ADOPT_HINT}" if lost else ""
    hint = f"save the backup {name} (serial {state.serial}) as FILE, then: {push}{unknown}"
    return StateDamaged(what, hint=f"{hint}; nothing was changed")
