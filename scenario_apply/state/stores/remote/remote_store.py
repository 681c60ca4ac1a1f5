"""A state store on a backend: one document with its version, a lease, and what a run must leave for other machines.

The document carries a note during a run: only then the records of its calls, and the journal that the run left
on this machine, are looked at. So a plan of nothing reads one object.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.errors import ScenarioApplyError, StateDamaged, StateError, StateForeign, StateNotSaved
from scenario_apply.model import codec
from scenario_apply.model.ports import Clock
from scenario_apply.state.conflict import conflict_of
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote, file_of, read_state_file, state_of
from scenario_apply.state.stores.backups import conflicted
from scenario_apply.state.stores.document_store import DocumentStore
from scenario_apply.state.stores.journal import Journal, Replayed, replay, replayed, run_of
from scenario_apply.state.stores.lock import Holder, this_process
from scenario_apply.state.stores.own_files import OwnFolder, hint_of
from scenario_apply.state.stores.remote.backend import StateBackend, StoreUnavailable
from scenario_apply.state.stores.remote.lease_keeper import Elapsed, LeaseKeeper, elapsed_s, take_lease
from scenario_apply.state.stores.remote.open_calls import lines_of_run, names_of_run, run_of_records
from scenario_apply.state.stores.remote.store_journal import StoreJournal
from scenario_apply.state.stores.state_store import Loaded

if TYPE_CHECKING:
    from scenario_apply.state.stores.rescue import Rescue


class RemoteStore(DocumentStore):
    """One state behind a backend. The rest of a run's journal is a file in a folder of this machine."""

    def __init__(
        self,
        backend: StateBackend,
        *,
        endpoint: str | None,
        project: str | None,
        tool_version: str,
        clock: Clock,
        journal_folder: OwnFolder,
        elapsed: Elapsed = elapsed_s,
    ) -> None:
        """journal_folder: in .scenario/ of the manifest's root. elapsed: see lease_keeper.elapsed_s."""
        super().__init__(backend.shown, endpoint=endpoint, project=project, tool_version=tool_version, clock=clock)
        self._backend = backend
        self._folder = journal_folder
        name = f"{hashlib.sha256(backend.shown.encode()).hexdigest()[:16]}.journal"
        self.journal_path = os.path.join(journal_folder.path, name)
        self._elapsed = elapsed
        self._keeper: LeaseKeeper | None = None
        self._version: str | None = None
        self._noted: JournalNote | None = None  # what the document says of a run that did not end
        self._found: tuple[str, ...] = ()  # records that load() saw
        self._recovered: str | None = None  # the run that load() found without its end
        self._is_backed_up = False  # the document that was read or written last

    # -- reading

    def read(self) -> State:
        """The state, with what an interrupted run left replayed in memory. Writes nothing."""
        return self.load().state

    def load(self) -> Loaded:
        """The state, and the calls of an interrupted run that were never answered. Writes nothing.

        Raises StateDamaged, StateNewer, StateForeign for another endpoint or project, StoreUnavailable.
        """
        content = self._fetched()
        if content is None:
            return Loaded(state=State(endpoint=self.endpoint, project=self.project))
        try:
            held = read_state_file(content, source=self.shown)
            state = state_of(held, source=self.shown)
        except StateDamaged as damaged:
            raise self._with_way_back(damaged, content) from damaged
        if self._keeper is not None:
            self._refuse_newer(held)
        self._content, self._file, self._noted = content, held, held.journal or None
        self._check_owner(state)
        left = self._left_by_a_run(state)
        if left is None:
            return Loaded(state=state)
        return Loaded(state=left.state, unanswered=left.unanswered, has_journal=True, baseline=left.baseline)

    def take(self) -> bytes | None:
        """The document as it is, readable or not; None when there is none. What is saved next takes its place."""
        content = self._fetched()
        if content is None:
            return None
        try:
            self._noted = read_state_file(content, source=self.shown).journal or None
        except ScenarioApplyError:  # the caller says what is wrong with it
            if (run := run_of_records(self._backend.calls(), self.shown)) is not None:
                self._leftover = JournalNote(run=run, lines=0, open=())
        return content

    def _fetched(self) -> bytes | None:
        self._content, self._file, self._leftover, self._noted, self._found = None, None, None, None, ()
        self._is_backed_up = False
        stored = self._backend.read()
        self._version = None if stored is None else stored.version
        return None if stored is None else stored.content

    def _left_by_a_run(self, state: State) -> Replayed | None:
        """What the run left that the state names: its journal on this machine, its records in the store, or both."""
        note = self._noted
        if note is None:
            return None
        records = self._backend.calls()
        self._found, self._recovered = tuple(name for name, _ in records), note.run
        lines = lines_of_run(records, note.run, self.shown)
        if run_of(self.journal_path, self._folder) == note.run:
            return replay(self.journal_path, state, note, self._folder, lines)
        if not lines:
            return None
        found = replayed(f"of a run, beside the state {self.shown},", lines, note, state, note.run)
        calls = tuple(with_fields(call, is_foreign=True) for call in found.unanswered)
        return with_fields(found, unanswered=calls)

    def journal_run(self) -> str | None:
        """The run that the document, as it was read last, names as not ended; None when it names none."""
        return None if self._noted is None else self._noted.run

    def read_other(self, content: bytes, source: str) -> State:
        """A state from somewhere else. What it notes of a run that left calls here stays with it when it is saved."""
        state = super().read_other(content, source)
        note = read_state_file(content, source=source).journal or None
        if note is not None:
            is_here = run_of(self.journal_path, self._folder) == note.run
            left = is_here or names_of_run(self._backend.calls(), note.run, self.shown)
            self._leftover = note if left else None
        return state

    def earlier_states(self) -> Iterator[tuple[str, State]]:
        """The backups that can be read, newest first, each with its name."""
        for name, content in self._backend.backups():
            with contextlib.suppress(ScenarioApplyError):
                yield name, state_of(read_state_file(content, source=name), source=name)

    def _with_way_back(self, damaged: StateDamaged, content: bytes) -> StateDamaged:
        conflict = conflict_of(content)
        if conflict is not None:
            return conflicted(self.shown, conflict)
        from scenario_apply.state.stores.remote.store_rescue import damaged_in_store

        return damaged_in_store(damaged, content, self.shown, self.earlier_states())

    # -- writing

    def save(self, state: State, journal: Journal | None = None, *, back_up: bool = True) -> State:
        """Write the state if it differs from what is there; the state as written. journal: the run it comes from.

        Without a journal the note of a run that did not end goes, even if nothing else changes.
        Raises StateForeign when another process wrote meanwhile, LeaseLost, StoreUnavailable.
        """
        if not isinstance(journal, StoreJournal):
            return self._saved(state, self._leftover, back_up=back_up, may_wait=False)
        note = journal.note()
        state = self._saved(state, note, back_up=back_up, may_wait=True)
        if self._noted == note:
            with contextlib.suppress(StoreUnavailable):  # what stays is deleted with others later
                journal.saved(note)
        return state

    def _saved(self, state: State, note: JournalNote | None, *, back_up: bool, may_wait: bool) -> State:
        """may_wait: a note that differs from the document's is no reason to write."""
        state = self._identified(state)
        self.check_unchanged()
        if self._file is not None:
            self._refuse_newer(self._file)
            same = self._file.says_the_same(file_of(state, tool_version=self.tool_version))
            if same and (may_wait or note == self._noted):
                return state
        return self._written(state, note, back_up=back_up)

    def _written(self, state: State, note: JournalNote | None, *, back_up: bool) -> State:
        state = replace(state, serial=self._next_serial(state))
        file = file_of(state, tool_version=self.tool_version, journal=note)
        content = codec.document(file)
        if back_up:
            self.keep_backup()
        self._version = self._backend.write(content, replacing=self._version)
        self._content, self._file, self._noted = content, file, note
        self._is_backed_up = not back_up  # what a run writes in between is none of the last states
        if back_up:
            with contextlib.suppress(StoreUnavailable):  # the state itself is written
                self.keep_backup()
        return state

    def _next_serial(self, state: State) -> int:
        held = 0 if self._file is None else self._file.serial
        return max(state.serial, held, self._backend.written_serial) + 1

    def check_unchanged(self) -> None:
        """Raises LeaseLost when the lease of this run is gone, StoreUnavailable when that is not known in time."""
        if self._keeper is not None:
            self._keeper.check()

    def keep_backup(self) -> None:
        """A backup of the state as it is, unless there is one."""
        if self._content is not None and self._file is not None and not self._is_backed_up:
            self._backend.keep_backup(self._file.serial, self._content)
            self._is_backed_up = True

    def look(self) -> bytes | None:
        """The document as it is now. What this store holds of it stays."""
        stored = self._backend.read()
        return None if stored is None else stored.content

    def put_away(self, content: bytes) -> None:
        """Keep a state that could not be read as a backup, before it is written over."""
        self._backend.keep_backup(0, content)

    def retire(self, moved_to: str) -> str:
        """Mark the state that load() read as moved: it is kept, and every reader is told where it is now."""
        assert self._file is not None
        self.check_unchanged()
        self.keep_backup()
        content = codec.document(replace(self._file, moved_to=moved_to))
        self._version = self._backend.write(content, replacing=self._version)
        self._content, self._file = None, None
        return self.shown

    # -- the lease

    @contextlib.contextmanager
    def locked(self, command: str, timeout_s: float = 0) -> Iterator[list[str]]:
        """Hold the lease; yields notes for the user. Raises StateLocked, StoreUnavailable."""
        holder = this_process(command, self.clock)
        keeper, notes = take_lease(self._backend, holder, self.clock, timeout_s, self._elapsed)
        self._keeper = keeper
        keeper.start()
        try:
            yield notes
        except BaseException:
            keeper.end(is_quiet=True)
            raise
        else:
            keeper.end(is_quiet=False)
        finally:
            self._keeper = None

    def force_unlock(self) -> Holder | None:
        """Break the lease; whose it was."""
        return self._backend.break_lock()

    def still_running(self) -> str | None:
        """What to know of the run whose lease has not expired; None when there is none."""
        holder = self._backend.holder()
        if holder is None:
            return None
        seconds = math.ceil(self._backend.renew_every_s)
        return (
            f"the run of {holder.who} may still be going on. Within {seconds} s it looks at its lease and stops before "
            "its next paid request: start no other run until then"
        )

    def close(self) -> None:
        """Close connections."""
        self._backend.close()

    # -- the run

    def begin_journal(self, run_id: str) -> Journal:
        """The journal of a run that begins now, once the document names it. Raises StateError."""
        assert self._file is not None, "a run saves its state first"
        self.check_unchanged()
        self._clear_away()
        note = JournalNote(run=run_id, lines=0, open=())
        self._written(state_of(self._file, source=self.shown), note, back_up=False)
        with contextlib.suppress(OSError):  # a folder that takes none works without it
            self._folder.ignore_all()
        now = self.clock.now()
        return StoreJournal(self._backend, self.journal_path, run_id, now, self.check_unchanged, self._folder)

    def _clear_away(self) -> None:
        """Records of runs whose end is recorded. Raises StateForeign for a run that continues without its lease."""
        records = self._backend.calls()
        run = self._recovered
        if run is not None and set(names_of_run(records, run, self.shown)) - set(self._found):
            raise StateForeign(
                f"the run before this one still goes on: it has sent a request since the state {self.shown} was read",
                hint="end it, then apply again: what it made is found",
            )
        if records:
            self._backend.delete_calls([name for name, _ in records])

    def end_run(self, state: State, journal: Journal, *, has_open_calls: bool) -> State:
        """The last save of a run, which removes its journal unless that holds calls whose outcome is unknown."""
        assert isinstance(journal, StoreJournal)
        note = journal.note() if has_open_calls else None
        state = self._saved(state, note, back_up=True, may_wait=False)
        with contextlib.suppress(StoreUnavailable):  # what stays is deleted when the next run begins
            if note is not None:
                journal.saved(note)
            elif names := journal.records():
                self._backend.delete_calls(names)
        if has_open_calls:
            journal.check_in_place()
        else:
            journal.remove()
        return state

    def discard_journal(self) -> None:
        """Remove what an interrupted run left, after its content was saved. Raises StateError."""
        self.check_unchanged()
        if self._found:
            self._backend.delete_calls(self._found)
        try:
            self._folder.unlink(os.path.basename(self.journal_path))
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            what = f"the journal {self.journal_path} cannot be removed: {error.strerror}"
            raise StateNotSaved(what, hint=hint_of(error)) from error

    def rescue(
        self,
        state: State,
        journal: Journal | None,
        error: StateError,
        *,
        settled: Collection[str] = (),
        has_journal: bool = False,
    ) -> Rescue:
        """Write down what a run knows, in a file of this machine, and what to do about it."""
        from scenario_apply.state.stores.remote.store_rescue import rescue_from_store

        return rescue_from_store(self, state, journal, error)
