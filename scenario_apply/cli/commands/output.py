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
    from scenario_apply.cli.wiring import nothing_recorded, recorded_state
    from scenario_apply.review.outputs import output_env, output_json, output_text, output_yaml

    state = recorded_state(call.settings)
    views = {"json": output_json, "env": output_env, "yaml": output_yaml}
    chosen = call.arguments.format
    call.show(views[chosen](state) if chosen in views else output_text(state, call.out))
    if not state.records:
        call.tell(nothing_recorded(call.settings))
    return 0
