"""plan FILE: a saved plan in any format, and whether it still fits what it was made from. Sends no request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.errors import ExitCode, PlanStale, ScenarioApplyError, UsageError

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.errors import Diagnostic
    from scenario_apply.planning.plan import Plan
    from scenario_apply.state.state import State

_REFUSED = {
    "out": "it is saved already",
    "refresh_only": "it is no check for drift",
    "destroy": "it says itself what it deletes",
    "adopt": "nothing is looked up",
    "limit": "its limits were judged when it was made; apply judges them again",
}


def show_saved(call: Invocation, plain: Mapping[str, object]) -> int:
    """Print the plan whole, stale or not; the exit code is that of the plan, and STALE where it no longer fits."""
    from scenario_apply.cli.command_lines import applying, planning
    from scenario_apply.cli.plan_showing import saved_view, show_plan
    from scenario_apply.cli.saved_plans import refuse_plan_options, saved_plan, settings_of_plan

    path = call.settings.manifest or "the plan"
    asked = vars(call.arguments)
    refuse_plan_options(asked, path)
    for name, why in _REFUSED.items():
        if asked.get(name):
            raise UsageError(f"--{name.replace('_', '-')} cannot be combined with a saved plan: {why}")
    plan = saved_plan(plain, path)
    request, state, stale = _compared(call, plan)
    command = None
    if stale:
        settings = settings_of_plan(plan, _of_service(plan, call.settings))
        command = planning(asked, settings, path, plan.source.flags)
    elif plan.is_applyable:
        command = applying(replace(call.settings, local=plan.source.endpoint == "local"), path)
    view = saved_view(plan, call.settings, request, state, stale=stale, next_command=command)
    show_plan(call, plan, view, request, state, asks=call.arguments.download_samples)
    if stale:
        return call.code(ExitCode.STALE)
    if plan.blocked:
        return call.code(ExitCode.GATE) if plan.is_gated else ExitCode.ERROR
    return _pending(call, plan)


def _pending(call: Invocation, plan: Plan) -> int:
    if plan.only_waits:
        return call.code(ExitCode.RUNNING, ExitCode.OK)
    return call.code(ExitCode.CHANGES, ExitCode.OK) if plan.has_changes else ExitCode.OK


def _compared(call: Invocation, plan: Plan) -> tuple[PlanRequest | None, State | None, tuple[Diagnostic, ...]]:
    """What it was made of, as far as it can be read here, and why it is stale.

    A plan is also looked at where its manifest is not: then it is not compared, and a note says so.
    """
    from scenario_apply.cli.plan_request import read_request, refuse_barred
    from scenario_apply.cli.saved_plans import settings_of_plan
    from scenario_apply.cli.wiring import open_world
    from scenario_apply.dataset.scan.depth import Depth
    from scenario_apply.planning.plan_reader import check_fresh, check_state

    request, state = None, None
    try:
        settings = settings_of_plan(plan, _of_service(plan, call.settings))
        request = read_request(settings, check=False, depth=Depth.HEADERS)
        refuse_barred(request)
        check_fresh(plan, request.manifest, request.datasets)
        with open_world(request.place, settings, offline=True, read_only=True) as world:
            state = world.store.load().state
        check_state(plan, state)
    except PlanStale as stale:
        return request, state, stale.problems
    except UsageError:
        raise
    except ScenarioApplyError as error:
        call.warn(replace(problem, severity="warning") for problem in error.problems)
        call.tell("The plan is shown as it was saved. It was not compared with its manifest and state.")
    return request, state, ()


def _of_service(plan: Plan, settings: Settings) -> Settings:
    """Settings for the service of the plan: nothing is asked there, but its state belongs to it."""
    endpoint = plan.source.endpoint
    is_local = endpoint == "local"
    return replace(settings, local=is_local, base_url=settings.base_url if is_local else endpoint)
