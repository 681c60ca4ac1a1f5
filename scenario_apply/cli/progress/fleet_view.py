"""The progress of a fleet: a table of a line a project on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scenario_apply.cli.progress.live_region import LiveRegion
from scenario_apply.cli.terminal import terminal_size
from scenario_apply.fleet.project_run import Phase, ProjectRun
from scenario_apply.review.screen import Color, columns, counted, duration, fit, pad, safe

if TYPE_CHECKING:
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.model.ports import Clock

DRAW_EVERY_S = 0.2
_COLORS: dict[str, Color] = {"working": "yellow", "training": "cyan", "done": "green", "failed": "red"}
_ORDER: tuple[Phase, ...] = ("working", "training", "held", "queued", "failed", "done")


class FleetView:
    """changed() is called by the coordinator's thread only."""

    def __init__(self, call: Invocation, clock: Clock, runs: Sequence[ProjectRun]) -> None:
        self._call, self._clock, self._runs = call, clock, runs
        self._started_at = clock.monotonic()
        self._drawn_at = float("-inf")
        self._last_lines: dict[str, str] = {}
        self._region = LiveRegion(call.put)
        self._lock = threading.Lock()
        self._is_live = call.err.terminal and call.err.color and not call.settings.quiet

    def changed(self, run: ProjectRun) -> None:
        """The project has a new state."""
        if self._call.settings.quiet:
            return
        if not self._is_live:
            self._print(run)
            return
        now = self._clock.monotonic()
        if now - self._drawn_at >= DRAW_EVERY_S:
            self._drawn_at = now
            width, rows = terminal_size(sys.stderr)
            self._region.draw(self._lines(width), rows)

    def tell(self, text: str) -> None:
        """A sentence beside the progress; also from a signal handler."""
        if not self._is_live:
            self._call.tell(text)

    def close(self) -> None:
        self._region.close()

    def _print(self, run: ProjectRun) -> None:
        """One line for each new phase of an apply, without its looks; plans and statuses are soon on the screen."""
        line = f"{run.phase}" + (f", {len(run.running)} training" if run.running else "")
        if run.task.kind != "apply" or (run.phase in ("queued", "working") and run.name in self._last_lines):
            return
        if self._last_lines.get(run.name) == line:
            return
        self._last_lines[run.name] = line
        self._call.say(f"{safe(run.name)}: {line}\n")

    def _lines(self, width: int) -> list[str]:
        """The projects in work first, then the rest; a line of sums at the end."""
        names = max((columns(safe(run.name)) for run in self._runs), default=0)
        ordered = sorted(self._runs, key=lambda run: _ORDER.index(run.phase))
        lines = []
        for run in ordered:
            progress = ", ".join(run.progress[:3]) if run.phase == "training" else ""
            text = f"  {pad(fit(safe(run.name), 40), min(names, 40))}  {pad(run.phase, 8)}  {safe(progress)}"
            lines.append(self._call.err.paint(fit(text.rstrip(), width - 1), _COLORS.get(run.phase)))
        counts = Counter(run.phase for run in self._runs)
        summed = ", ".join(f"{counts[phase]} {phase}" for phase in _ORDER if counts[phase])
        sent = sum(run.sent for run in self._runs)
        took = duration(self._clock.monotonic() - self._started_at)
        return [*lines[:30], fit(f"{summed}; {counted(sent, 'request')}, {took}", width - 1)]
