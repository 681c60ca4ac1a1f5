"""state show: one recorded resource. Never touches the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply state show model.kael manifests/quickstart
  scenario-apply state show model.kael --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="such as model.kael")
    options.manifest(parser)
    options.state(parser)
    options.local(parser)
    options.formats(parser, "text", "json")


def run(call: Invocation) -> int:
    """Its versions, images and captions."""
    import json

    from scenario_apply.cli.address_arguments import recorded_address
    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.review.state_text import record_text
    from scenario_apply.state.state_file import record_to_json

    state = recorded_store(call.settings).read()
    address = recorded_address(call.arguments.address, state)
    record = state.records[address]
    if call.arguments.format == "json":
        values = {"address": str(address), **record_to_json(record)}
        call.show(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    else:
        call.show(record_text(address, record, call.out))
    return 0
