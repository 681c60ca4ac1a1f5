"""status --watch: look until nothing is training any more; redrawn on a terminal, told in lines elsewhere."""

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
    call: Invocation, world: Environment, look: Callable[[], Sequence[ResourceStatus]]
) -> Sequence[ResourceStatus]:
    """The last look, when nothing is running. look costs a request for fifty models.

    Looks that fail are borne as an apply bears them, once there was one that did not.
    """
    drawn = 0
    rarely = LineThrottle()
    bad_rounds = PollFailures()
    standings = look()
    trouble = ""
    while True:
        running = any(standing.is_running for standing in standings)
        if call.err.terminal and not call.settings.quiet:
            # the last look is left to the answer on stdout
            text = status_text(standings, call.err) + _line(trouble, call.err) if running else ""
            call.redraw(text, drawn)
            drawn = text.count("\n")
        elif trouble:
            call.tell(trouble)
        elif not call.settings.quiet:
            _tell(call, standings, rarely, world.clock.monotonic())
        if not running:
            return standings
        world.clock.wait(call.arguments.poll_interval)
        try:
            standings = look()
        except ApiError as error:
            if bad_rounds.is_enough(error):
                raise
            trouble = poll_failure_message(error)
        else:
            bad_rounds.passed()
            trouble = ""


def _line(trouble: str, screen: Screen) -> str:
    """The trouble on one line, which is taken away again by its count of lines."""
    return f"{fit(safe(trouble), screen.width - 1)}\n" if trouble else ""


def _tell(call: Invocation, standings: Sequence[ResourceStatus], rarely: LineThrottle, now: float) -> None:
    for standing in standings:
        if not standing.is_running and not rarely.has_told(standing.address):
            continue  # what stands still is told once, by the table at the end
        if rarely.is_due(standing.address, standing.status, standing.progress, now):
            call.say(f"{resource_status_line(standing)}\n")
