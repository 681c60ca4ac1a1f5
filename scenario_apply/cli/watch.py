"""status --watch: refresh until no training is running; redrawn on a terminal, printed as lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scenario_apply.apply.poll_failures import PollFailures, poll_failure_message
from scenario_apply.cli.progress.line_throttle import LineThrottle
from scenario_apply.errors import ApiError
from scenario_apply.review.screen import Screen, fit, safe
from scenario_apply.review.status_text import ResourceStatus, resource_status_line, status_text

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.invocation import Invocation


def watch(
    call: Invocation, world: Environment, refresh: Callable[[], Sequence[ResourceStatus]]
) -> Sequence[ResourceStatus]:
    """The statuses of the last refresh, when nothing is running. refresh takes one request for fifty models.

    After a first success, a bounded number of consecutive failures is tolerated, as in an apply.
    """
    drawn = 0
    throttle = LineThrottle()
    failures = PollFailures()
    statuses = refresh()
    problem = ""
    while True:
        running = any(status.is_running for status in statuses)
        if call.err.terminal and not call.settings.quiet:
            # the last statuses are printed on stdout by the caller
            text = status_text(statuses, call.err) + _line(problem, call.err) if running else ""
            call.redraw(text, drawn)
            drawn = text.count("\n")
        elif problem:
            call.tell(problem)
        elif not call.settings.quiet:
            _print_changes(call, statuses, throttle, world.clock.monotonic())
        if not running:
            return statuses
        world.clock.wait(call.arguments.poll_interval)
        try:
            statuses = refresh()
        except ApiError as error:
            if failures.is_enough(error):
                raise
            problem = poll_failure_message(error)
        else:
            failures.passed()
            problem = ""


def _line(problem: str, screen: Screen) -> str:
    """The error on one line, so that the count of lines to redraw stays right."""
    return f"{fit(safe(problem), screen.width - 1)}\n" if problem else ""


def _print_changes(call: Invocation, statuses: Sequence[ResourceStatus], throttle: LineThrottle, now: float) -> None:
    for status in statuses:
        if not status.is_running and not throttle.has_told(status.address):
            continue  # reported once, in the table at the end
        if throttle.is_due(status.address, status.status, status.progress, now):
            call.say(f"{resource_status_line(status)}\n")
