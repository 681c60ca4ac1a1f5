"""state push: put a state file in place of the recorded one, if it is of its lineage and not older."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply state push copy.json manifests/quickstart
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a state file, as state pull prints it")
    options.manifest(parser)
    options.state(parser, locks=True)
    options.local(parser)
    parser.add_argument("--force", action="store_true", help="also another lineage or an older serial")


def run(call: Invocation) -> int:
    """The state that was there goes to backups/ first."""
    import os

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
    store = recorded_store(call.settings)
    with edited_state(store, call, "state push", f"push {os.path.basename(path)}") as edit:
        pushed = store.read_other(content, call.arguments.file)
        if pushed == edit.state:
            call.tell("the recorded state is the same: nothing was written")
            return 0
        state = edit.save(store.pushable(edit.state, pushed, force=call.arguments.force))
    call.show(f"{safe(store.path)} is serial {state.serial} now\n")
    return 0
