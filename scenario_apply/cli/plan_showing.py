"""What plan, apply and destroy show of a plan: its view, and how it is drawn on the terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scenario_apply.cli.command_hints import completed
from scenario_apply.review.plan_text import plan_text
from scenario_apply.review.plan_view import Mode, PlanContext, PlanView, plan_view

if TYPE_CHECKING:
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.settings import Settings


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
