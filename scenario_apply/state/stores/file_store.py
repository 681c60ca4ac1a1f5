"""The state file: read with its journal replayed, written atomically, backed up, refused when it does not fit."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateForeign, StateNotSaved
from scenario_apply.model import codec
from scenario_apply.model.ports import Clock
from scenario_apply.state.baseline import NO_BASELINE, Baseline
from scenario_apply.state.conflict import conflict_of
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote, StateFile, file_of, newer, read_state_file, state_of
from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.backups import BACKUPS, Backups, conflicted, with_way_back
from scenario_apply.state.stores.journal import Journal, Unanswered, replay
from scenario_apply.state.stores.lock import Holder, Lock
from scenario_apply.state.stores.own_files import hint_of, is_temporary
from scenario_apply.state.stores.state_folder import state_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A state as it was found. has_journal: a run before this one did not end properly."""

    state: State
    unanswered: tuple[Unanswered, ...] = ()
    has_journal: bool = False
    baseline: Baseline = NO_BASELINE


class FileStore:
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
        self.path = path
        self.endpoint = endpoint
        self.project = project
        self.tool_version = tool_version
        self.clock = clock
        self.folder = state_folder(path, within)
        self.name = os.path.basename(path)
        self.backups = Backups(folder=self.folder, name=self.name)
        self.journal_path = f"{path.removesuffix('.json')}.journal"
        self.lock = Lock(f"{path.removesuffix('.json')}.lock", clock, self.folder)
        self._seen: tuple[int, int, int] | None = None
        self._content: bytes | None = None
        self._file: StateFile | None = None  # what the content says
        self._leftover: JournalNote | None = None  # the journal that load() replayed
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

    def _refuse_newer(self, file: StateFile) -> None:
        """A newer minor format is good enough to look at. Written by this tool it would lose what that one added."""
        if file.is_of_a_newer_minor:
            what = "this tool would lose what it does not know of it, so it only reads it"
            raise newer(self.path, file.format_version, file.tool_version, what)

    def _check_owner(self, state: State) -> None:
        """A state that records nothing is bound to no service yet: a first run at a wrong address does not bind it."""
        if not state.records and not state.loose:
            return
        for what, recorded, here in (
            ("endpoint", state.endpoint, self.endpoint),
            ("project", state.project, self.project),
        ):
            if recorded is not None and here is not None and recorded != here:
                raise StateForeign(
                    f"{self.path} was made for {what} {recorded}, this run is for {here}",
                    hint="add --local" if recorded == "local" else "use another --state for each endpoint and project",
                )

    @property
    def content(self) -> bytes | None:
        """The file as it was last read or written; None when there is none."""
        return self._content

    def read_other(self, content: bytes, source: str) -> State:
        """A state from somewhere else. Raises StateDamaged, StateNewer or StateForeign like load()."""
        try:
            file = read_state_file(content, source=source)
            state = state_of(file, source=source)
        except StateDamaged as damaged:
            what = damaged.problems[0].message
            raise StateDamaged(what, hint="it is no state file, or was cut short; nothing was changed") from damaged
        self._refuse_newer(file)
        self._check_owner(state)
        return state

    # -- writing

    def pushable(self, held: State, pushed: State, *, force: bool) -> State:
        """The pushed state, ready to be saved in place of the one that is held. An empty place takes any state.

        Raises StateForeign for another endpoint, project or lineage, an older serial, or the same serial with other
        content, unless forced.
        """
        for what, ours, theirs in (
            ("endpoint", held.endpoint, pushed.endpoint),
            ("project", held.project, pushed.project),
        ):
            if ours is not None and theirs is not None and ours != theirs and not force:
                raise StateForeign(
                    f"the pushed state was made for {what} {theirs}, the recorded one for {ours}",
                    hint="they record different resources; --force overwrites anyway",
                )
        if held.lineage is not None and not force:
            if pushed.lineage != held.lineage:
                raise StateForeign(
                    f"the pushed state is of lineage {pushed.lineage}, the recorded one of {held.lineage}",
                    hint="they record different resources; --force overwrites anyway",
                )
            if pushed.serial < held.serial or (pushed.serial == held.serial and pushed != held):
                raise StateForeign(
                    f"the serial of the pushed state, {pushed.serial}, is not newer than the recorded {held.serial}",
                    hint="use --force to overwrite anyway; the present file is moved to backups/",
                )
        # the next serial of both, so that a plan made from either is stale
        return replace(pushed, serial=max(pushed.serial, held.serial))

    def save(self, state: State, journal: Journal | None = None, *, back_up: bool = True) -> State:
        """Write the state if it differs from the file; the state as written. journal: the run it comes from.

        The file notes how much of a journal it holds, also of a leftover one that load() replayed: who dies between
        this and the removal of the journal must not find its lines done twice.
        Raises StateForeign when another process wrote meanwhile, StateNotSaved when it was removed or the disk refuses.
        """
        state = replace(
            state,
            lineage=state.lineage or str(uuid.uuid4()),
            endpoint=self.endpoint or state.endpoint,
            project=self.project or state.project,
        )
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

    def _file_of(self, state: State, journal: Journal | None) -> StateFile:
        note = self._leftover if journal is None else JournalNote(run=journal.run_id, lines=journal.lines)
        return file_of(state, tool_version=self.tool_version, journal=note)

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

    def resume(self, note: JournalNote | None) -> None:
        """What is saved next holds so much of the journal that lies beside it."""
        self._leftover = note

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

    def content_of(self, state: State, journal: Journal | None = None) -> bytes:
        """The state as save() would write it next, for another place."""
        return codec.document(self._file_of(replace(state, serial=state.serial + 1), journal))

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
