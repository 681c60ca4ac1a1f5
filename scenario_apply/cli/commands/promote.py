"""promote: write the choice of a version or an epoch into the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply promote model.kael manifests/quickstart --epoch 8 --local
  scenario-apply promote model.kael manifests/quickstart --version 2 --why sharper --local
  scenario-apply promote model.kael manifests/quickstart --version 2 --epoch 9 --dry-run --local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="such as model.kael")
    options.manifest(parser)
    options.reading(parser)
    parser.add_argument("--version", dest="number", metavar="N", help="the version to use, as status shows it")
    parser.add_argument("--epoch", metavar="N", help="the epoch of its training to use")
    parser.add_argument("--why", metavar="TEXT", help="the reason, kept in the manifest beside who chose and when")
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, write nothing")
    parser.add_argument("--auto-approve", action="store_true", help="write without asking, also on a terminal")
    options.service(parser)
    options.state(parser)


def run(call: Invocation) -> int:
    """Shows the difference and writes it; nothing is changed on Scenario."""
    from scenario_apply.cli.promoting import promote

    return promote(call)
