"""state merge: two states of one lineage become one, from two files or from one that Git could not merge."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from scenario_apply.cli.named_files import untrusted_top
from scenario_apply.cli.state_links import follow_state_link
from scenario_apply.cli.state_location import StateLocation, store_at
from scenario_apply.cli.wiring import place_named, place_of
from scenario_apply.errors import StateDamaged, StateError, UsageError
from scenario_apply.state.conflict import Conflict, conflict_of
from scenario_apply.state.merging import Side, common_base, merged
from scenario_apply.state.state import State
from scenario_apply.state.state_file import JournalNote, StateFile, read_state_file, state_of
from scenario_apply.state.stores.own_files import LARGEST_BYTES
from scenario_apply.state.stores.provenance import noted
from scenario_apply.state.url_texts import is_state_url

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.settings import Settings
    from scenario_apply.state.stores.state_store import StateStore

_MANIFEST_ENDINGS = (".yaml", ".yml", ".j2")


class Source(Struct, frozen=True, kw_only=True):
    """One of the states that are merged."""

    side: Side
    file: StateFile


class Merge(Struct, frozen=True, kw_only=True):
    """The state at path, and whether anything had to be written."""

    path: str
    state: State
    is_new: bool


def merge_states(call: Invocation, words: Sequence[str]) -> Merge:
    """Merge and save, under the lock of the state that is written.

    words: up to two files, and perhaps the manifest. Without a file the conflict in the state itself is resolved; a
    single file must hold one, and is replaced unless --state names another. The state that is there takes part.
    Raises UsageError, StateDamaged, StateForeign, or StateError with every address on which they contradict each other.
    """
    files, manifest = _sorted_out(words, call.settings.cwd)
    given = [_given(file, call.settings) for file in files]
    with (
        store_at(_target(call, files, manifest), endpoint=None) as store,
        store.locked("state merge", call.settings.lock_timeout_s) as notes,
    ):
        for note in notes:
            call.tell(note)
        present = store.take()
        if not given and present is not None:
            given = [(store.shown, present)]
        sources, base = _sources(given)
        if len(sources) < 2:
            raise UsageError(
                "there is nothing to merge: name two states, or one with the conflict markers of Git",
                hint="git show :2:state/kael.json > ours.json gives one side, :3: the other",
            )
        whole, before = _with_present(sources, present, store.shown)
        state = _folded(whole, base, store)
        if before is not None and _says_the_same(before, state):
            return Merge(path=store.shown, state=before, is_new=False)
        if present is not None and before is None:
            store.put_away(present)
        what = f"merge {' and '.join(source.side.name for source in sources)}"
        store.resume(_journal_note(whole, store))
        saved = store.save(noted(state, store.clock, command="scenario-apply state merge", what=what))
        return Merge(path=store.shown, state=saved, is_new=True)


def _sorted_out(words: Sequence[str], cwd: str) -> tuple[list[str], str | None]:
    """Files, and the manifest among the words. Raises UsageError."""
    is_manifest = [word.endswith(_MANIFEST_ENDINGS) or os.path.isdir(os.path.join(cwd, word)) for word in words]
    files = [word for word, no_file in zip(words, is_manifest, strict=True) if not no_file]
    manifests = [word for word, no_file in zip(words, is_manifest, strict=True) if no_file]
    if len(files) > 2 or len(manifests) > 1:
        raise UsageError("state merge takes two states, and perhaps a manifest", hint="merge the third one afterwards")
    return files, manifests[0] if manifests else None


def _given(file: str, settings: Settings) -> tuple[str, bytes]:
    """The name and the bytes of a state that is merged: a file, or the URL of a store."""
    if not is_state_url(file):
        return file, _content(file, settings.cwd)
    place = place_named(file, settings)
    with store_at(place, endpoint=None) as store:
        content = store.take()
    if content is None:
        raise UsageError(f"there is no state {place.state}")
    return place.state, content


def _content(file: str, cwd: str) -> bytes:
    try:
        with open(os.path.join(cwd, file), "rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_BYTES:
        raise UsageError(f"{file} has more than {LARGEST_BYTES:,} bytes, and no state has")
    return content


def _target(call: Invocation, files: Sequence[str], manifest: str | None) -> StateLocation:
    settings = call.settings
    if len(files) == 1 and settings.state is None and manifest is None:
        if is_state_url(files[0]):
            return place_named(files[0], settings)
        path = os.path.abspath(os.path.join(settings.cwd, files[0]))
        path, within = follow_state_link(path, untrusted_top(path, settings.cwd), settings.cwd)
        return StateLocation(state=path, root=os.path.dirname(path), project=None, is_bare=True, within=within)
    return place_of(dataclasses.replace(settings, manifest=manifest))


def _sources(given: Sequence[tuple[str, bytes]]) -> tuple[list[Source], State | None]:
    """Every side, and what the sides of a conflict come from where it tells."""
    found: list[Source] = []
    base: State | None = None
    for name, content in given:
        conflict = conflict_of(content)
        if conflict is None:
            found.append(_source(content, name))
            continue
        found += _sides(conflict, name)
        if conflict.base is not None and len(given) == 1:
            base = _source(conflict.base, f"{name} (what both come from)").side.state
    return found, base


def _sides(conflict: Conflict, name: str) -> Iterator[Source]:
    hint = (
        f"take both sides from Git instead: git show :2:{name} > ours.json, git show :3:{name} > theirs.json, "
        "then scenario-apply state merge ours.json theirs.json"
    )
    if not conflict.is_whole:
        raise StateDamaged(f"{name} holds conflict markers of which some are missing", hint=hint)
    for content, side in ((conflict.ours, conflict.ours_name), (conflict.theirs, conflict.theirs_name)):
        try:
            yield _source(content, f"{name} ({side})")
        except StateDamaged as damaged:
            raise StateDamaged(damaged.message, hint=hint) from damaged


def _source(content: bytes, name: str) -> Source:
    file = read_state_file(content, source=name)
    if file.is_of_a_newer_minor:
        raise StateError(f"{name} has format {file.format_version}", code="state-newer", hint="install that release")
    return Source(side=Side(state=state_of(file, source=name), name=name), file=file)


def _with_present(sources: Sequence[Source], present: bytes | None, path: str) -> tuple[list[Source], State | None]:
    """The sources with the state that would be written over, and that state; None when it cannot be read."""
    if present is None:
        return [*sources], None
    try:
        mine = _source(present, path)
    except StateDamaged:
        return [*sources], None
    is_given = any(source.side.state == mine.side.state for source in sources)
    return [*sources] if is_given else [*sources, mine], mine.side.state


def _folded(sources: Sequence[Source], base: State | None, store: StateStore) -> State:
    """All of them in one."""
    whole, *others = (source.side for source in sources)
    for other in others:
        ours, theirs = whole.state, other.state
        earlier = (state for _, state in store.earlier_states())
        state = merged(whole, other, base or common_base(ours, theirs, earlier))
        whole = Side(state=state, name=whole.name)
    return whole.state


def _says_the_same(before: State, state: State) -> bool:
    return (before.records, before.loose, before.history) == (state.records, state.loose, state.history)


def _journal_note(sources: Sequence[Source], store: StateStore) -> JournalNote | None:
    """How much of a journal that was left here the states hold: no line of it may be done twice."""
    run = store.journal_run()
    notes = [note for source in sources if (note := source.file.journal or None) is not None and note.run == run]
    return max(notes, key=lambda note: note.lines, default=None)
