"""status --watch: look until nothing is training any more; redrawn on a terminal, told in lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scenario_apply.effects.rounds import BadRounds, bad_round_words
from scenario_apply.errors import ApiError
from scenario_apply.faces.views.rarely import Rarely
from scenario_apply.faces.views.screen import Screen, fit, safe
from scenario_apply.faces.views.status import Standing, standing_line, status_text

if TYPE_CHECKING:
    from scenario_apply.effects.world import World
    from scenario_apply.faces.call import Call


def watch(call: Call, world: World, look: Callable[[], Sequence[Standing]]) -> Sequence[Standing]:
    """The last look, when nothing is running. look costs a request for fifty models.

    Looks that fail are borne as an apply bears them, once there was one that did not.
    """
    drawn = 0
    rarely = Rarely()
    bad_rounds = BadRounds()
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
            trouble = bad_round_words(error)
        else:
            bad_rounds.passed()
            trouble = ""


def _line(trouble: str, screen: Screen) -> str:
    """The trouble on one line, which is taken away again by its count of lines."""
    return f"{fit(safe(trouble), screen.width - 1)}\n" if trouble else ""


def _tell(call: Call, standings: Sequence[Standing], rarely: Rarely, now: float) -> None:
    for standing in standings:
        if not standing.is_running and not rarely.has_told(standing.address):
            continue  # what stands still is told once, by the table at the end
        if rarely.is_due(standing.address, standing.status, standing.progress, now):
            call.say(f"{standing_line(standing)}\n")
