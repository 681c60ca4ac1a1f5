"""A fleet command between its options and its report: which projects, which tasks, which executor."""

from __future__ import annotations

import os
import shlex
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.fleet_stopping import FleetStop, fleet_stop
from scenario_apply.cli.fleet_worker import run_task
from scenario_apply.cli.progress.fleet_view import FleetView
from scenario_apply.cli.settings import DEFAULT_BASE_URL, LOCAL
from scenario_apply.cli.signals import stopping
from scenario_apply.dataset.scan.parallel import usable_cores
from scenario_apply.errors import Diagnostic, ExitCode, ManifestError, UsageError
from scenario_apply.fleet.coordinator import Coordinator
from scenario_apply.fleet.engines import check_engine, open_engine
from scenario_apply.fleet.fleet_file import FleetLimits
from scenario_apply.fleet.fleet_report import Command, FleetReport, judged
from scenario_apply.fleet.job_matrix import shown_path, state_of
from scenario_apply.fleet.launch_limits import LaunchLimits
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.projects import Fleet, FleetProject, load_fleet
from scenario_apply.fleet.tasks import FleetRun, Kind, Plain, Task, TaskManifest
from scenario_apply.fleet.tasks_at_once import tasks_at_once
from scenario_apply.model.did_you_mean import did_you_mean
from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.timestamps import iso
from scenario_apply.state.url_texts import is_state_url

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation

ALLOW_ENDPOINT = "SCENARIO_APPLY_ALLOW_ENDPOINT"

_PLAN_KEYS = (
    *("var_file", "allow_env", "allow_outside_root", "allow_remote", "strict", "local", "rate_limit", "parallelism"),
    *("allow_http", "allow_destroy", "no_refresh", "debug", "events"),
)


def chosen_fleet(call: Invocation) -> Fleet:
    """The fleet file, with the projects of --project. Raises ManifestError, UsageError."""
    fleet = load_fleet(call.arguments.fleet, call.settings.cwd)
    _refuse_states_outside(fleet)
    wanted = call.arguments.project
    if not wanted:
        return fleet
    chosen = []
    for pattern in wanted:
        found = [p for p in fleet.projects if any(fnmatchcase(name, pattern) for name in (p.name, p.project or ""))]
        if not found:
            names = [project.name for project in fleet.projects]
            raise UsageError(
                f"--project {pattern!r} names no project of {fleet.path}", hint=did_you_mean(pattern, names)
            )
        chosen += found
    return replace(fleet, projects=tuple(project for project in fleet.projects if project in chosen))


def _refuse_states_outside(fleet: Fleet) -> None:
    """A fleet file may not say where outside of its folder this machine is written to."""
    for project in fleet.projects:
        for manifest in project.manifests:
            state = manifest.state
            if state is None or is_state_url(state):
                continue
            parts = os.path.normpath(state).split(os.sep)
            if os.path.isabs(state) or parts[0] == os.pardir or any(part.startswith(".") for part in parts):
                raise ManifestError(
                    f"{fleet.path}: `state:` of {manifest.path} leaves the fleet file's folder, or is hidden: {state}",
                    code="outside-root",
                    hint="name a place below it, e.g. state/{path}.json, or a URL",
                )


class FleetCommand(Struct, kw_only=True):
    """A command on a fleet, from its start to its exit code."""

    call: Invocation
    command: Command
    fleet: Fleet
    run: FleetRun
    stop: FleetStop
    clock: SystemClock = field(default_factory=SystemClock)
    started_at: float = 0.0
    write_event: Callable[[str], None] | None = None

    @classmethod
    @contextmanager
    def of(cls, call: Invocation, command: Command) -> Iterator[FleetCommand]:
        """For the time of its tasks. Raises ManifestError and UsageError before any of them."""
        check_engine(call.arguments.engine)
        fleet = chosen_fleet(call)
        _check_endpoints(call, fleet)
        with fleet_stop() as stop:
            run = with_fields(_fleet_run(call, command, fleet), stop_file=stop.file)
            started = cls(call=call, command=command, fleet=fleet, run=run, stop=stop)
            started.started_at = started.clock.monotonic()
            yield started

    @property
    def limits(self) -> FleetLimits:
        """Of the fleet file, with those of the command line over them."""
        asked = vars(self.call.arguments)
        given = dict(asked.get("limit") or ())
        return replace(self.fleet.limits, **given)

    def plan(self) -> int:
        runs = self.carried_out(self.runs("plan"))
        report = FleetReport(
            command="plan",
            path=self.fleet.path,
            runs=runs,
            blocked=judged(runs, self.limits),
            took_s=self.clock.monotonic() - self.started_at,
        )
        return self.show(replace(report, next_command=self._next(report)))

    def status(self) -> int:
        runs = self.carried_out(self.runs("status"))
        took_s = self.clock.monotonic() - self.started_at
        return self.show(FleetReport(command="status", path=self.fleet.path, runs=runs, took_s=took_s))

    def runs(self, kind: Kind) -> list[ProjectRun]:
        """A run of each project, ready for its first task."""
        return [ProjectRun(task=task) for project in self.fleet.projects for task in self._tasks(project, kind)]

    def carried_out(
        self, runs: list[ProjectRun], *, limits: LaunchLimits | None = None, deadline: float | None = None
    ) -> list[ProjectRun]:
        """Every task done, with progress on the screen. deadline: see Coordinator."""
        view = FleetView(self.call, self.clock, runs)

        def changed(run: ProjectRun) -> None:
            view.changed(run)
            lines, run.events = run.events, []
            if self.write_event is not None:
                for line in lines:
                    self.write_event(line)

        coordinator = Coordinator(
            clock=self.clock,
            work=run_task,
            engine=lambda: open_engine(self._engine, workers=self._workers(runs), preload=run_task.__module__),
            slots=self._workers(runs),
            stop=self.stop.requested,
            stop_now=self.stop.now,
            changed=changed,
            limits=limits or LaunchLimits(),
            deadline=deadline,
        )

        self.stop.wake = coordinator.wake.set
        try:
            with stopping(self.stop, view.tell):
                coordinator.run(runs)
        finally:
            view.close()
        return runs

    def launch_limits(self, planned: Sequence[ProjectRun]) -> LaunchLimits:
        """The limits that tasks share, with what was planned."""
        limits = LaunchLimits(concurrent=self.limits.concurrent, cost=self.limits.cost)
        limits.expect(planned)
        return limits

    def show(self, report: FleetReport) -> int:
        """The report in the format that was asked for; the exit code."""
        call = self.call
        match call.arguments.format:
            case "json":
                from scenario_apply.fleet.fleet_json import fleet_json

                call.show(fleet_json(report, iso(self.clock.now())))
            case "markdown":
                from scenario_apply.fleet.fleet_markdown import fleet_markdown

                call.show(fleet_markdown(report))
            case _:
                from scenario_apply.fleet.fleet_text import fleet_text

                call.show(fleet_text(report, call.out_now))
        if call.arguments.format != "text":
            call.warn(self._errors(report))
        return exit_status(call, report)

    def _errors(self, report: FleetReport) -> list[Diagnostic]:
        from scenario_apply.fleet.fleet_report import errors_of

        return [*report.blocked, *(problem for run in report.runs for problem in errors_of(run))]

    def _next(self, report: FleetReport) -> str | None:
        if report.blocked or not any(result.has_changes for run in report.runs for result in run.results.values()):
            return None
        return self.run.command.replace("fleet plan", "fleet apply", 1)

    # -- tasks

    def _tasks(self, project: FleetProject, kind: Kind) -> Iterator[Task]:
        """One task a project; with --local one a folder, since each has an embedded Scenario of its own."""
        cwd = self.call.settings.cwd
        groups: dict[str, list[TaskManifest]] = {}
        for manifest in project.manifests:
            whole = os.path.join(self.fleet.root, manifest.path)
            root = whole if os.path.isdir(whole) else os.path.dirname(whole)
            groups.setdefault(root if self.call.settings.local else "", []).append(
                TaskManifest(
                    path=shown_path(whole, cwd),
                    state=state_of(self.fleet, manifest, cwd),
                    variables=manifest.variables,
                )
            )
        for root, manifests in groups.items():
            name = project.name if len(groups) == 1 else f"{project.name} {os.path.relpath(root, self.fleet.root)}"
            yield Task(
                kind=kind,
                name=name,
                project=project.project,
                endpoint=LOCAL if self.call.settings.local else self._endpoint(project),
                key=project.credentials.key,
                secret=project.credentials.secret,
                manifests=tuple(manifests),
                cwd=cwd,
                options=self._options(),
                run=self.run,
                rate_limit=self._rate_limit(project),
                lock_timeout_s=vars(self.call.arguments).get("lock_timeout") or 0,
                detail=self.call.arguments.format == "json",
            )

    def _endpoint(self, project: FleetProject) -> str:
        return project.endpoint or self.call.settings.base_url

    def _rate_limit(self, project: FleetProject) -> int:
        """The option, else the fleet file, else the service's own."""
        given: int | None = self.call.arguments.rate_limit
        if given is not None:
            return given
        return REQUESTS_PER_MINUTE if project.rate_limit is None else project.rate_limit

    def _options(self) -> Plain:
        asked = vars(self.call.arguments)
        plain: Plain = {key: asked[key] for key in _PLAN_KEYS if asked.get(key)}
        plain["var"] = [list(pair) for pair in asked.get("var") or ()]
        return plain

    # -- the engine

    @property
    def _engine(self) -> str:
        name: str = self.call.arguments.engine
        return name

    def _workers(self, runs: Sequence[ProjectRun]) -> int:
        """Tasks at once."""
        asked: int | None = self.call.arguments.max
        if asked is None:
            return tasks_at_once(runs, engine=self._engine, cores=usable_cores())
        return max(1, min(asked, len(runs)))


def _fleet_run(call: Invocation, command: Command, fleet: Fleet) -> FleetRun:
    import getpass

    asked = vars(call.arguments)
    words = ["scenario-apply", "fleet", command, fleet.path]
    words += [f"--project={name}" for name in asked["project"]]
    words += [f"--limit={name}={value:.12g}" for name, value in asked.get("limit") or ()]
    words += [f"--{key.replace('_', '-')}" for key in ("local", "allow_destroy", "strict") if asked.get(key)]
    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = str(os.getuid())
    return FleetRun(
        id=uuid.uuid4().hex,
        command=shlex.join(words),
        who=who,
        host=socket.gethostname(),
        pid=os.getpid(),
        since=iso(time.time()),
    )


def exit_status(call: Invocation, report: FleetReport) -> int:
    """By the table of exit codes; without --detailed-exitcode what is not done is 1."""
    code = report.code
    if code in (ExitCode.OK, ExitCode.ERROR, ExitCode.INTERRUPTED, ExitCode.USAGE):
        return code
    is_good = code is ExitCode.CHANGES or (code is ExitCode.RUNNING and _may_run_on(call, report))
    if report.command == "status" and code in (ExitCode.PARTIAL, ExitCode.RUNNING):
        is_good = not any(run.problems for run in report.runs)
    return call.code(code, ExitCode.OK if is_good else ExitCode.ERROR)


def _may_run_on(call: Invocation, report: FleetReport) -> bool:
    return report.command != "apply" or bool(vars(call.arguments).get("no_wait"))


# -- where credentials may go


def _check_endpoints(call: Invocation, fleet: Fleet) -> None:
    """Raises ManifestError for a service that the caller did not name: the file may come with a pull request."""
    from scenario_apply.api.urls import parse_base_url, stays_on_this_machine

    settings = call.settings
    named = [*call.arguments.allow_endpoint, *(settings.environment.get(ALLOW_ENDPOINT) or "").split(",")]
    allowed = {url.strip().rstrip("/") for url in (*named, settings.base_url, DEFAULT_BASE_URL) if url.strip()}
    for project in fleet.projects:
        if project.endpoint is None or settings.local:
            continue
        url = parse_base_url(project.endpoint)
        if url not in allowed and not stays_on_this_machine(url):
            raise ManifestError(
                f"{fleet.path} has credentials of {project.name} sent to {url}, which the command does not name",
                code="endpoint-not-allowed",
                hint=f"if that service is meant: --allow-endpoint {shlex.quote(url)}, or {ALLOW_ENDPOINT}={url}",
            )
