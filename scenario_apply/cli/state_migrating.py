"""state migrate: a state moves to another place with its lineage and serial, so that only one of the two is used.

The new place is written and read back before the old one is retired. Whatever moment the command dies at, the same
command ends what is left to do.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.cli.command_lines import again
from scenario_apply.cli.state_location import StateLocation, store_at
from scenario_apply.cli.wiring import open_manifest, place_named, place_of_manifest
from scenario_apply.errors import StateError, StateForeign, UsageError
from scenario_apply.state.state import State
from scenario_apply.state.state_file import StateMoved, read_state_file, state_of
from scenario_apply.state.state_url import BadStateUrl, parse_state_url
from scenario_apply.state.url_texts import is_state_url

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.state.stores.state_store import StateStore

_MANIFEST_ENDINGS = (".yaml", ".yml", ".j2")


class Migration(Struct, frozen=True, kw_only=True):
    """source, target: as shown. written: what a manifest says of the target. copy: what is left; None: done before."""

    source: str
    target: str
    written: str
    state: State
    copy: str | None


def migrate_state(call: Invocation, words: Sequence[str]) -> Migration:
    """Move a state. words: from where and to where, or only the latter, and perhaps the manifest.

    Raises UsageError, and StateError for a state that a run left open, and for a place that holds another state.
    """
    here, there = _places(call, words)
    written = _written(here, there)
    if here.state == there.state:
        raise UsageError(f"the state is in {here.state} already", hint="name another place to move it to")
    timeout_s = call.settings.lock_timeout_s
    with (
        store_at(here, endpoint=None) as source,
        store_at(there, endpoint=None) as target,
        source.locked("state migrate", timeout_s) as of_source,
        target.locked("state migrate", timeout_s) as of_target,
    ):
        for note in (*of_source, *of_target):
            call.tell(note)
        try:
            state = _complete(source, _completing(call, words, here), is_remote=here.url is not None)
        except StateMoved as moved:
            state = _moved_before(moved, target, written)
            return Migration(source=source.shown, target=target.shown, written=written, state=state, copy=None)
        state = _put(target, state, here)
        copy = source.retire(written)
    return Migration(source=source.shown, target=target.shown, written=written, state=state, copy=copy)


def _places(call: Invocation, words: Sequence[str]) -> tuple[StateLocation, StateLocation]:
    settings = call.settings
    named = [word for word in words if not _is_manifest(word, settings.cwd)]
    manifests = [word for word in words if _is_manifest(word, settings.cwd)]
    if len(named) not in (1, 2) or len(manifests) > 1:
        hint = "scenario-apply state migrate state/kael.json s3://BUCKET/kael.json"
        raise UsageError("state migrate takes the place of a state, and the place to move it to", hint=hint)
    manifest = None
    if manifests or len(named) == 1:
        settings = dataclasses.replace(settings, manifest=manifests[0] if manifests else None, state=None)
        manifest = open_manifest(settings)
    name = None if manifest is None else manifest.name
    there = place_named(named[-1], settings, name)
    if len(named) == 2:
        return place_named(named[0], settings, name), there
    assert manifest is not None
    return place_of_manifest(manifest, settings), there


def _is_manifest(word: str, cwd: str) -> bool:
    is_folder = not is_state_url(word) and os.path.isdir(os.path.join(cwd, word))
    return word.endswith(_MANIFEST_ENDINGS) or is_folder


def _written(here: StateLocation, there: StateLocation) -> str:
    """The new place as a manifest or --state names it."""
    if there.url is not None:
        return there.url.written
    near = os.path.relpath(there.state, here.root)
    return there.state if near.startswith(os.pardir) else near


def _completing(call: Invocation, words: Sequence[str], here: StateLocation) -> str:
    """The command that completes the state in this place: without the place it would make everything once more."""
    manifest = next((word for word in words if _is_manifest(word, call.settings.cwd)), None)
    state = here.state if here.url is None else here.url.written
    return again({}, dataclasses.replace(call.settings, manifest=manifest, state=state), "apply")


def _complete(source: StateStore, completing: str, *, is_remote: bool) -> State:
    """The state to be moved. Raises StateError where there is none, or where a run left something to be done.

    completing: the command that does this.
    """
    loaded = source.load()
    content = source.content
    if content is None:
        raise StateError(f"nothing is recorded in {source.shown}", code="no-state", hint="name the place it is in")
    # a store notes a run until its end, of which another machine may have the journal
    is_noted = is_remote and bool(read_state_file(content, source=source.shown).journal)
    if loaded.has_journal or is_noted:
        raise StateError(
            f"an earlier run was interrupted, and {source.shown} does not have all of it",
            code="journal-left",
            hint=f"first run {completing}, which completes the state",
        )
    return loaded.state


def _put(target: StateStore, state: State, here: StateLocation) -> State:
    """Write the state to its new place, unless it is there, and read it back; as it is there."""
    held = target.take()
    if held is not None:
        file = read_state_file(held, source=target.shown)
        if file.lineage != state.lineage:
            raise StateForeign(
                f"{target.shown} holds another state, of lineage {file.lineage}",
                hint="nothing was changed; name a place that is empty",
            )
        if not file.moved_to and _is_same(state_of(file, source=target.shown), state):
            return target.load().state
        if file.moved_to:
            if file.serial > state.serial and not _is_place(file.moved_to, here):
                raise StateMoved(target.shown, file)
        elif file.serial >= state.serial:
            raise StateForeign(
                f"{target.shown} holds serial {file.serial} of this state, and only serial {state.serial} is here",
                hint="nothing was changed; use the newer one, or join both with state merge",
            )
    with suppress(StateMoved):  # the way back
        if target.load().has_journal:
            raise StateError(
                f"an interrupted run left something in {target.shown}",
                code="journal-left",
                hint=f"look at it: scenario-apply state list --state {shlex.quote(target.shown)}",
            )
    # a save takes the next serial: saved plans stay good where it is the one that they were made from
    target.save(replace(state, serial=state.serial - 1))
    saved = target.load().state
    if not _is_same(saved, state):
        what = f"what {target.shown} gives back is not what was written to it"
        raise StateError(what, hint="the state stays where it was")
    return saved


def _is_place(moved_to: str, here: StateLocation) -> bool:
    """Whether a note of where a state went means this place: stores that count serials on their own are ahead then."""
    if here.url is not None:
        with suppress(BadStateUrl):
            return parse_state_url(moved_to).shown == here.url.shown
    return f"/{here.state}".endswith(f"/{moved_to}")


def _is_same(one: State, other: State) -> bool:
    """Whether two states differ in their serials at most; some stores count on their own."""
    return replace(one, serial=0) == replace(other, serial=0)


def _moved_before(moved: StateMoved, target: StateStore, written: str) -> State:
    """The state where an earlier migrate, which may have been killed, put it. Raises StateMoved for another place."""
    if moved.file.moved_to != written:
        raise moved
    state = target.load().state
    if state.lineage != moved.file.lineage:
        raise moved
    return state
