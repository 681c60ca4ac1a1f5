"""destroy: delete everything recorded, previous versions too. Protected resources stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply plan manifests/quickstart --local --destroy
  scenario-apply destroy manifests/quickstart --local --select model.props --auto-approve
  scenario-apply destroy manifests/quickstart --local --auto-approve
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.reading(parser)
    options.running(parser, trains=False)
    options.selection(parser, training=False)
    options.service(parser)
    options.state(parser, locks=True)


def run(call: Invocation) -> int:
    """Show what goes, ask, delete it, show the ledger."""
    from scenario_apply.cli.run_plan import run_plan

    return run_plan(call, command="destroy", destroy=True)
