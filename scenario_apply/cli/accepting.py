"""The work of `accept`: what was changed on Scenario goes into manifest, caption files and state.

Shows the difference, asks, writes what was shown and nothing else, then says what a plan would still do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.apply.accept_files import AcceptedFiles
from scenario_apply.apply.manifest_edits import FileEdit
from scenario_apply.apply.prepare import Compared, PlanOptions, compare
from scenario_apply.cli.apply_session import ApprovalImpossible
from scenario_apply.cli.plan_request import PlanRequest, read_request
from scenario_apply.cli.wiring import open_manifest, open_world, require_service
from scenario_apply.dataset.scan.caption_places import CaptionPlaces, caption_places
from scenario_apply.dataset.scan.caption_writing import NotWritten, create_caption_file, replace_caption_file
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.errors import ExitCode, StateError
from scenario_apply.model.address import Address
from scenario_apply.planning.acceptance import Acceptance, acceptance
from scenario_apply.planning.changes import Action
from scenario_apply.planning.decide import decide
from scenario_apply.planning.decision import action_of
from scenario_apply.planning.desired import desire
from scenario_apply.planning.selection import PlanRequestOptions, select
from scenario_apply.planning.taken_over import taken_over
from scenario_apply.review.file_diff import file_diff
from scenario_apply.review.screen import counted, safe
from scenario_apply.state.state import State
from scenario_apply.state.stores.provenance import noted

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.manifest.spec import Manifest


class _Found(Struct, frozen=True, kw_only=True):
    """What was changed on Scenario, and what files and state would say."""

    compared: Compared
    accepted: Acceptance
    files: AcceptedFiles
    state: State

    @property
    def edits(self) -> tuple[FileEdit, ...]:
        return tuple(self.files.edits.values())

    @property
    def is_new_state(self) -> bool:
        """Whether anything is recorded, apart from trainings that have ended since."""
        return self.state != self.compared.inputs.state


def accept(call: Invocation, words: tuple[str, ...]) -> int:
    """0 when all that was changed is accepted, or nothing was; else 1. words: of --select, empty for everything."""
    require_service(call.settings)
    request = read_request(call.settings, depth=Depth.HEADERS)
    with open_world(request.place, call.settings, read_only=True) as world:
        if call.arguments.check:
            return _check(call, _found(call, request, world, words))
        with world.store.locked("accept", call.settings.lock_timeout_s) as notes:
            for note in notes:
                call.tell(note)
            found = _found(call, request, world, words)
            _show(call, found)
            if not (found.edits or found.is_new_state):
                return _nothing(call, found)
            if not _is_approved(call, found):
                call.tell("Nothing was changed.")
                return ExitCode.ERROR
            return _write(call, request, world, found)


def _found(call: Invocation, request: PlanRequest, world: Environment, words: tuple[str, ...]) -> _Found:
    loaded = world.store.load()
    if loaded.has_journal:
        raise StateError(
            "an earlier run did not end properly, and its journal is left over",
            code="journal-left",
            hint="run scenario-apply apply, which settles it, then try again",
        )
    manifest = request.manifest
    now = world.clock.now()
    compared = compare(world, manifest, request.datasets, loaded.state, PlanOptions(refresh_only=True), now)
    given = compared.inputs
    chosen = select(given.desired, given.state, words, ())
    given = replace(given, asked=PlanRequestOptions(selected=chosen), decided={})
    accepted = acceptance(given, [one for one in compared.drift if given.is_selected(one.address)])
    files = AcceptedFiles(
        manifest=manifest,
        recorded=frozenset(given.state.records),
        cwd=call.settings.cwd,
        reload=lambda edited: open_manifest(call.settings, edited),
        places_of=lambda name: _places(call, manifest, name),
    )
    files.add(accepted)
    settled = accepted.settled - files.refused
    state = taken_over(
        given.state, [one for one in compared.drift if (one.address, one.what) in settled], given.observed
    )
    return _Found(compared=compared, accepted=accepted, files=files, state=_with_tags(state, compared, settled))


def _with_tags(state: State, compared: Compared, settled: set[tuple[Address, str]]) -> State:
    """Tags that were added on Scenario are recorded as sent, so that the manifest's are no change."""
    for address, what in settled:
        record = state.records.get(address)
        remote = None if record is None else compared.observed.models.get(record.working.id)
        if what == "tags" and record is not None and remote is not None and remote.tags is not None:
            version = with_fields(record.working, tags=tuple(remote.tags))
            state = state.with_record(address, record.with_working(version))
    return state


def _places(call: Invocation, manifest: Manifest, name: str) -> CaptionPlaces:
    settings = call.settings
    allowed, remote = settings.allow_outside_root, settings.remote
    return caption_places(manifest.datasets[name], root=manifest.root, allow_outside=allowed, remote=remote)


# -- what is shown and asked


def _show(call: Invocation, found: _Found) -> None:
    for edit in found.edits:
        before, after = ((text or b"").decode(errors="backslashreplace") for text in (edit.before, edit.after))
        call.show(file_diff(edit.file, before, after, call.out_now, encoding="UTF-8", kinds=("as on Scenario",)))
    for sentence in _left(found):
        call.tell(f"left as it is: {sentence}")


def _left(found: _Found) -> list[str]:
    return [*(f"{address}: {why}" for address, why in found.accepted.left), *found.files.left]


def _check(call: Invocation, found: _Found) -> int:
    _show(call, found)
    if found.edits or found.is_new_state:
        what = counted(len(found.edits), "file")
        call.tell(f"accept would change {what}{' and the state' if found.is_new_state else ''}. Nothing was changed.")
        return ExitCode.ERROR
    return _nothing(call, found)


def _nothing(call: Invocation, found: _Found) -> int:
    if left := _left(found):
        call.tell(f"Nothing can be accepted; {counted(len(left), 'difference is', 'differences are')} left.")
        return ExitCode.ERROR
    call.tell("Nothing to accept: nothing was changed on Scenario.")
    return ExitCode.OK


def _is_approved(call: Invocation, found: _Found) -> bool:
    if call.arguments.auto_approve:
        return True
    if not call.is_interactive:
        raise ApprovalImpossible(
            "approval is required, but no terminal is attached; nothing was changed",
            hint="add --auto-approve to write what is shown above",
        )
    what = f"Write {counted(len(found.edits), 'file')} and the state?" if found.edits else "Write the state?"
    return call.confirm(f"{what} Nothing is changed on Scenario.", "Only 'yes' will be accepted.")


# -- what is written


def _write(call: Invocation, request: PlanRequest, world: Environment, found: _Found) -> int:
    """Files first: a run that ends in between is run again, and finds them as they should be."""
    root = request.manifest.root
    for edit in found.edits:
        try:
            if edit.before is None:
                create_caption_file(root, edit.file, edit.after)
            else:
                replace_caption_file(root, edit.file, edit.after, before=edit.before)
        except NotWritten as error:
            call.say(f"{safe(edit.file)}: {safe(str(error))}; the state is not changed, run accept again\n")
            return ExitCode.ERROR
    if found.is_new_state:
        named = sorted({str(address) for address, _ in found.accepted.settled - found.files.refused})
        what = f"accept {', '.join(named[:8])}" if named else "refresh"
        typed = call.command_line(request.place.secrets) or "scenario-apply accept"
        world.store.save(noted(found.state, world.clock, command=typed, what=what, root=root))
    call.tell(f"Accepted: {counted(len(found.edits), 'file')} written.")
    remaining = _remaining(call, found)
    if remaining:
        call.tell(f"A plan would still change {', '.join(remaining)}.")
    return ExitCode.ERROR if _left(found) else ExitCode.OK


def _remaining(call: Invocation, found: _Found) -> list[str]:
    """What a plan would still do to the resources that were accepted, as `model.kael (replace)`."""
    again = read_request(call.settings, depth=Depth.HEADERS)
    desired = desire(again.manifest, again.datasets)
    given = replace(found.compared.inputs, desired=desired, state=found.state, decided={})
    decisions = decide(replace(given, asked=PlanRequestOptions()))
    accepted = {address for address, _ in found.accepted.settled}
    actions = {address: action_of(decisions[address]) for address in sorted(accepted) if address in decisions}
    return [f"{address} ({action.value})" for address, action in actions.items() if action is not Action.NONE]


def words_of(
    words: list[str], settings_manifest: str | None, cwd: str, command: str = "accept"
) -> tuple[tuple[str, ...], str | None]:
    """Addresses and the manifest among the words of the command line: the manifest is no address, or exists."""
    from scenario_apply.errors import UsageError
    from scenario_apply.model.address import parse_address

    addresses: list[str] = []
    others: list[str] = []
    for word in words:
        try:
            parse_address(word)
            is_address = not os.path.exists(os.path.join(cwd, word))
        except ValueError:
            is_address = False
        (addresses if is_address else others).append(word)
    if len(others) > 1:
        raise UsageError(f"unexpected argument {others[1]!r}", hint=f"{command} takes addresses and one manifest")
    return tuple(addresses), others[0] if others else settings_manifest
