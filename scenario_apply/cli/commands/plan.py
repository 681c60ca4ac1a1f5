"""plan: what would change, why, how many requests and what it costs. Writes nothing on the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.parser import seconds

if TYPE_CHECKING:
    import argparse

    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.planning.plan import Plan

EXAMPLES = """
  scenario-apply plan manifests/quickstart --local
  scenario-apply plan --local --out tonight.plan.json && scenario-apply apply tonight.plan.json --local
  scenario-apply plan --no-refresh --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    options.reading(parser)
    parser.add_argument("--out", metavar="FILE", help="save the plan for `apply FILE`")
    parser.add_argument("--refresh-only", action="store_true", help="only show what was changed outside")
    parser.add_argument("--no-refresh", action="store_true", help="ask the service nothing; needs no credentials")
    parser.add_argument("--destroy", action="store_true", help="plan to delete everything recorded")
    parser.add_argument("--poll-interval", type=seconds, metavar="S", help="to count polls with (default: paced)")
    options.formats(parser, "text", "json")
    options.strict(parser)
    options.detailed(parser, "2 changes, 4 drift (--refresh-only), 6 a limit stops it")
    options.selection(parser)
    options.gates(parser)
    options.recovery(parser)
    options.service(parser)
    options.state(parser)


def run(call: Invocation) -> int:
    """The plan on stdout; nothing is written but the fingerprint cache and --out."""
    from scenario_apply.errors import ScenarioApplyError

    _refuse_contradictions(call.arguments)
    try:
        prepared = _made(call)
    except ScenarioApplyError as error:
        if call.arguments.format == "json":
            import time

            from scenario_apply.cli.invocation import masked
            from scenario_apply.model.timestamps import iso
            from scenario_apply.review.plan_json import failed_plan_json

            # whoever reads stdout gets a document in any case; stderr and the exit code say the same
            settings = call.settings
            document = failed_plan_json(
                error.problems, manifest=settings.manifest, endpoint=settings.endpoint, created_at=iso(time.time())
            )
            call.show(masked(document, settings.secrets))
        raise
    _show(call, prepared)
    return _code(call, prepared.plan)


def _made(call: Invocation) -> Prepared:
    """The plan, saved where that was asked for."""
    from scenario_apply.cli.plan_request import plan_options, prepare, read_wanted
    from scenario_apply.cli.wiring import open_world, require_service

    asked = call.arguments
    _refuse_saved_plan(call)
    out = asked.out
    if out is not None:
        from scenario_apply.cli.output_targets import is_saved_plan, refuse_reserved, refuse_taken

        refuse_taken(out, call.settings.cwd, option="--out", kind="saved plan", is_own=is_saved_plan)
    options = plan_options(call)
    wanted = read_wanted(call.settings, check=not asked.destroy)
    if out is not None:
        root = wanted.manifest.root
        refuse_taken(out, call.settings.cwd, option="--out", kind="saved plan", is_own=is_saved_plan, root=root)
        refuse_reserved(out, call.settings.cwd, wanted, option="--out")
    if options.refresh:
        require_service(call.settings)
    with open_world(wanted.place, call.settings, offline=not options.refresh, read_only=True) as world:
        prepared = prepare(call, world, wanted, options)
    if out is not None:
        from dataclasses import replace

        from scenario_apply.apply.prepare import bound_to_pictures
        from scenario_apply.cli.saved_plans import write_saved_plan
        from scenario_apply.review.plan_json import plan_values

        prepared = replace(prepared, plan=bound_to_pictures(prepared.plan, wanted.datasets))
        write_saved_plan(out, call.settings.cwd, plan_values(prepared.plan), wanted.manifest.root)
    return prepared


def _refuse_contradictions(asked: argparse.Namespace) -> None:
    """Raises UsageError for options one of which would be ignored."""
    from scenario_apply.errors import UsageError

    if asked.refresh_only:
        for name, why in (
            ("no_refresh", "without asking the service nobody knows what was changed outside"),
            ("out", "there is nothing in such a plan that could be applied"),
            ("destroy", "it changes nothing"),
            ("replace", "it changes nothing"),
            ("train", "it changes nothing"),
        ):
            if getattr(asked, name):
                raise UsageError(f"--refresh-only does not go with --{name.replace('_', '-')}: {why}")
    if asked.destroy:
        for name in ("replace", "train"):
            if getattr(asked, name):
                raise UsageError(f"--destroy does not go with --{name}: what is deleted is not trained")
    if asked.out == "-":
        raise UsageError("--out takes a file", hint="--format json prints the plan on stdout")


def _refuse_saved_plan(call: Invocation) -> None:
    """A saved plan is no manifest: it is applied. Raises UsageError."""
    from scenario_apply.cli.saved_plans import read_saved_plan
    from scenario_apply.errors import UsageError

    given = call.settings.manifest
    if given is not None and read_saved_plan(given, call.settings.cwd) is not None:
        raise UsageError(
            f"{given} is a saved plan, not a manifest", hint=f"scenario-apply apply {given} carries it out"
        )


def _show(call: Invocation, prepared: Prepared) -> None:
    from scenario_apply.review.plan_text import plan_text

    asked, plan = call.arguments, prepared.plan
    if asked.format == "json":
        from scenario_apply.review.plan_json import plan_json

        call.show(plan_json(plan))
        call.warn(plan.blocked)
    else:
        recorded = prepared.state.records
        call.show(plan_text(plan, call.out, only_drift=asked.refresh_only, destroy=asked.destroy, recorded=recorded))
    from scenario_apply.cli.named_files import is_stream

    if asked.out is not None and not is_stream(asked.out, call.settings.cwd):
        from scenario_apply.cli.command_lines import applying

        call.tell(f"saved: {applying(call.settings, asked.out)} carries out exactly this{_consent_needed(plan)}")


def _consent_needed(plan: Plan) -> str:
    """What the apply of a saved plan needs besides, where the plan deletes something: the file is no consent."""
    from scenario_apply.model.steps import DeleteModel
    from scenario_apply.review.screen import counted

    deletes = sum(isinstance(planned.step, DeleteModel) for planned in plan.steps)
    if not deletes:
        return ""
    return f"; it deletes {counted(deletes, 'model')}: where nobody can be asked, that takes --allow-destroy again"


def _code(call: Invocation, plan: Plan) -> int:
    from scenario_apply.errors import ExitCode

    if call.arguments.refresh_only:
        return call.code(ExitCode.DRIFT, ExitCode.OK) if plan.drift else ExitCode.OK
    if plan.blocked:
        return call.code(ExitCode.GATE)
    return call.code(ExitCode.CHANGES, ExitCode.OK) if plan.has_changes else ExitCode.OK
