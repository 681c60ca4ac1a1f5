"""output: the ids of what is recorded, for other programs. Sends no requests, writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply output manifests/quickstart --local
  scenario-apply output manifests/quickstart --local --format json
  eval "$(scenario-apply output manifests/quickstart --local --format env)" && echo "$MODEL_KAEL"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.state(parser)
    options.local(parser)
    options.formats(parser, "text", "json", "env", "yaml")


def run(call: Invocation) -> int:
    """Everything recorded that has an id."""
    from scenario_apply.cli.manifest_if_readable import bests_if_readable
    from scenario_apply.cli.wiring import nothing_recorded, recorded_state
    from scenario_apply.review.outputs import output_env, output_json, output_text, output_yaml

    state = recorded_state(call.settings)
    chosen = call.arguments.format
    if chosen in ("json", "yaml"):
        bests = bests_if_readable(call.settings)
        call.show(output_json(state, bests) if chosen == "json" else output_yaml(state, bests))
    else:
        call.show(output_env(state) if chosen == "env" else output_text(state, call.out))
    if not state.records:
        call.tell(nothing_recorded(call.settings))
    return 0
