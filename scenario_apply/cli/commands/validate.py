"""validate: everything that can be checked without the service, pictures opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.dataset.scan.depth import Depth

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.dataset.scan.read_on_workers import PictureWorkers
    from scenario_apply.errors import Diagnostic

EXAMPLES = """
  scenario-apply validate manifests/quickstart
  scenario-apply validate manifests/examples/matrix.yaml --strict --format json
  scenario-apply validate manifests/quickstart --suggest
  scenario-apply validate manifests/quickstart --format github
  scenario-apply validate manifests/quickstart --format sarif > scenario-apply.sarif
  scenario-apply validate manifests/quickstart --fix --auto-approve
  scenario-apply validate manifests/quickstart --engine processes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.reading(parser)
    options.strict(parser)
    options.formats(parser, "text", "json", "github", "sarif")
    options.fixing(parser)
    parser.add_argument(
        "--suggest",
        action="store_true",
        help="print learning rate, epochs and repeats to start with for each model, as YAML; changes nothing",
    )
    parser.add_argument(
        "--engine",
        metavar="ENGINE",
        help="read the new images of large datasets on an engine: processes, dask, or dask=tcp://HOST:8786 for a "
        "scheduler that runs and whose workers see the same folders",
    )


def run(call: Invocation) -> int:
    """0 when nothing stops a plan and all that --fix shows is repaired, else 1."""
    from scenario_apply.cli.locate import state_problem
    from scenario_apply.cli.wiring import all_problems, open_datasets, open_manifest
    from scenario_apply.errors import ManifestError, UsageError
    from scenario_apply.planning.model_rules import shared_pictures, with_step_counts
    from scenario_apply.review.starting_points_text import suggestions, suggestions_text
    from scenario_apply.review.validation_text import validation_json, validation_text

    if call.arguments.suggest and call.arguments.format in ("github", "sarif"):
        raise UsageError(f"--format {call.arguments.format} has no place for --suggest", hint="use text or json")
    workers = None if call.arguments.engine is None else _workers(call)
    manifest, datasets = None, None
    is_fixed, is_fixing = True, call.arguments.fix or call.arguments.fix_only is not None
    try:
        manifest = open_manifest(call.settings)
        if is_fixing:
            from scenario_apply.cli.caption_fixing import fix_captions

            is_fixed = fix_captions(call, manifest, call.arguments.fix_only)
        datasets = open_datasets(manifest, call.settings, depth=Depth.ALL_PIXELS, workers=workers)
        manifest = with_step_counts(manifest, datasets)
        shared = shared_pictures(manifest, datasets)
        place = state_problem(manifest)
        problems = (*all_problems(manifest, datasets), *shared, *((place,) if place is not None else ()))
    except ManifestError as error:
        problems = (*(manifest.problems if manifest is not None else ()), *error.problems)
    stops = ("error", "warning") if call.settings.strict else ("error",)
    valid = not any(problem.severity in stops for problem in problems)
    suggested = None
    if call.arguments.suggest and manifest is not None and datasets is not None:
        suggested = suggestions(manifest.models.values(), datasets)
    if call.arguments.format == "json":
        call.show(validation_json(problems, valid=valid, suggested=suggested))
    elif call.arguments.format in ("github", "sarif"):
        _show_to_programs(call, problems, valid=valid)
    else:
        call.warn(problems, before="\n" if is_fixing else "", after="\n" if valid or suggested is not None else "")
        if valid and manifest is not None and datasets is not None:
            sentence = validation_text(manifest, datasets)
            if suggested is None:
                call.show(sentence)
            else:
                call.tell(sentence.rstrip())
        if suggested is not None:
            call.show(suggestions_text(suggested))
    return 0 if valid and is_fixed else 1


def _workers(call: Invocation) -> PictureWorkers:
    """What reads images on the engine that was asked for. Raises UsageError for one that is unknown."""
    from scenario_apply.dataset.scan.parallel import usable_cores
    from scenario_apply.dataset.scan.read_on_workers import PictureWorkers
    from scenario_apply.fleet.engines import check_engine, open_engine

    name = check_engine(call.arguments.engine)
    preload = PictureWorkers.__module__
    return PictureWorkers(lambda: open_engine(name, workers=usable_cores(), preload=preload), call.tell)


def _show_to_programs(call: Invocation, problems: Sequence[Diagnostic], *, valid: bool) -> None:
    """Annotations of notes only with --verbose: GitHub shows ten of a kind. SARIF has all, with their level."""
    from scenario_apply.cli.command_hints import completed_hint
    from scenario_apply.cli.report_paths import in_checkout
    from scenario_apply.review.sarif import sarif
    from scenario_apply.review.workflow_commands import workflow_commands

    found = in_checkout([completed_hint(problem, call.settings) for problem in problems], call.settings)
    if call.arguments.format == "sarif":
        call.show_json(sarif(found, valid=valid))
        return
    call.show(workflow_commands(p for p in found if p.severity != "info" or call.settings.verbose))
