"""accept: write what was changed on Scenario into manifest, caption files and state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply accept manifests/quickstart --local
  scenario-apply accept model.kael manifests/quickstart --local --auto-approve
  scenario-apply accept manifests/quickstart --local --check
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="ADDRESS",
        help="such as model.kael; default: everything. A word that is no address is the MANIFEST",
    )
    options.manifest(parser, positional=False)
    options.reading(parser)
    parser.add_argument("--auto-approve", action="store_true", help="write without asking for approval")
    parser.add_argument("--check", action="store_true", help="show what would be written, write nothing; 1 if anything")
    options.strict(parser)
    options.service(parser)
    options.state(parser, locks=True)


def run(call: Invocation) -> int:
    """Shows the difference of each file, asks, writes."""
    from scenario_apply.cli.accepting import accept, words_of

    addresses, manifest = words_of(call.arguments.words, call.settings.manifest, call.settings.cwd)
    return accept(replace(call, settings=replace(call.settings, manifest=manifest)), addresses)
