"""What a worker does with a task of a fleet: all manifests of one project, with one client and one request budget.

run_task is what an executor calls; it takes and gives plain values. Whatever goes wrong with one manifest is in its
result, and the others go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from msgspec.structs import replace

from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.cli.fleet_applying import Applying
from scenario_apply.cli.fleet_leases import TaskLeases
from scenario_apply.cli.fleet_looking import Look, look_at, root_of
from scenario_apply.cli.fleet_planning import Opened, open_manifests, planned_results
from scenario_apply.cli.fleet_settings import require_names, settings_of
from scenario_apply.cli.fleet_status import status_results
from scenario_apply.cli.fleet_stopping import stoppable
from scenario_apply.cli.wiring import Service, open_service
from scenario_apply.errors import ExitCode, ScenarioApplyError, StateLocked
from scenario_apply.fleet.tasks import ManifestResult, Task, TaskResult, plain_of, task_of
from scenario_apply.model.secret import Secret

_READING = ("plan", "status")


def run_task(plain: dict[str, Any]) -> dict[str, Any]:
    """Carry a task out. Never raises for what is wrong with the project: that is in the result."""
    task = task_of(plain)
    try:
        require_names(task)
        with stoppable(task.run.stop_file) as stop, ExitStack() as stores:
            return plain_of(_carried_out(task, stop, stores))
    except ScenarioApplyError as error:
        is_busy = isinstance(error, StateLocked)
        failed = TaskResult(kind=task.kind, problem=tuple(error.problems), code=int(error.exit_code), is_busy=is_busy)
        return plain_of(failed)


def _carried_out(task: Task, stop: StopSignal, stores: ExitStack) -> TaskResult:
    """Raises ScenarioApplyError for what stops the whole project."""
    if task.kind == "look":
        return _looked(task, stop, stores)
    opened, failed = open_manifests(task, stores)
    if not opened:
        return TaskResult(kind=task.kind, manifests=_in_order(task, failed))
    project = task.project or opened[0].request.manifest.project
    if task.options.get("no_refresh"):
        results = status_results(opened, None) if task.kind == "status" else planned_results(task, opened, None)
        return TaskResult(kind=task.kind, manifests=_in_order(task, [*failed, *results]))
    with _service(task, opened, stop) as service:
        service.budget.resume(task.spent_s)
        if task.kind == "plan":
            results = planned_results(task, opened, service)
        elif task.kind == "status":
            results = status_results(opened, service)
        else:
            leases = TaskLeases.of(task, opened)
            with leases.held(task.lock_timeout_s):
                applying = Applying(task=task, service=service, stop=stop, begun=False)
                results = applying.results(opened)
                leases.settle(is_over=task.kind == "price" or _is_over(task, results))
            answered = _answered(task, service, [*failed, *results], events=applying.events)
            return replace(answered, project=project, leases=leases.lasting)
        return replace(_answered(task, service, [*failed, *results]), project=project)


def _looked(task: Task, stop: StopSignal, stores: ExitStack) -> TaskResult:
    """Manifests and datasets are read only where something became possible."""
    with open_service(
        root_of(task), settings_of(task), project=task.project, read_only=True, cancel=stop.requested
    ) as service:
        service.budget.resume(task.spent_s)
        TaskLeases.again(task).renew()
        look = look_at(service.api, task.running)
        touched = look.manifests(task)
        if not touched:
            return _answered(task, service, [], look=look)
        sent, spent_s = service.budget.sent, service.budget.ages_s()
    part = replace(task, manifests=tuple(one for one in task.manifests if one.path in touched))
    opened, failed = open_manifests(part, stores)
    if not opened:
        return replace(_look_result(task, look, touched, failed), sent=sent, spent_s=spent_s)
    with _service(part, opened, stop) as service:
        service.budget.resume(spent_s)
        may_launch = None if task.may_launch is None else task.may_launch + len(look.ended)
        failures = _failures(task, look)
        applying = Applying(
            task=replace(part, may_launch=may_launch, failed=failures), service=service, stop=stop, begun=True
        )
        leases = TaskLeases.of(part, opened)
        with leases.held(task.lock_timeout_s):
            results = applying.results(opened)
        answered = _answered(task, service, [*failed, *results], look=look, touched=touched, events=applying.events)
        is_over = not answered.running and _is_over(task, results) and not set(task.unfinished) - touched
        TaskLeases.again(task).settle(is_over=is_over)
        return replace(answered, sent=answered.sent + sent)


def _is_over(task: Task, results: Iterable[ManifestResult]) -> bool:
    """Whether the run has nothing to come back for."""
    return task.is_last or not any(result.running or result.held or result.drawing for result in results)


def _failures(task: Task, look: Look) -> dict[str, tuple[str, ...]]:
    """Addresses whose trainings failed, this time's included, by manifest."""
    found = dict(task.failed)
    for path, address, reason in look.ended:
        if reason is not None:
            found[path] = (*found.get(path, ()), address)
    return found


def _service(task: Task, opened: list[Opened], stop: StopSignal) -> AbstractContextManager[Service]:
    """The service of the task's project, with the secrets of its manifests."""
    return open_service(
        opened[0].request.place.root,
        settings_of(task),
        project=task.project or opened[0].request.manifest.project,
        read_only=task.kind in _READING,
        cancel=stop.requested,
        secrets=_secrets(opened),
    )


def _secrets(opened: Iterable[Opened]) -> tuple[Secret, ...]:
    return tuple(secret for one in opened for secret in one.request.place.secrets)


def _answered(
    task: Task,
    service: Service,
    results: list[ManifestResult],
    *,
    look: Look | None = None,
    touched: Collection[str] = (),
    events: Iterable[str] = (),
) -> TaskResult:
    base = TaskResult(kind=task.kind, manifests=_in_order(task, results))
    if look is not None:
        base = _look_result(task, look, touched, results)
    budget = service.budget
    return replace(base, sent=budget.sent, refused=budget.refused, spent_s=budget.ages_s(), events=tuple(events))


def _look_result(task: Task, look: Look, touched: Collection[str], results: list[ManifestResult]) -> TaskResult:
    """Trainings of a manifest that was applied further are in its own result, unless that run could not begin."""
    own = {result.path for result in results if result.ledger is not None}
    busy = {result.path for result in results if result.code == ExitCode.LOCKED}
    ended_there = [t for t in task.running if t.manifest in busy and t not in look.running]
    return TaskResult(
        kind=task.kind,
        manifests=_in_order(task, results),
        running=(*(t for t in look.running if t.manifest not in own), *ended_there),
        ended=look.ended,
        progress=look.progress,
    )


def _in_order(task: Task, results: list[ManifestResult]) -> tuple[ManifestResult, ...]:
    order = {manifest.path: number for number, manifest in enumerate(task.manifests)}
    return tuple(sorted(results, key=lambda result: order[result.path]))
