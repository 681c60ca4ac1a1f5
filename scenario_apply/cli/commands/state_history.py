"""state history: what was done to the state, when, by whom, from which manifest and Git commit. Newest last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply state history manifests/quickstart
  scenario-apply state history --state state/quickstart.json --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser)
    options.local(parser)
    options.formats(parser, "text", "json")


def run(call: Invocation) -> int:
    """A serial a block; the state keeps the last hundred."""
    import json

    from msgspec.structs import asdict

    from scenario_apply.cli.wiring import recorded_store
    from scenario_apply.review.state_text import history_text

    state = recorded_store(call.settings).read()
    if call.arguments.format == "json":
        call.show(json.dumps([asdict(entry) for entry in state.history], indent=2, ensure_ascii=False) + "\n")
    else:
        call.show(history_text(state, call.out))
    if not state.history:
        call.tell("nothing was done yet")
    return 0
