"""state: list, show, edit, copy and replace what is recorded. None of it sends a request."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.command_of_module import CommandOfModule

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation


def _reads(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser)
    options.local(parser)


def _writes(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser, locks=True)
    options.local(parser)


def _prints(parser: argparse.ArgumentParser) -> None:
    _reads(parser)
    options.formats(parser, "text", "json")


def _one_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="for example model.kael")


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    _one_address(parser)
    _prints(parser)


def _mv_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FROM", help="the recorded address")
    parser.add_argument("target", metavar="TO", help="the new address")
    _writes(parser)


def _rm_arguments(parser: argparse.ArgumentParser) -> None:
    _one_address(parser)
    _writes(parser)


def _push_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a state file, as printed by state pull")
    _writes(parser)
    parser.add_argument(
        "--force",
        action="store_true",
        help="accept another lineage or an older serial, and replace a state that cannot be read",
    )


def _merge_arguments(parser: argparse.ArgumentParser) -> None:
    what = "two states; or one with the conflict markers of Git, which is then replaced; or none: the state itself"
    parser.add_argument("files", nargs="*", metavar="FILE", help=what)
    _writes(parser)


def _migrate_arguments(parser: argparse.ArgumentParser) -> None:
    what = (
        "from where and to where, each a path or a URL such as s3://BUCKET/team/kael.json; with one of them, to where; "
        "and perhaps the manifest. A file goes to backups/, a state in a store stays with a note: neither is used again"
    )
    parser.add_argument("places", nargs="+", metavar="PLACE", help=what)
    options.manifest(parser, positional=False)
    options.locking(parser)
    options.local(parser)


def _list(call: Invocation) -> int:
    from scenario_apply.cli.wiring import nothing_recorded, recorded_state
    from scenario_apply.review.state_text import list_text

    state = recorded_state(call.settings)
    if call.arguments.format == "json":
        call.show(json.dumps([str(address) for address in sorted(state.records)], indent=2) + "\n")
    else:
        call.show(list_text(state, call.out))
    if not state.records:
        call.tell(nothing_recorded(call.settings))
    return 0


def _show(call: Invocation) -> int:
    from scenario_apply.cli.address_arguments import recorded_address
    from scenario_apply.cli.wiring import recorded_state
    from scenario_apply.review.state_text import record_text
    from scenario_apply.state.state_file import record_to_json

    state = recorded_state(call.settings)
    address = recorded_address(call.arguments.address, state)
    record = state.records[address]
    if call.arguments.format == "json":
        values = {"address": str(address), **record_to_json(record)}
        call.show(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    else:
        call.show(record_text(address, record, call.out))
    return 0


def _mv(call: Invocation) -> int:
    """Both addresses have the same kind, and nothing is recorded at the new one."""
    from scenario_apply.cli.address_arguments import address_of, recorded_address
    from scenario_apply.cli.state_edits import edited_state
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.errors import StateError, UsageError
    from scenario_apply.state.spending import renamed

    target = address_of(call.arguments.target)
    what = f"move {call.arguments.source} to {target}"
    with recorded_store(call.settings) as store, edited_state(store, call, "state mv", what) as edit:
        source = recorded_address(call.arguments.source, edit.state)
        if source.kind != target.kind:
            raise UsageError(f"a {source.kind} cannot become a {target.kind}")
        if target in edit.state.records:
            hint = f"run scenario-apply state rm {target} first"
            raise StateError(f"{target} is already recorded", code="address-taken", hint=hint)
        record = edit.state.records[source]
        moved = edit.state.with_record(source, None).with_record(target, record)
        edit.save(renamed(moved, {source: target}))
    call.show(f"{source} is now {target}\n")
    return 0


def _rm(call: Invocation) -> int:
    """Prints the IDs, so that the resource can be imported again."""
    from scenario_apply.cli.address_arguments import recorded_address
    from scenario_apply.cli.state_edits import edited_state
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.review.screen import safe

    what = f"forget {call.arguments.address}"
    with recorded_store(call.settings) as store, edited_state(store, call, "state rm", what) as edit:
        address = recorded_address(call.arguments.address, edit.state)
        ids = [version.id for version in edit.state.records[address].versions()]
        edit.save(edit.state.with_record(address, None))
    call.show(f"{address} is no longer recorded; Scenario keeps {safe(', '.join(ids))}\n")
    return 0


def _history(call: Invocation) -> int:
    from msgspec.structs import asdict

    from scenario_apply.cli.wiring import recorded_state
    from scenario_apply.review.state_text import history_text

    state = recorded_state(call.settings)
    if call.arguments.format == "json":
        call.show(json.dumps([asdict(entry) for entry in state.history], indent=2, ensure_ascii=False) + "\n")
    else:
        call.show(history_text(state, call.out))
    if not state.history:
        call.tell("the state has no history yet")
    return 0


def _pull(call: Invocation) -> int:
    """Raises StateError when nothing is recorded: a redirected empty file would look like a state."""
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.errors import StateError

    with recorded_store(call.settings) as store:
        loaded = store.load()
        content = store.content
    if content is None:
        raise StateError(f"nothing is recorded in {store.shown}", code="no-state")
    call.show_json(content.decode())
    if loaded.has_journal:
        call.tell("an interrupted run left a journal: what it did is added to this file by the next apply")
    return 0


def _push(call: Invocation) -> int:
    """The previous state is copied to backups/ first."""
    from scenario_apply.cli.state_edits import edited_state
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.errors import UsageError
    from scenario_apply.review.screen import safe

    path = os.path.join(call.settings.cwd, call.arguments.file)
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UsageError(f"{call.arguments.file} cannot be read: {error.strerror}") from error
    what = f"push {os.path.basename(path)}"
    with (
        recorded_store(call.settings) as store,
        edited_state(store, call, "state push", what, replaces_damaged=call.arguments.force) as edit,
    ):
        pushed = store.read_other(content, call.arguments.file)
        if pushed == edit.state:
            call.tell("the recorded state is the same; nothing was written")
            return 0
        state = edit.save(store.pushable(edit.state, pushed, force=call.arguments.force))
    call.show(f"{safe(store.shown)} now has serial {state.serial}\n")
    return 0


def _merge(call: Invocation) -> int:
    """Of each resource the record that is the later one; contradictions are named, and nothing is written."""
    from scenario_apply.cli.state_merging import merge_states
    from scenario_apply.review.screen import counted, safe

    merge = merge_states(call, call.arguments.files)
    if not merge.is_new:
        call.tell(f"{merge.path} holds all of it; nothing was written")
        return 0
    resources = counted(len(merge.state.records), "resource")
    call.show(f"{safe(merge.path)} now has serial {merge.state.serial}, {resources}\n")
    return 0


def _migrate(call: Invocation) -> int:
    """What is left in the old place is a copy that no command takes for the state."""
    from scenario_apply.cli.state_migrating import migrate_state
    from scenario_apply.review.screen import counted, safe

    moved = migrate_state(call, call.arguments.places)
    resources = counted(len(moved.state.records), "resource")
    if moved.copy is None:
        call.show(f"{safe(moved.source)} was moved to {safe(moved.target)} before: serial {moved.state.serial}\n")
    else:
        what = f"serial {moved.state.serial}, {resources}"
        call.show(f"{safe(moved.source)} is now in {safe(moved.target)}: {what}\n")
        call.tell(f"A copy that is no state any more is kept: {moved.copy}")
    call.tell(f"Write in the manifest:  state: {moved.written}")
    return 0


_Q = "manifests/quickstart --local"

COMMANDS = {
    "state list": CommandOfModule(
        f"  scenario-apply state list {_Q}\n"
        "  scenario-apply state list --state manifests/quickstart/state/quickstart.json --format json",
        _prints,
        _list,
    ),
    "state show": CommandOfModule(
        f"  scenario-apply state show model.kael {_Q}\n  scenario-apply state show model.kael {_Q} --format json",
        _show_arguments,
        _show,
    ),
    "state mv": CommandOfModule(f"  scenario-apply state mv model.kael model.ranger {_Q}", _mv_arguments, _mv),
    "state rm": CommandOfModule(f"  scenario-apply state rm model.kael {_Q}", _rm_arguments, _rm),
    "state history": CommandOfModule(
        f"  scenario-apply state history {_Q}\n  scenario-apply state history {_Q} --format json", _prints, _history
    ),
    "state pull": CommandOfModule(f"  scenario-apply state pull {_Q} > copy.json", _reads, _pull),
    "state push": CommandOfModule(
        f"  scenario-apply state pull {_Q} > copy.json\n  scenario-apply state push copy.json {_Q}",
        _push_arguments,
        _push,
    ),
    "state merge": CommandOfModule(
        f"  scenario-apply state pull {_Q} > ours.json\n  scenario-apply state pull {_Q} > theirs.json\n"
        f"  scenario-apply state merge ours.json theirs.json {_Q}",
        _merge_arguments,
        _merge,
    ),
    "state migrate": CommandOfModule(
        "  scenario-apply state migrate manifests/quickstart/state/quickstart.json moved.json\n"
        "  scenario-apply state migrate moved.json manifests/quickstart/state/quickstart.json\n"
        "  scenario-apply state migrate moved.json manifests/quickstart",
        _migrate_arguments,
        _migrate,
    ),
}
