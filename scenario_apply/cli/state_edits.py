"""Manual edits of a state: under its lock, and only when no interrupted run left a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from scenario_apply.errors import StateDamaged, StateError
from scenario_apply.state.state import State

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.state.stores.state_store import StateStore


class Edit(Struct, frozen=True, kw_only=True):
    """The current state, and a function that saves the next one."""

    state: State
    save: Callable[[State], State]


@contextmanager
def edited_state(
    store: StateStore, call: Invocation, command: str, what: str, *, replaces_damaged: bool = False
) -> Iterator[Edit]:
    """Holds the lock. what: for the state's history.

    replaces_damaged: a state that cannot be read counts as an empty one, and is kept in backups/ when another is saved.
    Raises StateError when a journal of an interrupted run exists.
    """
    from scenario_apply.cli.command_lines import again
    from scenario_apply.state.stores.provenance import noted
    from scenario_apply.state.stores.state_store import Loaded

    with store.locked(command, call.settings.lock_timeout_s) as notes:
        for note in notes:
            call.tell(note)
        damaged: bytes | None = None
        try:
            loaded = store.load()
        except StateDamaged:
            damaged = store.take() if replaces_damaged else None
            if damaged is None:
                raise
            loaded = Loaded(state=State())
        if loaded.has_journal:
            raise StateError(
                "an earlier run was interrupted and left a journal",
                code="journal-left",
                hint=f"first run {again({}, call.settings, 'apply')}, which completes the state from it",
            )

        def save(state: State) -> State:
            if damaged is not None:
                store.put_away(damaged)
            return store.save(
                noted(state, store.clock, command=call.command_line() or f"scenario-apply {command}", what=what)
            )

        yield Edit(state=loaded.state, save=save)
