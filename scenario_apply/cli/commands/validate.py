"""validate: everything that can be checked without the service, pictures opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.dataset.scan.depth import Depth

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

EXAMPLES = """
  scenario-apply validate manifests/quickstart
  scenario-apply validate manifests/examples/matrix.yaml --strict --format json
  scenario-apply validate manifests/quickstart --fix --auto-approve
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.reading(parser)
    options.strict(parser)
    options.formats(parser, "text", "json")
    options.fixing(parser)


def run(call: Invocation) -> int:
    """0 when nothing stops a plan and all that --fix shows is repaired, else 1."""
    from scenario_apply.cli.locate import state_problem
    from scenario_apply.cli.wiring import all_problems, open_datasets, open_manifest
    from scenario_apply.errors import ManifestError
    from scenario_apply.review.validation_text import validation_json, validation_text

    manifest, datasets = None, None
    is_fixed = True
    try:
        manifest = open_manifest(call.settings)
        if call.arguments.fix or call.arguments.fix_only is not None:
            from scenario_apply.cli.caption_fixing import fix_captions

            is_fixed = fix_captions(call, manifest, call.arguments.fix_only)
        datasets = open_datasets(manifest, call.settings, depth=Depth.ALL_PIXELS)
        place = state_problem(manifest)
        problems = (*all_problems(manifest, datasets), *((place,) if place is not None else ()))
    except ManifestError as error:
        problems = (*(manifest.problems if manifest is not None else ()), *error.problems)
    stops = ("error", "warning") if call.settings.strict else ("error",)
    valid = not any(problem.severity in stops for problem in problems)
    if call.arguments.format == "json":
        call.show(validation_json(problems, valid=valid))
    else:
        call.warn(problems)
        if valid and manifest is not None and datasets is not None:
            call.show(validation_text(manifest, datasets))
    return 0 if valid and is_fixed else 1
