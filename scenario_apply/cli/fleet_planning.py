"""The plans of all manifests of one project: what is recorded is read in bulk once for all of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace as with_fields

from scenario_apply.api.shared_reads import SharedReads
from scenario_apply.apply.prepare import PlanOptions, Prepared, make_plan
from scenario_apply.cli.fleet_settings import settings_of
from scenario_apply.cli.invocation import Invocation
from scenario_apply.cli.plan_request import PlanRequest, plan_options, read_request
from scenario_apply.cli.state_location import store_at
from scenario_apply.cli.wiring import Service, environment_of
from scenario_apply.errors import Diagnostic, ExitCode, ManifestError, ScenarioApplyError, Unauthorized, Unreachable
from scenario_apply.fleet.approval import approved_of
from scenario_apply.fleet.tasks import ManifestResult, Task, TaskManifest, failed_manifest
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import DeleteModel, StartTraining
from scenario_apply.state.url_texts import is_state_url

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.settings import Settings
    from scenario_apply.planning.plan import Plan
    from scenario_apply.state.state import State
    from scenario_apply.state.stores.state_store import Loaded, StateStore


class Opened(Struct, frozen=True, kw_only=True):
    """A manifest of a task that could be read, with its state. loaded: None until it is."""

    given: TaskManifest
    settings: Settings
    request: PlanRequest
    store: StateStore
    loaded: Loaded | None = None


def open_manifests(task: Task, stores: ExitStack) -> tuple[list[Opened], list[ManifestResult]]:
    """The manifests of a task that can be read, and what is wrong with the others. stores: closes their stores."""
    opened: list[Opened] = []
    failed: list[ManifestResult] = []
    states: dict[str, str] = {}
    for given in task.manifests:
        try:
            one = _opened(task, given, stores)
            _refuse_other_project(task, one, opened)
            _refuse_shared_state(one, states)
            opened.append(one)
        except ScenarioApplyError as error:
            failed.append(failed_manifest(given.path, error))
    return opened, failed


def _opened(task: Task, given: TaskManifest, stores: ExitStack) -> Opened:
    """A URL of the fleet file is trusted no more than one of the manifest."""
    url = given.state if given.state is not None and is_state_url(given.state) else None
    settings = settings_of(task, given if url is None else with_fields(given, state=None))
    request = read_request(settings, state=url)
    place = with_fields(request.place, project=task.project or request.place.project)
    request = with_fields(request, place=place)
    store = stores.enter_context(store_at(place, endpoint=settings.endpoint))
    return Opened(given=given, settings=settings, request=request, store=store)


def _refuse_other_project(task: Task, one: Opened, before: list[Opened]) -> None:
    """The manifests of a task share a client, so they belong to one project."""
    named = one.request.manifest.project
    wanted = task.project or (before[0].request.manifest.project if before else named)
    if named is None and task.project is not None:
        return
    if named != wanted:
        raise ManifestError(
            f"{one.given.path} belongs to project {named or 'of the key'}, and the fleet has it under {wanted}",
            code="project-mismatch",
            hint="put it into an entry of its own project, or leave `project:` out of the manifest",
        )


def _refuse_shared_state(one: Opened, states: dict[str, str]) -> None:
    path = one.request.place.state
    other = states.setdefault(path, one.given.path)
    if other != one.given.path:
        raise ManifestError(
            f"{other} and {one.given.path} have the same state, {path}: each would delete what the other declares",
            code="state-shared",
            hint="give one of them a state of its own with `state:`",
        )


def loaded_states(opened: Iterable[Opened]) -> tuple[list[Opened], list[ManifestResult]]:
    """The manifests with their states, and those whose state cannot be used."""
    found: list[Opened] = []
    failed: list[ManifestResult] = []
    for one in opened:
        try:
            found.append(with_fields(one, loaded=one.store.load()))
        except ScenarioApplyError as error:
            failed.append(failed_manifest(one.given.path, error))
    return found, failed


def read_together(service: Service, opened: Iterable[Opened]) -> SharedReads:
    """A client that has read what all of these manifests record and import: one request for fifty models."""
    shared = SharedReads.of(service.api)
    ids: list[ModelId] = []
    for one in opened:
        if one.loaded is not None:
            ids += recorded_ids(one.loaded.state)
        ids += [ModelId(block.model_id) for block in one.request.manifest.imports]
    shared.read_ahead(ids)
    return shared


def recorded_ids(state: State) -> list[ModelId]:
    """The models that a refresh reads."""
    return [
        version.id
        for record in state.records.values()
        for version in (record.current, record.pending)
        if version is not None
    ]


def planned_results(task: Task, opened: list[Opened], service: Service | None) -> list[ManifestResult]:
    """A plan of each manifest. Raises ApiError for what would meet all of them alike."""
    loaded, results = loaded_states(opened)
    shared = None if service is None else read_together(service, loaded)
    for one in loaded:
        try:
            prepared = plan_one(one, service, shared, options_of(task, one))
        except (Unauthorized, Unreachable):
            raise
        except ScenarioApplyError as error:
            results.append(failed_manifest(one.given.path, error))
            continue
        results.append(planned(task, one, prepared))
    return results


def options_of(task: Task, one: Opened) -> PlanOptions:
    """The options of the plan of one manifest. The limits of the command line are those of the whole fleet."""
    arguments = argparse.Namespace(**{**task.options, "manifest": one.given.path})
    return with_fields(plan_options(Invocation(arguments=arguments, settings=one.settings)), limits=_NO_LIMITS)


_NO_LIMITS = PlanOptions().limits


def plan_one(one: Opened, service: Service | None, shared: SharedReads | None, options: PlanOptions) -> Prepared:
    """The plan of one manifest. shared None: what it asks is sent. Raises as make_plan does."""
    environment = world_of(one, service)
    if shared is not None:
        environment = with_fields(environment, api=shared)
    options = with_fields(options, refresh=service is not None)
    request = one.request
    now = environment.clock.now()
    return make_plan(environment, request.manifest, request.datasets, options, now, loaded=one.loaded)


def world_of(one: Opened, service: Service | None) -> Environment:
    return environment_of(one.settings, one.store, one.request.place.project, service, one.request.place.root)


def planned(task: Task, one: Opened, prepared: Prepared) -> ManifestResult:
    """A plan as a result."""
    plan = prepared.plan
    return ManifestResult(
        path=one.given.path,
        code=int(code_of_plan(plan)),
        summary=dict(plan.summary),
        requests=plan.requests_total,
        cu=plan.cu,
        unknown=len(plan.costs("unknown")),
        samples=plan.samples_count,
        samples_cu=plan.samples_cu,
        trainings=sum(isinstance(planned.step, StartTraining) for planned in plan.steps),
        deletes=sum(isinstance(planned.step, DeleteModel) for planned in plan.steps),
        has_changes=prepared.is_to_be_approved,
        records=one.loaded is not None and (prepared.has_journal or prepared.state != one.loaded.state),
        problems=(*map(_with_hint, plan.blocked), *plan.diagnostics),
        approved=approved_of(plan),
        plan=_document(plan) if task.detail else None,
    )


def _with_hint(found: Diagnostic) -> Diagnostic:
    """A manifest's limit is not raised on the command line of a fleet, whose limits are those of all projects."""
    return replace(found, hint="raise it in the manifest's limits:") if found.code == "gate" else found


def code_of_plan(plan: Plan) -> ExitCode:
    """The detailed exit code of `plan`."""
    if plan.blocked:
        return ExitCode.GATE if plan.is_gated else ExitCode.ERROR
    if plan.only_waits:
        return ExitCode.RUNNING
    return ExitCode.CHANGES if plan.has_changes else ExitCode.OK


def _document(plan: Plan) -> str:
    from scenario_apply.planning.plan_format import sealed
    from scenario_apply.review.plan_json import plan_values

    return json.dumps(sealed(plan_values(plan)), ensure_ascii=False)
