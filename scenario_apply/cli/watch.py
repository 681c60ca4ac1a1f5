"""status --watch: refresh until no training is running; redrawn on a terminal, printed as lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scenario_apply.apply.poll_failures import PollFailures, poll_failure_message
from scenario_apply.cli.progress.line_throttle import LineThrottle
from scenario_apply.cli.progress.live_region import LiveRegion
from scenario_apply.cli.terminal import terminal_size
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
    region = LiveRegion(call.put)
    try:
        statuses = _watched(call, world, refresh, region)
    except BaseException:
        region.leave()  # the last table stays above the error
        raise
    region.close()  # the caller prints the last statuses on stdout
    return statuses


def _watched(
    call: Invocation, world: Environment, refresh: Callable[[], Sequence[ResourceStatus]], region: LiveRegion
) -> Sequence[ResourceStatus]:
    throttle = LineThrottle()
    failures = PollFailures()
    statuses = refresh()
    problem = ""
    while True:
        running = any(status.is_running for status in statuses)
        if call.err.terminal and not call.settings.quiet:
            if running:
                region.draw(_lines(statuses, problem, call.err_now), terminal_size(sys.stderr)[1])
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


def _lines(statuses: Sequence[ResourceStatus], problem: str, screen: Screen) -> list[str]:
    """The table, and an error of the last refresh on one line."""
    lines = status_text(statuses, screen).splitlines()
    return [*lines, fit(safe(problem), screen.width - 1)] if problem else lines


def _print_changes(call: Invocation, statuses: Sequence[ResourceStatus], throttle: LineThrottle, now: float) -> None:
    for status in statuses:
        if not status.is_running and not throttle.has_told(status.address):
            continue  # reported once, in the table at the end
        if throttle.is_due(status.address, status.status, status.progress, now):
            call.say(f"{resource_status_line(status)}\n")
