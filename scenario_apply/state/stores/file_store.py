"""The state file: read with its journal replayed, written atomically, backed up, refused when it does not fit."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateError, StateForeign, StateNotSaved
from scenario_apply.model import codec
from scenario_apply.model.ports import Clock
from scenario_apply.state.conflict import conflict_of
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote, read_state_file, state_of
from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.backups import BACKUPS, Backups, conflicted, with_way_back
from scenario_apply.state.stores.document_store import DocumentStore
from scenario_apply.state.stores.journal import Journal, replay, run_of
from scenario_apply.state.stores.lock import Holder, Lock
from scenario_apply.state.stores.own_files import hint_of, is_temporary
from scenario_apply.state.stores.state_folder import state_folder
from scenario_apply.state.stores.state_store import Loaded

if TYPE_CHECKING:
    from scenario_apply.state.stores.rescue import Rescue


class FileStore(DocumentStore):
    """One state file with its journal (.journal), lock (.lock) and backups/ beside it."""

    def __init__(
        self,
        path: str,
        *,
        endpoint: str | None,
        project: str | None,
        tool_version: str,
        clock: Clock,
        within: str | None = None,
    ) -> None:
        """within: the folder below which no link is followed on the way to path; None: path's own folder."""
        super().__init__(path, endpoint=endpoint, project=project, tool_version=tool_version, clock=clock)
        self.path = path
        self.folder = state_folder(path, within)
        self.name = os.path.basename(path)
        self.backups = Backups(folder=self.folder, name=self.name)
        self.journal_path = f"{path.removesuffix('.json')}.journal"
        self.lock = Lock(f"{path.removesuffix('.json')}.lock", clock, self.folder)
        self._seen: tuple[int, int, int] | None = None
        self._writing = threading.Lock()  # between the file's change and the note of it

    # -- reading

    def read(self) -> State:
        """The state, with a leftover journal replayed in memory. Writes nothing."""
        return self.load().state

    def load(self) -> Loaded:
        """The state, its journal replayed, and the calls of it that were never answered. Writes nothing.

        Raises StateDamaged, StateNewer, or StateForeign for another endpoint or project.
        """
        state = self._read_file()
        applied = None if self._file is None else self._file.journal or None
        replayed = replay(self.journal_path, state, applied, self.folder)
        self._leftover = None
        if replayed is None:
            return Loaded(state=state)
        self._leftover = JournalNote(run=replayed.run, lines=replayed.lines)
        return Loaded(
            state=replayed.state, unanswered=replayed.unanswered, has_journal=True, baseline=replayed.baseline
        )

    def _read_file(self) -> State:
        try:
            content, facts = self.folder.read(self.name)
            self._seen = _signature(facts)
        except FileNotFoundError:
            self._seen, self._content, self._file = None, None, None
            self._refuse_moved()
            return State(endpoint=self.endpoint, project=self.project)
        except OSError as error:
            raise StateDamaged(
                f"the state {self.path} cannot be read: {error.strerror}", hint=hint_of(error)
            ) from error
        try:
            held = read_state_file(content, source=self.path)
            state = state_of(held, source=self.path)
        except StateDamaged as damaged:
            raise self._with_way_back(damaged, content) from damaged
        if self.lock.is_mine():
            self._refuse_newer(held)
        self._content, self._file = content, held
        self._check_owner(state)
        return state

    def _refuse_moved(self) -> None:
        """Raises StateMoved where there is no state because it was moved: an empty one would be paid for again."""
        copy = self.backups.moved()
        if copy is not None:
            state_of(read_state_file(copy, source=self.path), source=self.path)

    def _with_way_back(self, damaged: StateDamaged, content: bytes) -> StateDamaged:
        conflict = conflict_of(content)
        if conflict is not None:
            return conflicted(self.path, conflict)
        return with_way_back(damaged, content, self.path, self.backups, self._journal())

    def _journal(self) -> bytes | None:
        """What lies where the journal belongs, if it can be read: whether it is sound is for its replay to say."""
        with contextlib.suppress(OSError):
            return self.folder.read(os.path.basename(self.journal_path))[0]
        return None

    # -- writing

    def save(self, state: State, journal: Journal | None = None, *, back_up: bool = True) -> State:
        """Write the state if it differs from the file; the state as written. journal: the run it comes from.

        The file notes how much of a journal it holds, also of a leftover one that load() replayed: who dies between
        this and the removal of the journal must not find its lines done twice.
        Raises StateForeign when another process wrote meanwhile, StateNotSaved when it was removed or the disk refuses.
        """
        state = self._identified(state)
        self.check_unchanged()
        if self._file is not None:
            self._refuse_newer(self._file)
            if self._file.says_the_same(self._file_of(state, journal)):
                return state
        state = replace(state, serial=state.serial + 1)
        file = self._file_of(state, journal)
        content = codec.document(file)
        try:
            if back_up:
                held = None if self._content is None or self._file is None else (self._file.serial, self._content)
                self.backups.keep(held, (file.serial, content))
            with self._writing:
                write_atomically(self.folder, self.name, content)
                self._seen = _signature(self.folder.look(self.name))
        except OSError as error:
            raise StateNotSaved(
                f"the state {self.path} cannot be written: {error.strerror}", hint=hint_of(error)
            ) from error
        self._content, self._file = content, file
        return state

    def check_unchanged(self) -> None:
        """Raises StateNotSaved when the file was removed since it was last read or written, StateForeign when another
        process wrote it. For any thread."""
        try:
            now, seen = self.look()
        except OSError as error:
            raise StateNotSaved(
                f"the state {self.path} cannot be looked at: {error.strerror}", hint=hint_of(error)
            ) from error
        if now is None and seen is not None:
            raise StateNotSaved(
                f"the state {self.path} is gone: it was removed during this run",
                hint="nothing was written; restore it first, e.g. from version control or a backup",
            )
        if now != seen:
            raise StateForeign(
                f"{self.path} was written by another process during this run",
                hint="nothing was overwritten; do this again",
            )

    def look(self) -> tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]:
        """The file's signature as it is, and as this process last saw it. Raises OSError."""
        with self._writing:
            try:
                return _signature(self.folder.look(self.name)), self._seen
            except (FileNotFoundError, NotADirectoryError):
                return None, self._seen

    def take(self) -> bytes | None:
        """The file as it is, readable or not; None when there is none. What is saved next takes its place."""
        self._content, self._file, self._leftover = None, None, None
        try:
            content, facts = self.folder.read(self.name)
        except FileNotFoundError:
            self._seen = None
            return None
        except OSError as error:
            raise StateDamaged(
                f"the state {self.path} cannot be read: {error.strerror}", hint=hint_of(error)
            ) from error
        self._seen = _signature(facts)
        return content

    def put_away(self, content: bytes) -> None:
        """Keep a state that could not be read in backups/, before it is written over."""
        try:
            self.backups.put_away(content)
        except OSError as error:
            raise self._not_backed_up(error) from error

    def _not_backed_up(self, error: OSError) -> StateNotSaved:
        return StateNotSaved(f"the state {self.path} could not be backed up: {error.strerror}", hint=hint_of(error))

    def keep_backup(self) -> None:
        """A backup of the state as it is: with the journal of the run that begins now it is enough to restore all."""
        if self._content is None or self._file is None:
            return
        try:
            self.backups.keep((self._file.serial, self._content))
        except OSError as error:
            raise self._not_backed_up(error) from error

    # -- the run

    @contextlib.contextmanager
    def locked(self, command: str, timeout_s: float = 0) -> Iterator[list[str]]:
        """Hold the lock; yields notes for the user. Raises StateLocked, StateNotSaved for backups/ that is a link."""
        with self.lock.held(command, timeout_s) as notes:
            self._check_backups()
            self._clear_away()
            yield notes

    def _check_backups(self) -> None:
        """Raises StateNotSaved for backups/ that no state could be copied to, before anything is sent or paid."""
        try:
            with self.folder.within(BACKUPS).opened():
                pass
        except FileNotFoundError:
            pass  # made when it is needed
        except OSError as error:
            raise StateNotSaved(
                f"the state {self.path} could not be backed up: {error.strerror}", hint=hint_of(error)
            ) from error

    def _clear_away(self) -> None:
        """Temporary files of writes that a death cut short. No other run writes: the lock is held."""
        with contextlib.suppress(OSError):  # what cannot be removed does no harm
            for found in self.folder.names():
                if is_temporary(found, self.name):
                    self.folder.unlink(found)

    def force_unlock(self) -> Holder | None:
        """Break the lock; whose it was."""
        return self.lock.break_it()

    def still_running(self) -> str | None:
        """What to know of the process of this machine that holds the lock; None when there is none."""
        if not self.lock.is_alive():
            return None
        holder = self.lock.holder()
        process = "a process" if holder is None else f"process {holder.pid}"
        return f"{process} is still running. It stops before its next paid request once another run has started"

    def retire(self, moved_to: str) -> str:
        """Move the state that load() read to backups/, with a note of where it is now; the path of that copy."""
        assert self._file is not None
        self.check_unchanged()
        try:
            copy = self.backups.put_moved(codec.document(replace(self._file, moved_to=moved_to)))
            self.folder.unlink(self.name)
        except OSError as error:
            raise StateNotSaved(
                f"the state {self.path} cannot be moved to backups/: {error.strerror}", hint=hint_of(error)
            ) from error
        self._seen, self._content, self._file = None, None, None
        return copy

    def earlier_states(self) -> Iterator[tuple[str, State]]:
        """The backups that can be read, newest first, each with its path."""
        return self.backups.states()

    def begin_journal(self, run_id: str) -> Journal:
        """The journal of a run that begins now. Raises StateNotSaved when it cannot be created or exists."""
        return Journal(self.journal_path, run_id, self.clock.now(), self.check_unchanged, self.folder)

    def end_run(self, state: State, journal: Journal, *, has_open_calls: bool) -> State:
        """The last save of a run, which removes its journal unless that holds calls whose outcome is unknown."""
        state = self.save(state, journal)
        if has_open_calls:
            journal.check_in_place()  # it is the only record of them
        else:
            journal.remove()
        return state

    def journal_run(self) -> str | None:
        """The run whose journal lies beside the state; None when there is none. Raises StateDamaged."""
        return run_of(self.journal_path, self.folder)

    def rescue(
        self,
        state: State,
        journal: Journal | None,
        error: StateError,
        *,
        settled: Collection[str] = (),
        has_journal: bool = False,
    ) -> Rescue:
        """Write down what a run knows, somewhere, with the commands that restore it."""
        from scenario_apply.state.stores.rescue import rescue_files

        return rescue_files(self, state, journal, error, settled=settled, has_journal=has_journal)

    def has_journal_file(self) -> bool:
        """Whether anything lies where the journal belongs."""
        return self.folder.has(os.path.basename(self.journal_path))

    def discard_journal(self) -> None:
        """After its content was saved in the state. Raises StateForeign when the lock was broken meanwhile."""
        if self.has_journal_file() and self.lock.was_broken():
            raise StateForeign(
                f"the lock of this run was broken; the journal {self.journal_path} may be another run's and stays",
                hint="wait for the other run, then apply again",
            )
        try:
            self.folder.unlink(os.path.basename(self.journal_path))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise StateNotSaved(
                f"the journal {self.journal_path} cannot be removed: {error.strerror}", hint=hint_of(error)
            ) from error
        self._leftover = None


def _signature(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
