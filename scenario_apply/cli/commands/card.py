"""card: write a model card in the form of the Hugging Face Hub, or make it the model's description. Writes no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.parser import positive

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply card model.kael manifests/quickstart --local
  scenario-apply card model.kael manifests/quickstart --local --out kael.md
  scenario-apply card model.kael manifests/quickstart --local --push --auto-approve
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="such as model.kael")
    options.manifest(parser)
    parser.add_argument("--version", type=positive, metavar="N", help="of this version (default: the current one)")
    parser.add_argument(
        "--out", metavar="FILE", help="the file to write, with the pictures of samples in a folder beside it"
    )
    parser.add_argument(
        "--push",
        action="store_true",
        help="make it the description on Scenario, after showing what that replaces",
    )
    parser.add_argument("--auto-approve", action="store_true", help="--push without asking for approval")
    options.service(parser)
    options.state(parser)


def run(call: Invocation) -> int:
    """Without --out and --push the card is printed."""
    from scenario_apply.cli.card_writing import write_card

    return write_card(call)
