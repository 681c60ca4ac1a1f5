"""state list: what is recorded. Never touches the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply state list manifests/quickstart
  scenario-apply state list --state state/quickstart.json --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser)
    options.local(parser)
    options.formats(parser, "text", "json")


def run(call: Invocation) -> int:
    """An address a line."""
    import json

    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.review.state_text import list_text

    state = recorded_store(call.settings).read()
    if call.arguments.format == "json":
        call.show(json.dumps([str(address) for address in sorted(state.records)], indent=2) + "\n")
    else:
        call.show(list_text(state, call.out))
    if not state.records:
        call.tell("nothing is recorded yet")
    return 0
