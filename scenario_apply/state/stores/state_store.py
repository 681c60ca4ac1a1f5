"""What planning, apply and the commands need of a state store, whatever keeps the state.

FileStore keeps it in a file, RemoteStore (remote/) in an object store, PostgreSQL or behind HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from scenario_apply.errors import StateError
from scenario_apply.model.ports import Clock
from scenario_apply.state.baseline import NO_BASELINE, Baseline
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote
from scenario_apply.state.stores.journal import Journal, Unanswered
from scenario_apply.state.stores.lock import Holder

if TYPE_CHECKING:
    from scenario_apply.state.stores.rescue import Rescue


class Loaded(Struct, frozen=True, kw_only=True):
    """A state as it was found. has_journal: a run before this one did not end properly."""

    state: State
    unanswered: tuple[Unanswered, ...] = ()
    has_journal: bool = False
    baseline: Baseline = NO_BASELINE


class StateStore(Protocol):
    """One state in one place. shown: its path, or its URL without secrets, for messages.

    Reading raises StateDamaged, StateNewer, or StateForeign for another endpoint or project; a store that cannot be
    reached raises StoreUnavailable from every method.
    """

    shown: str
    endpoint: str | None
    project: str | None
    tool_version: str
    clock: Clock

    def read(self) -> State:
        """The state, with what an interrupted run left replayed in memory. Writes nothing."""
        ...

    def load(self) -> Loaded:
        """The same, with the calls of that run that were never answered. Writes nothing."""
        ...

    @property
    def content(self) -> bytes | None:
        """The document as it was last read or written; None when there is none."""
        ...

    def read_other(self, content: bytes, source: str) -> State:
        """A state from somewhere else. Raises StateDamaged, StateNewer or StateForeign like load()."""
        ...

    def earlier_states(self) -> Iterator[tuple[str, State]]:
        """The backups that can be read, newest first, each with its name."""
        ...

    def pushable(self, held: State, pushed: State, *, force: bool) -> State:
        """The pushed state, ready to be saved in place of the one that is held. Raises StateForeign."""
        ...

    def save(self, state: State, journal: Journal | None = None, *, back_up: bool = True) -> State:
        """Write the state if it differs from what is there; the state as written. journal: the run it comes from.

        Raises StateForeign when another process wrote meanwhile, StateNotSaved when it cannot be written.
        """
        ...

    def check_unchanged(self) -> None:
        """Raises StateError when this run may pay for nothing any more: its state or lock is gone. For any thread."""
        ...

    def take(self) -> bytes | None:
        """The document as it is, readable or not; None when there is none. What is saved next takes its place."""
        ...

    def put_away(self, content: bytes) -> None:
        """Keep a state that could not be read as a backup, before it is written over."""
        ...

    def resume(self, note: JournalNote | None) -> None:
        """What is saved next holds so much of the journal that an interrupted run left."""
        ...

    def keep_backup(self) -> None:
        """A backup of the state as it is: with the journal of the run that begins now it is enough to restore all."""
        ...

    def content_of(self, state: State, journal: Journal | None = None) -> bytes:
        """The state as save() would write it next, for another place."""
        ...

    def retire(self, moved_to: str) -> str:
        """After the state that load() read was written to another place: keep it so that no run takes it for the state.

        moved_to: what readers are told. Returns where the copy is. Raises StateError.
        """
        ...

    def locked(self, command: str, timeout_s: float = 0) -> AbstractContextManager[list[str]]:
        """Hold the lock; yields notes for the user. Raises StateLocked, which names the holder."""
        ...

    def force_unlock(self) -> Holder | None:
        """Break the lock; whose it was. None when there was none."""
        ...

    def still_running(self) -> str | None:
        """What to know of the run that holds the lock before that is broken; None when that run has ended."""
        ...

    def begin_journal(self, run_id: str) -> Journal:
        """The journal of a run that begins now. save() was called before. Raises StateError."""
        ...

    def end_run(self, state: State, journal: Journal, *, has_open_calls: bool) -> State:
        """The last save of a run, which removes its journal unless that holds calls whose outcome is unknown."""
        ...

    def discard_journal(self) -> None:
        """Remove what an interrupted run left, after its content was saved. Raises StateForeign, StateNotSaved."""
        ...

    def journal_run(self) -> str | None:
        """The run that left its journal for the next one; None when there is none. Raises StateDamaged."""
        ...

    def rescue(
        self,
        state: State,
        journal: Journal | None,
        error: StateError,
        *,
        settled: Collection[str] = (),
        has_journal: bool = False,
    ) -> Rescue:
        """Write down what a run knows, somewhere, and the way back. journal: None for a run that had not begun.

        settled: steps whose end is known. has_journal: an earlier run left one, which this one had replayed.
        """
        ...
