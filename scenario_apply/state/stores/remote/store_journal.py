"""The journal of a run on a remote store: a file on this machine, and a record in the store of each call in flight.

The record is in the store before its request leaves, so that any machine can recover what this one began. Records are
deleted, many at once, after a state that holds their outcomes was written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from scenario_apply.model import codec
from scenario_apply.model.steps import StepId
from scenario_apply.state.state_file import JournalNote
from scenario_apply.state.stores.journal import Journal
from scenario_apply.state.stores.journal_lines import BaselineLine, IntentLine, Line, RunLine, SentLine
from scenario_apply.state.stores.own_files import OwnFolder
from scenario_apply.state.stores.remote.backend import StateBackend
from scenario_apply.state.stores.remote.open_calls import NumberedLine, call_record


class StoreJournal(Journal):
    """Thread-safe, as Journal is."""

    def __init__(
        self, backend: StateBackend, path: str, run_id: str, now: float, guard: Callable[[], None], folder: OwnFolder
    ) -> None:
        """As Journal. backend: where the records of calls go."""
        self._backend = backend
        self._first: list[NumberedLine] = []  # run and baseline
        self._intents: dict[StepId, NumberedLine] = {}
        self._sent: dict[StepId, list[NumberedLine]] = {}
        self._ended: list[tuple[NumberedLine, NumberedLine]] = []  # intent and outcome that may not be in the store yet
        self._stored_lines = 0  # so many lines are in the store, in the state or in records
        self._records: dict[StepId, str] = {}
        self._details: dict[StepId, Mapping[str, str]] = {}  # as its record says
        self._settled: list[tuple[int, str]] = []  # line of the outcome and record of calls that ended
        self._sharing = threading.Lock()
        super().__init__(path, run_id, now, guard, folder)

    def note(self) -> JournalNote:
        """What a state that is saved now holds of this journal."""
        with self._lock:
            return JournalNote(run=self.run_id, lines=self.lines, open=tuple(self._sent))

    def saved(self, note: JournalNote) -> None:
        """A state with that note is in the store: the records that it makes needless are deleted. Raises StateError."""
        with self._sharing:
            self._stored_lines = max(self._stored_lines, note.lines)
            needless = [record for line, record in self._settled if line <= note.lines]
            self._settled = [one for one in self._settled if one[0] > note.lines]
        if needless:
            self._backend.delete_calls(needless)

    def records(self) -> list[str]:
        """Every record that is still in the store."""
        with self._sharing:
            return [*self._records.values(), *(record for _, record in self._settled)]

    def _share(self, op: StepId, number: int) -> None:
        """The record of a call. A further attempt of the same call changes nothing that recovery needs."""
        with self._lock:
            sent = list(self._sent[op])
            details: dict[str, str] = {}
            for one in sent:
                assert isinstance(one.entry, SentLine)
                details |= codec.plain(one.entry.details)
        with self._sharing:
            record = self._records.get(op)
            if record is not None and self._details[op] == details:
                return
            stored = self._stored_lines
        with self._lock:
            ended = [line for pair in self._ended if pair[1].line > stored for line in pair]
            lines = {line.line: line for line in (*self._first, *ended, self._intents[op], *sent)}
        name = record or f"{self.run_id}-{number:06}"
        self._backend.put_call(name, call_record(lines.values()), is_new=record is None)
        with self._sharing:
            self._records[op], self._details[op] = name, details
            self._stored_lines = max(self._stored_lines, number)
        with self._lock:
            self._ended = [pair for pair in self._ended if pair[1].line > self._stored_lines]
        if self._guard is not None:
            self._guard()  # once more: a slow store may have taken longer than the lease lasts

    def _keep_open(self, line: Line, data: bytes) -> None:
        super()._keep_open(line, data)
        numbered = NumberedLine(line=self.lines, entry=line)
        match line:
            case RunLine() | BaselineLine():
                self._first.append(numbered)
            case IntentLine():
                self._intents.setdefault(line.op, numbered)  # a step that is put back may have been sent before
            case SentLine():
                self._sent.setdefault(line.op, []).append(numbered)
            case _:
                self._keep_ended(line.op, numbered)

    def _keep_ended(self, op: StepId, numbered: NumberedLine) -> None:
        if (intent := self._intents.pop(op, None)) is not None:
            self._ended.append((intent, numbered))
        self._sent.pop(op, None)
        with self._sharing:
            if (record := self._records.pop(op, None)) is not None:
                self._settled.append((numbered.line, record))
                del self._details[op]
