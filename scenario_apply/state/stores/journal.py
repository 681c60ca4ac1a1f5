"""The journal of a run: a file of JSON lines beside the state, from which the next run recovers after a crash.

A call that creates or spends is recorded as `sent`, and flushed to disk, before its request leaves. Its outcome is on
disk before the next step that needs it. A line contains all that replaying it requires. The state file records how many
lines it already includes. Before each call that creates or spends, the journal must still be the file that the next run
would read.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import threading
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType, TracebackType
from typing import Literal, Self, assert_never

from msgspec import Struct

from scenario_apply.errors import StateDamaged, StateNotSaved
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.model.steps import PlannedStep, StepId
from scenario_apply.model.timestamps import iso
from scenario_apply.state.baseline import NO_BASELINE, Baseline
from scenario_apply.state.outcome import Outcome, after
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote
from scenario_apply.state.stores.journal_lines import (
    AdoptedLine,
    BaselineLine,
    DoneLine,
    FailedLine,
    IntentLine,
    Line,
    RunLine,
    SentDetails,
    SentLine,
)
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, hint_of
from scenario_apply.state.stores.state_folder import state_folder


class Unanswered(Struct, frozen=True, kw_only=True):
    """A call that was sent and has no recorded outcome. details: what was known about it, such as an upload id.

    is_foreign: another machine sent it, whose clock may be wrong: sent_at then says only what was sent before what.
    """

    step: PlannedStep
    sent_at: float
    details: Mapping[str, str]
    is_foreign: bool = False


class Replayed(Struct, frozen=True, kw_only=True):
    """The result of replaying a journal on its state. run: the id of its run; None for an empty journal.

    baseline: what existed on the service before the run created anything.
    """

    state: State
    unanswered: tuple[Unanswered, ...]
    lines: int
    run: str | None
    baseline: Baseline = NO_BASELINE


NO_LINES: Mapping[int, Line] = MappingProxyType({})

_MADE = re.compile(rb'"model_id":"([A-Za-z0-9_.-]{1,128})"')

Place = Literal["ours", "theirs", "gone"]
"""What the path of a journal holds now: this journal, that of another run, or nothing."""


class Journal:
    """Appends to one journal file. Thread-safe.

    guard: called before each call that creates or spends; it raises to prevent the call.
    """

    def __init__(
        self,
        path: str,
        run_id: str,
        now: float,
        guard: Callable[[], None] | None = None,
        folder: OwnFolder | None = None,
    ) -> None:
        """folder: the state's folder, which contains path. None: the folder of path, with links resolved.

        now: seconds since the epoch. Raises StateNotSaved when the file cannot be created or exists.
        """
        self.path = path
        self._folder = folder or state_folder(path)
        self._name = os.path.basename(path)
        self.run_id = run_id
        self.lines = 0
        self._guard = guard
        self._head: list[bytes] = []
        self._open: dict[str, list[bytes]] = {}  # step -> its lines, until its outcome is known
        self._size = 0
        self._broken: str | None = None  # why nothing can be appended any more
        self._lock = threading.Lock()
        self._synced = 0
        self._sync_lock = threading.Lock()
        try:
            # O_EXCL: a leftover journal records paid calls and must not be overwritten
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._descriptor = self._folder.open(self._name, flags, create_folder=True)
            self._identity = _identity(os.fstat(self._descriptor))
            self._folder.sync()
        except OSError as error:
            raise StateNotSaved(
                f"the journal {path} cannot be written: {error.strerror}", hint=hint_of(error)
            ) from error
        self._append(RunLine(run=run_id, ts=iso(now)))
        self.flush()

    def mark(self, baseline: Baseline) -> None:
        """Records what existed before the run creates anything. It is on disk before the first call is sent."""
        self._append(BaselineLine(baseline=baseline))

    def intend(self, step: PlannedStep, now: float) -> None:
        """Records that a step is about to be performed. Not flushed: nothing has been sent yet."""
        self._append(IntentLine(op=step.id, ts=iso(now), step=step.step))

    def sending(self, step: PlannedStep, now: float, **details: str) -> None:
        """Records that a call is sent now; the line is on disk on return. now: seconds since the epoch.

        Raises StateError when the line cannot be written, or when the next run would not find the journal.
        """
        if self._guard is not None:
            self._guard()
        self.check_in_place()
        number = self._append(SentLine(op=step.id, at=now, details=codec.fitted(details, SentDetails)))
        self._share(step.id, number)
        self.flush()

    def _share(self, op: StepId, number: int) -> None:
        """For a journal that is kept elsewhere, too. number: of the line that says that the call is sent now."""

    def note(self) -> JournalNote:
        """What a state that is saved now holds of this journal."""
        return JournalNote(run=self.run_id, lines=self.lines)

    def settle(self, step: PlannedStep, outcome: Outcome) -> None:
        """Records the outcome of a step that is done or was found to be done. The next flush() writes it to disk."""
        line = AdoptedLine if outcome.adopted else DoneLine
        self._append(line(op=step.id, outcome=outcome))

    def fail(self, step: PlannedStep, reason: str) -> None:
        """Records that the service refused a step, so that it was certainly not performed."""
        self._append(FailedLine(op=step.id, reason=reason))

    def flush(self) -> None:
        """Writes all appended lines to disk. Threads that wait together share one fsync. Raises StateNotSaved."""
        target = self.lines
        with self._sync_lock:
            if self._synced >= target:
                return
            with self._lock:
                self._refuse_if_broken()
                reached, descriptor = self.lines, self._descriptor
            try:
                os.fsync(descriptor)
            except OSError as error:
                self._broken = f"the journal {self.path} cannot be flushed: {error.strerror}"
                raise StateNotSaved(self._broken) from error
            self._synced = reached

    def place(self) -> Place:
        """What the path of the journal holds now. Raises StateNotSaved when that cannot be determined."""
        try:
            return "ours" if _identity(self._folder.look(self._name)) == self._identity else "theirs"
        except (FileNotFoundError, NotADirectoryError):
            return "gone"
        except UnsafeFile:  # a link in its place
            return "theirs"
        except OSError as error:
            raise StateNotSaved(f"the journal {self.path} cannot be looked at: {error.strerror}") from error

    def check_in_place(self) -> None:
        """Raises StateNotSaved when the next run would not find this journal, so that its lines would be lost."""
        match self.place():
            case "gone":
                raise StateNotSaved(f"the journal {self.path} is gone: it was removed during this run")
            case "theirs":
                raise StateNotSaved(f"the journal {self.path} is another run's now: the lock of this run was broken")

    def open_calls(self, settled: Collection[str]) -> bytes | None:
        """A journal of only the calls that were sent and have no known outcome; None without any.

        settled: steps with a known outcome that could not be written.
        """
        with self._lock:
            calls = [lines for op, lines in self._open.items() if len(lines) > 1 and op not in settled]
            return b"".join([*self._head, *(line for lines in calls for line in lines)]) if calls else None

    def remove(self) -> None:
        """Deletes the journal, after the state includes all its lines. Another run's journal at its path is kept.

        Raises StateNotSaved.
        """
        if self.place() != "ours":
            return
        try:
            self._folder.unlink(self._name)
            self._folder.sync()
        except OSError as error:
            raise StateNotSaved(f"the journal {self.path} cannot be removed: {error.strerror}") from error

    def close(self) -> None:
        """Closes the file. Later appends raise StateNotSaved: the descriptor's number may be reused."""
        with self._sync_lock, self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = -1
            self._broken = self._broken or f"the journal {self.path} is closed: the run has ended"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _append(self, line: Line) -> int:
        """The number of the line, counted from 1."""
        data = codec.line(line)
        with self._lock:
            self._refuse_if_broken()
            try:
                written = os.write(self._descriptor, data)
            except OSError as error:
                self._broken = f"the journal {self.path} cannot be written: {error.strerror}"
                raise StateNotSaved(self._broken) from error
            if written != len(data):
                # an incomplete line is removed: replay accepts one only at the end
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, self._size)
                self._broken = f"the journal {self.path} cannot be written: the disk is full"
                raise StateNotSaved(self._broken)
            self._size += written
            self.lines += 1
            self._keep_open(line, data)
            return self.lines

    def _keep_open(self, line: Line, data: bytes) -> None:
        match line:
            case RunLine() | BaselineLine():
                self._head.append(data)
            case IntentLine() | SentLine():
                self._open.setdefault(line.op, []).append(data)
            case DoneLine() | AdoptedLine() | FailedLine():
                self._open.pop(line.op, None)
            case _:
                assert_never(line)

    def _refuse_if_broken(self) -> None:
        if self._broken is not None:
            raise StateNotSaved(self._broken)


def _identity(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_dev, stat.st_ino


def replay(
    path: str,
    state: State,
    applied: JournalNote | None,
    folder: OwnFolder | None = None,
    more: Mapping[int, Line] = NO_LINES,
) -> Replayed | None:
    """Replays a leftover journal on the state; None when there is no journal.

    applied: the state's own record of the lines it includes. more: lines of the same journal that were kept elsewhere.
    folder: the state's folder, which contains path; None: the folder of path, with links resolved. An incomplete last
    line, as a power loss leaves it, is ignored. Raises StateDamaged when the journal cannot be read or another line is
    invalid.
    """
    try:
        content = (folder or state_folder(path)).read(os.path.basename(path))[0]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateDamaged(f"the journal {path} cannot be read: {error.strerror}", hint=hint_of(error)) from error
    raw = content.split(b"\n")
    raw.pop()  # what follows the last line break is incomplete
    try:
        lines = [_read(path, number, text) for number, text in enumerate(raw, 1)]
        run = lines[0].run if lines and isinstance(lines[0], RunLine) else None
        numbered = {**more, **dict(enumerate(lines, 1))}
        return replayed(path, {number: numbered[number] for number in sorted(numbered)}, applied, state, run)
    except StateDamaged as damaged:
        raise StateDamaged(damaged.message, hint=_way_on(path, content, state)) from damaged


def _way_on(path: str, content: bytes, state: State) -> str:
    """What to do about a damaged journal so that nothing is paid for twice."""
    away = shlex.join(["mv", path, f"{path}.damaged"])
    known = state.model_ids()
    named = dict.fromkeys(found.decode() for found in _MADE.findall(content))
    lost = [model_id for model_id in named if model_id not in known]
    if lost:
        return (
            f"it holds what the last run did: restore it from a copy. Else move it away ({away}) and adopt what only "
            f"it knows, {', '.join(lost[:5])}, with import: blocks: an apply without them makes and pays for it again"
        )
    return (
        f"it holds what the last run did: restore it from a copy, or keep one and move it away: {away}. The state "
        "knows every model that it names; a plan mentions models of the same name that no state records"
    )


def run_of(path: str, folder: OwnFolder) -> str | None:
    """Whose journal lies at path; None when there is none. Raises StateDamaged."""
    try:
        first = folder.read(os.path.basename(path))[0].partition(b"\n")[0]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateDamaged(f"the journal {path} cannot be read: {error.strerror}", hint=hint_of(error)) from error
    line = _read(path, 1, first) if first else None
    return line.run if isinstance(line, RunLine) else None


def _read(path: str, number: int, text: bytes) -> Line:
    try:
        line: Line = codec.decoded(text, Line)
    except Misfit as misfit:
        raise _damaged(path, number, str(misfit)) from misfit
    return line


def replayed(
    path: str, lines: Mapping[int, Line], applied: JournalNote | None, state: State, run: str | None
) -> Replayed:
    """The lines of a run, in order and by their numbers, replayed on a state. applied: what the state includes of them.

    path: for messages. Raises StateDamaged for lines that do not fit together.
    """
    note = applied if applied is not None and run is not None and applied.run == run else None
    held = 0 if note is None else note.lines
    steps: dict[StepId, PlannedStep] = {}
    sent: dict[StepId, Unanswered] = {}
    baseline = NO_BASELINE
    for number, line in lines.items():
        if isinstance(line, SentLine | DoneLine | AdoptedLine) and line.op not in steps:
            raise _damaged(path, number, f"op: no line before it says what the step {line.op[:40]!r} is")
        match line:
            case RunLine():
                pass
            case BaselineLine():
                baseline = line.baseline
            case IntentLine():
                steps[line.op] = PlannedStep(id=line.op, step=line.step)
            case SentLine():
                if note is not None and number <= held and not note.may_be_open(line.op):
                    continue
                before = sent[line.op].details if line.op in sent else {}
                details = {**before, **codec.plain(line.details)}
                sent[line.op] = Unanswered(step=steps[line.op], sent_at=line.at, details=details)
            case DoneLine() | AdoptedLine():
                sent.pop(line.op, None)
                if number > held:
                    try:
                        state = after(state, steps[line.op], line.outcome)
                    except ValueError as error:
                        raise _damaged(path, number, f"outcome: {error}") from error
            case FailedLine():
                sent.pop(line.op, None)
            case _:
                assert_never(line)
    count = max(lines, default=0)
    return Replayed(state=state, unanswered=tuple(sent.values()), lines=count, run=run, baseline=baseline)


def _damaged(path: str, number: int, what: str) -> StateDamaged:
    return StateDamaged(
        f"the journal {path} is damaged in line {number}: {what}",
        hint="it holds what the last run did: keep a copy",
    )
