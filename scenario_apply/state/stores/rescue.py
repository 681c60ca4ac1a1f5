"""Writes an emergency copy of state and journal when the state directory is unusable, with commands that restore it.

The journal is enough where it and the state it continues still lie there. Where either was taken away, an apply without
the rescue file would make and train everything a second time: then the way back is a shell command, and comes first.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Collection
from typing import Literal, Protocol

from msgspec import Struct

from scenario_apply.errors import StateError, StateNotSaved
from scenario_apply.state.state import State
from scenario_apply.state.stores.journal import Journal, Place
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile

StatePlace = Literal["ours", "gone", "continued", "replaced"]
"""What lies in the state's place: what this process read or wrote last (also: still nothing), nothing any more, a later
serial of the same lineage, anything else."""


class Rescue(Struct, frozen=True, kw_only=True):
    """text: what happened, where everything is, what to do. first: the shell command that must come before the next
    apply, None when none must. is_lost: no apply may follow at all, nothing of the run is on disk."""

    text: str
    first: str | None = None
    is_lost: bool = False


class StateFiles(Protocol):
    """A state in a file, with its journal beside it: what FileStore offers to a rescue."""

    path: str
    name: str
    journal_path: str
    folder: OwnFolder

    def content_of(self, state: State, journal: Journal | None = None) -> bytes: ...
    def look(self) -> tuple[tuple[int, int, int] | None, tuple[int, int, int] | None]: ...
    def read_other(self, content: bytes, source: str) -> State: ...
    def has_journal_file(self) -> bool: ...


def rescue_files(
    store: StateFiles,
    state: State,
    journal: Journal | None,
    error: StateError,
    *,
    settled: Collection[str] = (),
    has_journal: bool = False,
) -> Rescue:
    """Write down what the run knows, somewhere. journal: None for a run that had not begun.

    settled: steps whose end is known. has_journal: an earlier run left one, which this one had replayed.
    """
    state_place = rescue_location(store, state)
    place = _place(store, journal, has_journal)
    calls = journal.open_calls(settled) if journal is not None and place == "gone" else None
    is_lost = state_place in ("gone", "replaced") or place == "gone"
    try:
        path = written_rescue(store.content_of(state, journal), ".json")
        beside = None if calls is None else written_rescue(calls, ".journal", path.removesuffix(".json"))
    except OSError as refusal:
        return _nothing_written(store, error, refusal, is_lost=is_lost)
    known = f"What this run knows is in {path}"
    if (
        place == "theirs"
        or state_place == "continued"
        or (state_place == "replaced" and journal is None and place == "ours")
    ):
        return Rescue(text=f"{error}. Nothing was overwritten: let the other run end, then apply again. {known}, too")
    if not is_lost:
        return Rescue(text=f"{error}. {known}: copy it to {store.path} once the disk takes it")
    also = "" if beside is None else f", and {beside}, calls without an end, to {store.journal_path}"
    return Rescue(
        text=f"{error}. {known}: copy it to {store.path}{also} before anything else, or the next apply makes and "
        "trains everything a second time",
        first=" && ".join(_way_back(store, path, beside, is_taken=state_place == "replaced")),
    )


def rescue_location(store: StateFiles, state: State) -> StatePlace:
    """What became of the file while this process held the state."""
    try:
        now, seen = store.look()
    except UnsafeFile:
        return "replaced"
    except OSError:
        return "ours"  # this cannot be checked: the disk that refuses is what the error is about
    if now == seen:
        return "ours"
    if now is None:
        return "gone"
    try:
        there = store.read_other(store.folder.read(store.name)[0], store.path)
    except (OSError, StateError):
        return "replaced"
    return "continued" if there.lineage == state.lineage and there.serial > state.serial else "replaced"


def _place(store: StateFiles, journal: Journal | None, has_journal: bool) -> Place:
    if journal is None:
        return "gone" if has_journal and not store.has_journal_file() else "ours"
    try:
        return journal.place()
    except StateNotSaved:
        return "ours"  # as above


def written_rescue(content: bytes, suffix: str, beside: str | None = None) -> str:
    """A new file of the user alone; its path. beside: what its path begins with. Raises OSError."""
    if beside is None:
        descriptor, path = tempfile.mkstemp(prefix="scenario-apply-rescue-", suffix=suffix)
    else:
        path = beside + suffix
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return path


def _nothing_written(store: StateFiles, error: StateError, refusal: OSError, *, is_lost: bool) -> Rescue:
    text = f"{error}. No rescue file could be written either ({refusal.strerror})"
    if not is_lost:
        return Rescue(text=f"{text}; the journal {store.journal_path} has what it took")
    return Rescue(
        text=f"{text}: nothing on disk says what this run made. Put an earlier state back to {store.path} and import "
        "what the service has beside it, or delete that there, before the next apply",
        is_lost=True,
    )


def _way_back(store: StateFiles, path: str, beside: str | None, *, is_taken: bool) -> list[str]:
    """Shell commands that put the rescue file, and the journal with it, where the next run looks."""
    folder = os.path.dirname(store.path)
    words: list[tuple[str, ...]] = []
    if folder and not os.path.isdir(folder):
        if os.path.lexists(folder):
            words.append(("mv", folder, f"{folder}.other"))
        words.append(("mkdir", "-p", folder))
    if is_taken:
        words.append(("mv", store.path, f"{store.path}.other"))
    words.append(("cp", path, store.path))
    if beside is not None:
        words.append(("cp", beside, store.journal_path))
    return [shlex.join(line) for line in words]
