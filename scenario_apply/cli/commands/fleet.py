"""fleet: plan, apply and look at many manifests of many projects; the job matrix for CI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.command_of_module import CommandOfModule
from scenario_apply.cli.parser import positive, seconds

if TYPE_CHECKING:
    import argparse

    from scenario_apply.cli.invocation import Invocation

_F = "manifests/fleet/fleet.yaml"


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("fleet", nargs="?", metavar="FLEET", help="a fleet file (default: fleet.yaml)")
    parser.add_argument(
        "--project",
        action="append",
        default=[],
        metavar="NAME",
        help="only projects of this name or id, or of this glob; repeatable",
    )
    parser.add_argument(
        "--allow-endpoint",
        action="append",
        default=[],
        metavar="URL",
        help="send credentials to this service, too, if the fleet file names it; repeatable "
        "(also: SCENARIO_APPLY_ALLOW_ENDPOINT=URL,URL)",
    )


def _working(parser: argparse.ArgumentParser, codes: str) -> None:
    _file(parser)
    options.manifest(parser, positional=False)
    options.reading(parser)
    options.strict(parser)
    options.formats(parser, "text", "json", "markdown")
    options.detailed(parser, codes)
    group = parser.add_argument_group("engine")
    options.engine(group)
    group.add_argument("--max", type=positive, metavar="N", help="maximum tasks at once; a task is one project")
    options.service(parser, rate_limit=None)


def _plan_arguments(parser: argparse.ArgumentParser) -> None:
    _working(parser, "2 changes, 3 trainings running, 6 stopped by a limit")
    parser.add_argument("--no-refresh", action="store_true", help="send no requests; needs no credentials")
    options.fleet_gates(parser)


def _status_arguments(parser: argparse.ArgumentParser) -> None:
    _working(parser, "3 trainings running, 8 some failed")
    parser.add_argument("--no-refresh", action="store_true", help="show what is recorded; needs no credentials")


def _apply_arguments(parser: argparse.ArgumentParser) -> None:
    _working(parser, "3 trainings running, 5 stale plan, 6 stopped by a limit, 7 locked, 8 partly failed")
    parser.add_argument("--auto-approve", action="store_true", help="apply without asking for approval")
    parser.add_argument("--no-wait", action="store_true", help="launch trainings and exit without waiting for them")
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="stop waiting after S seconds (trainings continue)"
    )
    parser.add_argument("--poll-interval", type=seconds, metavar="S", help="seconds between looks (default: adaptive)")
    parser.add_argument(
        "--lock-timeout", type=seconds, default=0, metavar="S", help="wait up to S seconds for locks (default 0)"
    )
    parser.add_argument("--events", metavar="FILE", help="also write events to FILE, one JSON object a line")
    options.fleet_gates(parser)


def _matrix_arguments(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    options.formats(parser, "github", "json", default="github")
    parser.add_argument(
        "--by",
        choices=("manifest", "project"),
        default="manifest",
        metavar="WHAT",
        help="a job for each manifest (default) or project",
    )


def _plan(call: Invocation) -> int:
    from scenario_apply.cli.fleet_command import FleetCommand

    with FleetCommand.of(call, "plan") as command:
        return command.plan()


def _status(call: Invocation) -> int:
    from scenario_apply.cli.fleet_command import FleetCommand

    with FleetCommand.of(call, "status") as command:
        return command.status()


def _apply(call: Invocation) -> int:
    from scenario_apply.cli.fleet_apply import apply_fleet
    from scenario_apply.cli.fleet_command import FleetCommand

    with FleetCommand.of(call, "apply") as command:
        return apply_fleet(command)


def _matrix(call: Invocation) -> int:
    from scenario_apply.cli.fleet_command import chosen_fleet
    from scenario_apply.fleet.job_matrix import MOST_JOBS, job_matrix, matrix_json, without_project

    fleet, by_project = chosen_fleet(call), call.arguments.by == "project"
    jobs = job_matrix(fleet, call.settings.cwd, by_project=by_project)
    nameless = [] if by_project else without_project(fleet, call.settings.cwd)
    if nameless:
        more = f" and {len(nameless) - 1:,} more" if len(nameless) > 1 else ""
        call.tell(
            f"{nameless[0]}{more} names no project: its job would use the project of the key; "
            'write `project: "{{ env.SCENARIO_PROJECT_ID }}"` into it, or use --by project'
        )
    if len(jobs) > MOST_JOBS and call.arguments.format == "github":
        call.tell(f"{len(jobs):,} jobs: GitHub takes at most {MOST_JOBS} of a matrix; --by project makes fewer")
    call.show_json(matrix_json(jobs, indent=call.arguments.format == "json"))
    return 0


COMMANDS = {
    "fleet plan": CommandOfModule(
        f"  scenario-apply fleet plan {_F} --local\n"
        f"  scenario-apply fleet plan {_F} --local --format markdown\n"
        f"  scenario-apply fleet plan {_F} --local --project 'proj-*' --limit cost=500",
        _plan_arguments,
        _plan,
    ),
    "fleet apply": CommandOfModule(
        f"  scenario-apply fleet apply {_F} --local --auto-approve\n"
        f"  scenario-apply fleet apply {_F} --local --auto-approve --no-wait --format json",
        _apply_arguments,
        _apply,
    ),
    "fleet status": CommandOfModule(
        f"  scenario-apply fleet status {_F} --local\n  scenario-apply fleet status {_F} --local --format json",
        _status_arguments,
        _status,
    ),
    "fleet matrix": CommandOfModule(
        f"  scenario-apply fleet matrix {_F} --format github\n  scenario-apply fleet matrix {_F} --by project",
        _matrix_arguments,
        _matrix,
    ),
}
