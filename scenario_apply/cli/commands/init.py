"""init: write a first manifest from a folder of images. Overwrites nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply init manifests/quickstart/kael --out -
  scenario-apply init manifests/quickstart/props --trigger HEARTH_PROPS --out props.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="folder of images (default: this directory)"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="file to write, - for stdout (default: ./scenario.yaml, or FOLDER/scenario.yaml when FOLDER is outside "
        "this directory)",
    )
    parser.add_argument("--type", default="flux.1-lora", metavar="TYPE", help="training type (default flux.1-lora)")
    parser.add_argument("--trigger", metavar="WORD", help="prepended to every caption that does not contain it")
    parser.add_argument(
        "--suggest",
        action="store_true",
        help="write parameters that suit the number of images; without it they are written as a comment",
    )


def run(call: Invocation) -> int:
    """Writes a dataset and a model for every folder with images."""
    import shlex

    from scenario_apply.cli.first_manifest import write_first_manifest
    from scenario_apply.review.screen import counted, safe

    asked = call.arguments
    written = write_first_manifest(
        asked.folder,
        out=asked.out,
        type=asked.type,
        trigger=asked.trigger,
        cwd=call.settings.cwd,
        suggest=asked.suggest,
    )
    if written.path is None:
        call.show(written.text)
        return 0
    models = counted(len(written.models), "model")
    call.show(f"{safe(written.path)}: {models} ({', '.join(written.models)}) with {counted(written.images, 'image')}\n")
    for line in written.captions:
        call.tell(f"  {line}")
    if written.also:
        call.tell(f"Also written: {', '.join(written.also)}")
    if written.beside:
        call.tell(f"Note: if you pass the folder instead of the file, {', '.join(written.beside)} is read, too.")
    named = shlex.quote(written.path)
    call.tell(f"Next: scenario-apply validate {named} && scenario-apply plan {named} --local")
    return 0
