"""export: write manifest, images and captions of remote models, or trained weights, into a folder. Writes no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.parser import positive

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply export exported --from manifests/quickstart --local --exclude model.ink-wash
  scenario-apply export only-kael --from manifests/quickstart --local --select model.kael-the-ranger
  scenario-apply export --weights weights model.kael manifests/quickstart --local
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="MANIFEST",
        help="the manifest to write or to add to: a file, or a folder, which may be new "
        "(default: scenario.yaml, else manifests/). With --weights: ADDRESS... [MANIFEST], such as model.kael, and the "
        "manifest whose models are meant; without an address every trained model",
    )
    group = parser.add_argument_group("weights")
    group.add_argument(
        "--weights", metavar="DIR", help="download trained weights into this folder, with weights.json beside them"
    )
    group.add_argument(
        "--version", type=positive, metavar="N", help="of this version of each model (default: the current one)"
    )
    group.add_argument("--epoch", metavar="EPOCH", help="of this epoch (default: the one in use)")
    group.add_argument(
        "--auto-approve", action="store_true", help="do not ask, should Scenario charge for the export of weights"
    )
    options.manifest(parser, positional=False)
    options.state(parser)
    options.service(parser)
    options.remote_selection(parser)
    options.formats(parser, "text", "json")


def run(call: Invocation) -> int:
    """One of two works: models with their pictures, or weights."""
    if call.arguments.weights is not None:
        from scenario_apply.cli.weights_exporting import export_weights

        return export_weights(call)
    from scenario_apply.cli.export_commands import export

    return export(call)
