"""fleet apply: plan all projects, judge the whole, ask once, launch, look, report."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace as with_fields

from scenario_apply.cli.apply_session import ApprovalImpossible
from scenario_apply.cli.fleet_command import FleetCommand, exit_status
from scenario_apply.errors import ExitCode
from scenario_apply.fleet.fleet_report import FleetReport, is_failed, judged
from scenario_apply.fleet.fleet_text import fleet_text
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.tasks import Kind, Task
from scenario_apply.model.amounts import amount, total
from scenario_apply.review.screen import counted


class FleetPlans(Struct, frozen=True, kw_only=True):
    """What every project's plan came to. good: those of which something may be applied."""

    runs: list[ProjectRun]

    @property
    def good(self) -> list[ProjectRun]:
        return [run for run in self.runs if not run.problems and any(r.is_to_be_applied for r in run.results.values())]

    @property
    def cost(self) -> float:
        return total(result.cu or 0.0 for run in self.runs for result in run.results.values())

    @property
    def unknown(self) -> int:
        return sum(result.unknown for run in self.runs for result in run.results.values())

    @property
    def has_changes(self) -> bool:
        return any(result.has_changes for run in self.runs for result in run.results.values())


def apply_fleet(command: FleetCommand) -> int:
    """The exit code."""
    call = command.call
    if call.arguments.events is not None:
        from contextlib import closing

        from scenario_apply.cli.event_file import EventFile

        with closing(EventFile(call.arguments.events, call.settings.cwd)) as events:
            command.write_event = events.write
            return _apply(command)
    return _apply(command)


def _apply(command: FleetCommand) -> int:
    plans = FleetPlans(runs=command.carried_out(command.runs("plan")))
    report = _planned(command, plans)
    if command.call.arguments.format == "text":
        command.call.show(fleet_text(report, command.call.out_now))
    if report.blocked or command.stop.requested.is_set():
        return command.show(report) if command.call.arguments.format != "text" else _shown(command, report)
    if plans.has_changes and not _is_approved(command, plans):
        command.call.tell("Nothing was done.")
        return int(ExitCode.ERROR)
    plans = _priced(command, plans)
    report = _planned(command, plans)
    if report.blocked:
        return command.show(report)
    runs = _launched(command, plans)
    return command.show(_applied(command, plans, runs))


def _shown(command: FleetCommand, report: FleetReport) -> int:
    """The exit code of a report that is on the screen already."""
    return exit_status(command.call, report)


def _planned(command: FleetCommand, plans: FleetPlans) -> FleetReport:
    took_s = command.clock.monotonic() - command.started_at
    blocked = judged(plans.runs, command.limits)
    return FleetReport(
        command="plan",
        path=command.fleet.path,
        runs=plans.runs,
        blocked=blocked,
        took_s=took_s,
        is_interrupted=command.stop.requested.is_set(),
    )


# -- approval


def _is_approved(command: FleetCommand, plans: FleetPlans) -> bool:
    call = command.call
    if call.arguments.auto_approve:
        return True
    if not call.is_interactive:
        raise ApprovalImpossible(
            "approval is required, but no terminal is attached", hint="use --auto-approve, after `fleet plan`"
        )
    changing = sum(any(result.has_changes for result in run.results.values()) for run in plans.good)
    return call.confirm(
        f"Apply these changes to {counted(changing, 'project')} for {_cost(plans)}?", "Only 'yes' will be accepted."
    )


def _cost(plans: FleetPlans) -> str:
    more = f", and {counted(plans.unknown, 'resource')} of unknown cost" if plans.unknown else ""
    return f"{amount(plans.cost)} CU{more}"


def _priced(command: FleetCommand, plans: FleetPlans) -> FleetPlans:
    """The plans with exact prices, where a limit of the fleet or a person depends on them.

    The empty models that this makes cost nothing. What is over a limit is judged before anything is launched.
    """
    asks = command.call.is_interactive and not command.call.arguments.auto_approve
    if not plans.unknown or not (command.limits.cost is not None or asks):
        return plans
    unpriced = [run for run in plans.good if any(result.unknown for result in run.results.values())]
    priced = {run.name: ProjectRun(task=_with_approval(run, "price"), spent=run.spent) for run in unpriced}
    command.carried_out(list(priced.values()))
    runs = [_joined(run, priced[run.name]) if run.name in priced else run for run in plans.runs]
    found = FleetPlans(runs=runs)
    if asks and found.cost > plans.cost and not judged(runs, command.limits):
        text = f"It costs {_cost(found)}; the plan showed {_cost(plans)}. Nothing is uploaded yet. Continue?"
        if not command.call.confirm(text, "Only 'yes' will be accepted."):
            command.stop.request()
    return found


def _joined(planned: ProjectRun, priced: ProjectRun) -> ProjectRun:
    """The plan with its price. What was approved stays what the first plan said."""
    planned.sent += priced.sent
    planned.spent = priced.spent
    planned.refused += priced.refused
    planned.problems = priced.problems or planned.problems
    planned.code = priced.code if priced.problems else planned.code
    for path, result in priced.results.items():
        before = planned.results[path]
        planned.results[path] = with_fields(result, approved=before.approved, summary=before.summary)
    return planned


def _with_approval(run: ProjectRun, kind: Kind) -> Task:
    """The task that carries a plan out, with what was approved of each manifest that has something to do."""
    manifests = tuple(
        with_fields(manifest, approved=run.results[manifest.path].approved)
        for manifest in run.task.manifests
        if run.results[manifest.path].is_to_be_applied
    )
    return with_fields(run.task, kind=kind, manifests=manifests)


# -- launching and looking


def _launched(command: FleetCommand, plans: FleetPlans) -> list[ProjectRun]:
    """Every project that can be applied, applied; the others as their plans left them."""
    asked = command.call.arguments
    found: dict[str, ProjectRun] = {}
    for run in plans.good:
        task = _with_approval(run, "apply")
        if task.manifests:
            found[run.name] = ProjectRun(
                task=with_fields(task, poll_interval_s=asked.poll_interval),
                waits=not asked.no_wait,
                poll_interval_s=asked.poll_interval,
                results=dict(run.results),
                spent=run.spent,
            )
    deadline = None if asked.timeout is None else command.clock.monotonic() + asked.timeout
    limits = command.launch_limits(list(found.values()))
    command.carried_out(list(found.values()), limits=limits, deadline=deadline)
    return [_with_planning(run, found[run.name]) if run.name in found else run for run in plans.runs]


def _with_planning(planned: ProjectRun, applied: ProjectRun) -> ProjectRun:
    """The applied run, with the manifests that had no plan or were stopped by their own limits."""
    for path, result in planned.results.items():
        applied.results.setdefault(path, result)
    return applied


def _applied(command: FleetCommand, plans: FleetPlans, runs: list[ProjectRun]) -> FleetReport:
    took_s = command.clock.monotonic() - command.started_at
    report = FleetReport(
        command="apply",
        path=command.fleet.path,
        runs=runs,
        took_s=took_s,
        plans={run.name: run for run in plans.runs if run not in runs},
        is_interrupted=command.stop.requested.is_set(),
    )
    is_open = report.is_interrupted or any(is_failed(run) or run.running for run in runs)
    if not is_open:
        return report
    from msgspec.structs import replace

    return replace(report, next_command=command.run.command)
