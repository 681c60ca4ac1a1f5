"""export: write manifest, images and captions of remote models into a folder. Writes no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply export exported --from manifests/quickstart --local --exclude model.ink-wash
  scenario-apply export only-kael --from manifests/quickstart --local --select model.kael-the-ranger
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "manifest",
        nargs="?",
        metavar="MANIFEST",
        help="the manifest to write or to add to: a file, or a folder, which may be new "
        "(default: scenario.yaml, else manifests/)",
    )
    options.state(parser)
    options.service(parser)
    options.remote_selection(parser)
    options.formats(parser, "text", "json")


def run(call: Invocation) -> int:
    from scenario_apply.cli.export_commands import export

    return export(call)
