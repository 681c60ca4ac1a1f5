"""init: a first manifest from a folder of images. Overwrites nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply init manifests/quickstart/kael --out -
  scenario-apply init ./pictures --trigger KAEL_07
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", default=".", metavar="FOLDER", help="holds the images (default: here)")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="the manifest to write; -: print it (default: scenario.yaml here, or in FOLDER where that is not below)",
    )
    parser.add_argument("--type", default="flux.1-lora", metavar="TYPE", help="training type (default flux.1-lora)")
    parser.add_argument("--trigger", metavar="WORD", help="put in front of every caption that does not hold it")


def run(call: Invocation) -> int:
    """Every folder with images becomes a dataset and a model."""
    from scenario_apply.cli.first_manifest import write_first_manifest
    from scenario_apply.review.screen import counted, safe

    asked = call.arguments
    written = write_first_manifest(
        asked.folder, out=asked.out, type=asked.type, trigger=asked.trigger, cwd=call.settings.cwd
    )
    if written.path is None:
        call.show(written.text)
        return 0
    models = counted(len(written.models), "model")
    call.show(f"{safe(written.path)}: {models} ({', '.join(written.models)}) over {counted(written.images, 'image')}\n")
    if written.beside:
        call.tell(f"named by its folder it is read together with {', '.join(written.beside)}")
    call.tell(f"next: scenario-apply validate {written.path}")
    return 0
