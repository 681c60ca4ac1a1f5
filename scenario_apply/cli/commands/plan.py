"""plan: show what would change, why, how many requests it takes and what it costs. Sends no writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.parser import seconds
from scenario_apply.dataset.scan.depth import Depth

if TYPE_CHECKING:
    import argparse

    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.planning.plan import Plan
    from scenario_apply.review.plan_view import Mode

EXAMPLES = """
  scenario-apply plan manifests/quickstart --local
  scenario-apply plan manifests/quickstart --local --select model.kael --replace model.kael
  scenario-apply plan manifests/quickstart --local --out tonight.plan.json
  scenario-apply plan manifests/quickstart --local --no-refresh --format json
  scenario-apply plan manifests/quickstart --local --format html > plan.html
  scenario-apply plan tonight.plan.json --format github
  scenario-apply plan manifests/quickstart --local --format markdown --report-url https://example.com/plan.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser, plan_too=True)
    options.reading(parser)
    parser.add_argument("--out", metavar="FILE", help="save the plan for `apply FILE`")
    parser.add_argument("--refresh-only", action="store_true", help="only show changes made outside of scenario-apply")
    parser.add_argument("--no-refresh", action="store_true", help="send no requests; needs no credentials")
    parser.add_argument("--destroy", action="store_true", help="plan to delete everything recorded")
    parser.add_argument(
        "--poll-interval",
        type=seconds,
        metavar="S",
        help="seconds between polls, for the estimate",
    )
    options.formats(parser, "text", "json", "markdown", "html", "github")
    options.full(parser, "; in markdown: open every block")
    parser.add_argument(
        "--download-samples",
        action="store_true",
        help="with a saved plan and --format html: ask Scenario for sample pictures that are missing on this machine",
    )
    options.comments(parser)
    options.strict(parser)
    options.detailed(parser, "2 changes, 4 drift (--refresh-only), 6 stopped by a limit")
    options.selection(parser)
    options.gates(parser)
    options.recovery(parser)
    options.service(parser)
    options.state(parser)


def run(call: Invocation) -> int:
    """Prints the plan; writes nothing but the fingerprint cache and --out."""
    from scenario_apply.cli.plan_comment import refuse_comment_options
    from scenario_apply.cli.saved_plans import read_saved_plan
    from scenario_apply.errors import ScenarioApplyError

    _refuse_contradictions(call.arguments)
    refuse_comment_options(call.arguments, call.settings)
    given = call.settings.manifest
    try:
        saved = None if given is None else read_saved_plan(given, call.settings.cwd)
        if saved is not None:
            from scenario_apply.cli.saved_plan_showing import show_saved

            return show_saved(call, saved)
        prepared, request = _made(call)
    except ScenarioApplyError as error:
        if call.arguments.format != "text":
            import time

            from scenario_apply.cli.invocation import masked
            from scenario_apply.cli.plan_showing import failed_document
            from scenario_apply.model.timestamps import iso

            # stdout holds a document in any case; stderr and the exit code report the same
            document = failed_document(call, error.problems, iso(time.time()))
            if document is not None:
                call.show(masked(document, call.settings.secrets))
        raise
    _show(call, prepared, request)
    if call.settings.webhook is not None:
        from scenario_apply.cli.notifications import notify_of_drift

        notify_of_drift(call, prepared.plan, request.manifest.root)
    return _code(call, prepared.plan)


def _made(call: Invocation) -> tuple[Prepared, PlanRequest]:
    """The plan, saved in --out if given, and what it was made of."""
    from scenario_apply.apply.prepare import make_plan
    from scenario_apply.cli.plan_request import plan_options, read_request
    from scenario_apply.cli.wiring import open_world, require_service

    asked = call.arguments
    out = asked.out
    if out is not None:
        from scenario_apply.cli.output_targets import is_saved_plan, refuse_reserved, refuse_taken

        refuse_taken(out, call.settings.cwd, option="--out", kind="saved plan", is_own=is_saved_plan)
    options = plan_options(call)
    request = read_request(
        call.settings, check=not asked.destroy, depth=Depth.HEADERS if asked.destroy else Depth.FEW_PIXELS
    )
    if out is not None:
        root = request.manifest.root
        refuse_taken(out, call.settings.cwd, option="--out", kind="saved plan", is_own=is_saved_plan, root=root)
        refuse_reserved(out, call.settings.cwd, request, option="--out")
    if options.refresh:
        require_service(call.settings)
    with open_world(request.place, call.settings, offline=not options.refresh, read_only=True) as world:
        prepared = make_plan(world, request.manifest, request.datasets, options, world.clock.now())
    if out is not None:
        from msgspec.structs import replace

        from scenario_apply.cli.saved_plans import write_saved_plan
        from scenario_apply.planning.plan_reader import bound_to_pictures
        from scenario_apply.review.plan_json import plan_values

        prepared = replace(prepared, plan=bound_to_pictures(prepared.plan, request.datasets))
        write_saved_plan(out, call.settings.cwd, plan_values(prepared.plan), request.manifest.root)
    return prepared, request


def _refuse_contradictions(asked: argparse.Namespace) -> None:
    """Raises UsageError for options of which one would be ignored."""
    from scenario_apply.cli.refresh_only import refuse_contradictions
    from scenario_apply.errors import UsageError

    refuse_contradictions(vars(asked))
    if asked.destroy:
        for name in ("replace", "train"):
            if getattr(asked, name):
                raise UsageError(f"--destroy cannot be combined with --{name}: deleted models are not trained")
    if asked.download_samples and (asked.no_refresh or asked.format != "html"):
        raise UsageError("--download-samples is an option of --format html, and asks Scenario")
    if asked.out == "-":
        raise UsageError("--out takes a file", hint="--format json prints the plan on stdout")


def _show(call: Invocation, prepared: Prepared, request: PlanRequest) -> None:
    from scenario_apply.cli.plan_showing import show_plan, view_of

    asked, plan = call.arguments, prepared.plan
    mode: Mode = "drift" if asked.refresh_only else "destroy" if asked.destroy else "plan"
    view = view_of(prepared, call.settings, request, mode=mode, next_command=_next_command(call, plan))
    show_plan(call, plan, view, request, prepared.state, asks=not asked.no_refresh)
    if _is_saved(call):
        call.tell(f"The plan is saved in {asked.out}.{_consent_needed(plan)}")


def _is_saved(call: Invocation) -> bool:
    from scenario_apply.cli.named_files import is_stream

    return call.arguments.out is not None and not is_stream(call.arguments.out, call.settings.cwd)


def _next_command(call: Invocation, plan: Plan) -> str | None:
    """What applies this plan, or repairs drift; None where there is nothing to do or a limit stops it."""
    from scenario_apply.cli.command_lines import applying, the_same

    asked = call.arguments
    if asked.refresh_only:
        return the_same({}, call.settings, "plan") if plan.drift else None
    if not plan.is_applyable:
        return None
    if _is_saved(call):
        return applying(call.settings, asked.out)
    return the_same(vars(asked), call.settings, "destroy" if asked.destroy else "apply")


def _consent_needed(plan: Plan) -> str:
    """What applying a saved plan needs when the plan deletes something: the file itself allows no deletes."""
    from scenario_apply.model.steps import DeleteModel
    from scenario_apply.review.screen import counted

    deletes = sum(isinstance(planned.step, DeleteModel) for planned in plan.steps)
    if not deletes:
        return ""
    return f" It deletes {counted(deletes, 'model')}: without a terminal, applying it needs --allow-destroy again."


def _code(call: Invocation, plan: Plan) -> int:
    from scenario_apply.errors import ExitCode

    if call.arguments.refresh_only:
        return call.code(ExitCode.DRIFT, ExitCode.OK) if plan.drift else ExitCode.OK
    if plan.blocked:
        return call.code(ExitCode.GATE) if plan.is_gated else ExitCode.ERROR
    if plan.only_waits:
        return call.code(ExitCode.RUNNING, ExitCode.OK)
    return call.code(ExitCode.CHANGES, ExitCode.OK) if plan.has_changes else ExitCode.OK
