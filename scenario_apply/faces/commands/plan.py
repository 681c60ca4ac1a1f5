"""plan: what would change, why, how many requests and what it costs. Writes nothing on the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.faces import options
from scenario_apply.faces.parser import seconds

if TYPE_CHECKING:
    import argparse

    from scenario_apply.core.plan import Plan
    from scenario_apply.faces.call import Call

EXAMPLES = """
  scenario-apply plan manifests/quickstart --local
  scenario-apply plan --local --out tonight.plan.json && scenario-apply apply tonight.plan.json --local
  scenario-apply plan --no-refresh --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
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
    options.service(parser)
    options.state(parser)


def run(call: Call) -> int:
    """The plan on stdout; nothing is written but the fingerprint cache and --out."""
    from scenario_apply.core.plan_file import plan_to_json
    from scenario_apply.effects.planning import bound_to_pictures
    from scenario_apply.faces.planning import plan_options, prepare, read_wanted
    from scenario_apply.faces.saved_plans import write_saved_plan
    from scenario_apply.faces.views.text_plan import plan_text
    from scenario_apply.faces.wiring import open_world, require_service

    asked = call.arguments
    wanted_options = plan_options(call)
    wanted = read_wanted(call.settings, check=not asked.destroy)
    if wanted_options.refresh:
        require_service(call.settings)
    with open_world(wanted.place, call.settings, offline=not wanted_options.refresh, read_only=True) as world:
        plan = prepare(call, world, wanted, wanted_options).plan
    if asked.out is not None:
        plan = bound_to_pictures(plan, wanted.datasets)
        write_saved_plan(asked.out, call.settings.cwd, plan_to_json(plan))
    if asked.format == "json":
        from scenario_apply.faces.views.plan_json import plan_json

        call.show(plan_json(plan))
        call.warn(plan.blocked)
    else:
        call.show(plan_text(plan, call.out, only_drift=asked.refresh_only))
    if asked.out is not None:
        call.tell(f"saved: scenario-apply apply {asked.out} carries out exactly this")
    return _code(call, plan)


def _code(call: Call, plan: Plan) -> int:
    from scenario_apply.errors import ExitCode

    if call.arguments.refresh_only:
        return call.code(ExitCode.DRIFT, ExitCode.OK) if plan.drift else ExitCode.OK
    if plan.blocked:
        return call.code(ExitCode.GATE)
    return call.code(ExitCode.CHANGES, ExitCode.OK) if plan.has_changes else ExitCode.OK
