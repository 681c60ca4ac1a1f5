"""dataset show: print the images of one dataset with the captions that will be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.dataset.scan.depth import Depth

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply dataset show kael manifests/quickstart
  scenario-apply dataset show kael manifests/quickstart --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="DATASET", help="the dataset's key")
    options.manifest(parser)
    options.reading(parser)
    options.formats(parser, "text", "json")


def run(call: Invocation) -> int:
    """1 when the dataset has errors; what could be read is shown anyway."""
    from scenario_apply.cli.dataset_arguments import dataset_key
    from scenario_apply.cli.wiring import open_datasets, open_manifest
    from scenario_apply.dataset.scan.caption_places import caption_places
    from scenario_apply.dataset.scan.scanner import shown_below
    from scenario_apply.review.dataset_text import dataset_json, dataset_text
    from scenario_apply.review.image_findings import CaptionPlace, findings_of_images

    manifest = open_manifest(call.settings)
    name = dataset_key(manifest, call.arguments.name)
    datasets = open_datasets(manifest, call.settings, only=name, depth=Depth.ALL_PIXELS)
    dataset = datasets[name]
    models = [model for model in manifest.models.values() if model.dataset == name]
    found = caption_places(
        manifest.datasets[name],
        root=manifest.root,
        allow_outside=call.settings.allow_outside_root,
        remote=call.settings.remote,
    ).gathered.raws
    captions = {path: CaptionPlace(raw.file, raw.line) for path, raw in found.items()}
    shown = shown_below(manifest.root, call.settings.cwd)
    findings = findings_of_images(dataset.contents.images, captions, dataset.problems, shown)
    if call.arguments.format == "json":
        call.show(dataset_json(dataset, findings, captions, models))
    else:
        call.show(dataset_text(dataset, call.out, findings, models))
    call.warn(dataset.problems, before="\n")
    return 1 if any(problem.severity == "error" for problem in dataset.problems) else 0
