"""What plan, apply and destroy show of a plan: its view, and how it is written in each format."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.command_hints import completed
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.plan_view import Mode, PlanContext, PlanView, plan_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.errors import Diagnostic
    from scenario_apply.planning.plan import Plan


def view_of(prepared: Prepared, settings: Settings, *, mode: Mode, next_command: str | None = None) -> PlanView:
    """A plan as every writer shows it."""
    context = PlanContext(
        mode=mode,
        recorded=prepared.state.records,
        next_command=next_command,
        complete=lambda text: completed(text, settings),
    )
    return plan_view(prepared.plan, context)


def drawn_plan(call: Invocation, view: PlanView) -> str:
    """The plan for a terminal or a log; with --full everything is listed."""
    screen = call.out_now
    return plan_text(view, replace(screen, verbose=screen.verbose or call.arguments.full))


def show_plan(call: Invocation, plan: Plan, view: PlanView, request: PlanRequest) -> None:
    """The plan on stdout in the format that was asked for; what stops it also on stderr, where that is no text."""
    match call.arguments.format:
        case "json":
            from scenario_apply.review.plan_json import plan_json

            call.show(plan_json(plan))
        case "html":
            from scenario_apply.cli.plan_html import plan_html

            call.show(plan_html(view, request, call.settings))
        case "markdown":
            from scenario_apply.cli.plan_comment import comment

            call.show(comment(view, call.arguments, call.settings, request.manifest.root))
        case _:
            call.show(drawn_plan(call, view))
            return
    call.warn(plan.blocked)


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
            from scenario_apply.review.html.plan_page import PlanPage, plan_page

            return plan_page(PlanPage(plan=view, cards=(), album={}))
        case "markdown":
            from scenario_apply.cli.plan_comment import comment

            return comment(view, call.arguments, call.settings, None)
        case _:
            return None
