"""state mv: give a recorded resource another address. Nothing is asked of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply state mv model.kael model.ranger manifests/quickstart
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FROM", help="the address so far")
    parser.add_argument("target", metavar="TO", help="the address from now on")
    options.manifest(parser)
    options.state(parser, locks=True)
    options.local(parser)


def run(call: Invocation) -> int:
    """Same kind, and nothing recorded there yet."""
    from scenario_apply.cli.address_arguments import address_of, recorded_address
    from scenario_apply.cli.state_edits import edited_state
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.errors import StateError, UsageError

    target = address_of(call.arguments.target)
    store = recorded_store(call.settings)
    what = f"move {call.arguments.source} to {target}"
    with edited_state(store, call, "state mv", what) as edit:
        source = recorded_address(call.arguments.source, edit.state)
        if source.kind != target.kind:
            raise UsageError(f"a {source.kind} cannot become a {target.kind}")
        if target in edit.state.records:
            raise StateError(
                f"{target} is recorded already", code="address-taken", hint=f"scenario-apply state rm {target} first"
            )
        record = edit.state.records[source]
        edit.save(edit.state.with_record(source, None).with_record(target, record))
    call.show(f"{source} is {target} now\n")
    return 0
