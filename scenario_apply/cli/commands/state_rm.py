"""state rm: forget a resource. The service keeps it; nothing is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply state rm model.kael manifests/quickstart
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="such as model.kael")
    options.manifest(parser)
    options.state(parser, locks=True)
    options.local(parser)


def run(call: Invocation) -> int:
    """The ids are printed, so that they can be imported again."""
    from scenario_apply.cli.address_arguments import recorded_address
    from scenario_apply.cli.state_edits import edited_state
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.review.screen import safe

    store = recorded_store(call.settings)
    with edited_state(store, call, "state rm", f"forget {call.arguments.address}") as edit:
        address = recorded_address(call.arguments.address, edit.state)
        ids = [version.id for version in edit.state.records[address].versions()]
        edit.save(edit.state.with_record(address, None))
    call.show(f"{address} is forgotten; the service keeps {safe(', '.join(ids))}\n")
    return 0
