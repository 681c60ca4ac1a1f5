"""What every state store does with its JSON document: whose it is, what may follow it, what is written next."""

from __future__ import annotations

import uuid

from msgspec.structs import replace

from scenario_apply.errors import StateDamaged, StateForeign
from scenario_apply.model import codec
from scenario_apply.model.ports import Clock
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote, StateFile, file_of, newer, read_state_file, state_of
from scenario_apply.state.stores.journal import Journal


class DocumentStore:
    """The document of one state, as it was last read or written. shown: its place, for messages."""

    def __init__(
        self, shown: str, *, endpoint: str | None, project: str | None, tool_version: str, clock: Clock
    ) -> None:
        self.shown = shown
        self.endpoint = endpoint
        self.project = project
        self.tool_version = tool_version
        self.clock = clock
        self._content: bytes | None = None
        self._file: StateFile | None = None  # what the content says
        self._leftover: JournalNote | None = None  # the journal that load() replayed

    @property
    def content(self) -> bytes | None:
        """The document as it was last read or written; None when there is none."""
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

    def resume(self, note: JournalNote | None) -> None:
        """What is saved next holds so much of the journal that lies beside it."""
        self._leftover = note

    def content_of(self, state: State, journal: Journal | None = None) -> bytes:
        """The state as save() would write it next, for another place."""
        return codec.document(self._file_of(replace(state, serial=self._next_serial(state)), journal))

    def _next_serial(self, state: State) -> int:
        return state.serial + 1

    def _file_of(self, state: State, journal: Journal | None) -> StateFile:
        note = self._leftover if journal is None else journal.note()
        return file_of(state, tool_version=self.tool_version, journal=note)

    def _identified(self, state: State) -> State:
        """The state with its lineage, endpoint and project, which the first save gives it."""
        return replace(
            state,
            lineage=state.lineage or str(uuid.uuid4()),
            endpoint=self.endpoint or state.endpoint,
            project=self.project or state.project,
        )

    def _refuse_newer(self, file: StateFile) -> None:
        """A newer minor format is good enough to look at. Written by this tool it would lose what that one added."""
        if file.is_of_a_newer_minor:
            what = "this tool would lose what it does not know of it, so it only reads it"
            raise newer(self.shown, file.format_version, file.tool_version, what)

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
                    f"{self.shown} was made for {what} {recorded}, this run is for {here}",
                    hint="add --local" if recorded == "local" else "use another --state for each endpoint and project",
                )
