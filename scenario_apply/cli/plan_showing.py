"""What plan, apply and destroy show of a plan: its view, and how it is written in each format."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as with_fields

from scenario_apply.cli.command_hints import completed
from scenario_apply.cli.plan_beside import beside_of
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.plan_view import Mode, PlanContext, PlanView, plan_view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.errors import Diagnostic
    from scenario_apply.model.address import Address
    from scenario_apply.planning.plan import Plan
    from scenario_apply.review.comparison_view import Comparison
    from scenario_apply.state.state import State


def view_of(
    prepared: Prepared, settings: Settings, request: PlanRequest, *, mode: Mode, next_command: str | None = None
) -> PlanView:
    """A plan as every writer shows it. request: what it was made of."""
    context = PlanContext(
        mode=mode,
        recorded=prepared.state.records,
        next_command=next_command,
        beside=beside_of(prepared.plan, request, prepared.state),
        records=prepared.state.records,
        store=None if request.place.url is None else request.place.url.shown,
        complete=lambda text: completed(text, settings),
    )
    return plan_view(prepared.plan, context)


def saved_view(
    plan: Plan,
    settings: Settings,
    request: PlanRequest | None,
    state: State | None,
    *,
    stale: tuple[Diagnostic, ...],
    next_command: str | None,
) -> PlanView:
    """A saved plan as every writer shows it. request, state: what it was made of, where that could be read."""
    context = PlanContext(
        mode="destroy" if plan.source.flags.destroy else "plan",
        recorded=None if state is None else state.records,
        next_command=next_command,
        stale=stale,
        beside=beside_of(plan, request, state),
        records={} if state is None else state.records,
        complete=lambda text: completed(text, settings),
    )
    return plan_view(plan, context)


def drawn_plan(call: Invocation, view: PlanView) -> str:
    """The plan for a terminal or a log; with --full everything is listed."""
    screen = call.out_now
    return plan_text(view, replace(screen, verbose=screen.verbose or call.arguments.full))


def show_plan(
    call: Invocation,
    plan: Plan,
    view: PlanView,
    request: PlanRequest | None,
    state: State | None,
    *,
    asks: bool = False,
) -> None:
    """The plan on stdout in the format that was asked for; what stops it also on stderr, where that is no text.

    request, state: None where manifest or state could not be read: then there are no pictures. asks: whether Scenario
    is asked for sample pictures that are missing here.
    """
    against = (*view.status.stale, *view.status.blocked)
    match call.arguments.format:
        case "json":
            from scenario_apply.review.plan_json import plan_json

            call.show(plan_json(with_fields(plan, blocked=against)))
        case "html":
            call.show(_page(call, view, request, plan, state, asks=asks))
        case "markdown":
            from scenario_apply.cli.plan_comment import comment

            root = None if request is None else request.manifest.root
            call.show(comment(view, call.arguments, call.settings, root, _drawn_again(plan, request, state)))
        case "github":
            call.show(_annotations(call, view))
            return  # the errors among them are those on stderr
        case _:
            call.show(drawn_plan(call, view))
            return
    call.warn(against)


def _page(
    call: Invocation,
    view: PlanView,
    request: PlanRequest | None,
    plan: Plan | None = None,
    state: State | None = None,
    *,
    asks: bool = False,
) -> str:
    if request is None:
        from scenario_apply.review.html.plan_page import PlanPage, plan_page

        return plan_page(PlanPage(plan=view, cards=(), album={}))
    from scenario_apply.cli.plan_html import plan_html

    if not asks or plan is None or not _draws(plan):
        return plan_html(view, request, call.settings, plan, state)
    if plan.source.endpoint != call.settings.endpoint:  # credentials go to no address that only a file names
        call.tell("Sample pictures are not downloaded: the plan was made for another endpoint.")
        return plan_html(view, request, call.settings, plan, state)
    from scenario_apply.cli.wiring import open_world, require_service

    require_service(call.settings)
    with open_world(request.place, call.settings, read_only=True) as world:
        return plan_html(view, request, call.settings, plan, state, world)


def _draws(plan: Plan) -> bool:
    return any(planned.step.kind == "sample" for planned in plan.steps)


def _drawn_again(plan: Plan, request: PlanRequest | None, state: State | None) -> Mapping[Address, Comparison]:
    """Samples in use beside those that the plan draws."""
    if request is None or state is None or not _draws(plan):
        return {}
    from scenario_apply.cli.compared_sections import drawn_again

    return drawn_again(state, request, plan)


def _annotations(call: Invocation, view: PlanView) -> str:
    from scenario_apply.cli.report_paths import in_checkout
    from scenario_apply.review.plan_annotations import plan_annotations
    from scenario_apply.review.workflow_commands import workflow_commands

    notes = call.settings.verbose or call.arguments.full
    return workflow_commands(in_checkout(plan_annotations(view, notes=notes), call.settings))


def failed_document(call: Invocation, problems: Sequence[Diagnostic], created_at: str) -> str | None:
    """The document of a plan that could not be made; None where stdout stays empty. created_at: ISO 8601."""
    manifest, endpoint = call.settings.manifest, call.settings.endpoint
    if call.arguments.format == "json":
        from scenario_apply.review.plan_json import failed_plan_json

        return failed_plan_json(problems, manifest=manifest, endpoint=endpoint, created_at=created_at)
    from scenario_apply.review.plan_view import failed_plan_view

    view = failed_plan_view(problems, manifest=manifest, endpoint=endpoint, created_at=created_at)
    match call.arguments.format:
        case "html":
            return _page(call, view, None)
        case "github":
            return _annotations(call, view)
        case "markdown":
            from scenario_apply.cli.plan_comment import comment

            return comment(view, call.arguments, call.settings, None)
        case _:
            return None
