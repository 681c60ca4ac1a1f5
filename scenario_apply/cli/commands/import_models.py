"""import: adopt remote models: write their part of the manifest, download what they were trained on, record them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply import --all adopted --from manifests/quickstart --local --exclude model.ink-wash
  scenario-apply import --blocks adopted --local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="ADDRESS MODEL_ID [MANIFEST]",
        help="the address the model gets, its ID on Scenario, and the manifest to add to; "
        "with --all and --blocks only MANIFEST (default: scenario.yaml, else manifests/; made if there is none)",
    )
    parser.add_argument("--all", action="store_true", help="all models of the project that are not recorded yet")
    parser.add_argument(
        "--blocks",
        action="store_true",
        help="the models that import: blocks of the manifest name",
    )
    options.state(parser, locks=True)
    options.service(parser)
    options.remote_selection(parser)
    options.formats(parser, "text", "json")


def run(call: Invocation) -> int:
    from scenario_apply.cli.export_commands import import_models

    return import_models(call)
