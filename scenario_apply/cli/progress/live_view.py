"""A run on a terminal: a bar for uploads, a line for each training, and finished steps scrolling by above (rich)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from scenario_apply.apply.events import Adopted, Event, Noted, StepFailed, StepFinished
from scenario_apply.cli.progress.eta import SHOWN_FROM_S, Eta, eta_text
from scenario_apply.cli.progress.plain_view import adopted_line, failed_line, finished_line, noted_line
from scenario_apply.cli.progress.run_progress import QUIET_KINDS, RunProgress, Training
from scenario_apply.model.ports import Clock, RequestCounter
from scenario_apply.review.screen import Screen, counted, duration, fit, safe
from scenario_apply.review.training_words import progress_words

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

TRAININGS_SHOWN = 12
_DRAWS_A_SECOND = 5


class ProgressView:
    """Takes events from any thread. close() leaves the screen tidy and may be called twice."""

    def __init__(
        self, stream: TextIO, clock: Clock, screen: Screen, *, counter: RequestCounter | None, rate_limit: int
    ) -> None:
        from rich.console import Console
        from rich.live import Live

        self._clock = clock
        self._screen = screen
        self._counter = counter
        self._rate_limit = rate_limit
        self._progress = RunProgress()
        self._eta = Eta(counter)
        self._lock = threading.Lock()
        self._started = clock.monotonic()
        self._console: Console = Console(
            file=stream, no_color=not screen.color, highlight=False, markup=False, emoji=False, width=screen.width
        )
        self._live = Live(
            get_renderable=self._render, console=self._console, refresh_per_second=_DRAWS_A_SECOND, transient=True
        )
        self._live.start()

    def __call__(self, event: Event) -> None:
        with self._lock:
            now = self._clock.monotonic()
            self._progress.take(event, now)
            self._eta.take(event, now)
            line, style = _line(event, self._progress)
        if line:
            from rich.text import Text

            self._console.print(Text(safe(line), style=style, overflow="fold"))

    def close(self) -> None:
        """Remove the live part."""
        self._live.stop()

    def _render(self) -> RenderableType:
        from rich.console import Group

        with self._lock:
            rows = self._rows()
        return Group(*rows)

    def _rows(self) -> list[RenderableType]:
        from rich.text import Text

        now = self._clock.monotonic()
        rows: list[RenderableType] = []
        over, total = self._progress.counted(QUIET_KINDS)
        if total and over < total:
            rows.append(self._bar("images and captions", over / total, f"{over}/{total}"))
        for address, training in list(self._progress.trainings.items())[:TRAININGS_SHOWN]:
            rows.append(self._training(str(address), training, now))
        hidden = len(self._progress.trainings) - TRAININGS_SHOWN
        if hidden > 0:
            rows.append(Text(f"  … and {counted(hidden, 'more training')}", style="dim"))
        rows.append(Text(fit(self._footer(now), self._screen.width - 1), style="dim"))
        return rows

    def _training(self, address: str, training: Training, now: float) -> RenderableType:
        words = progress_words(training.status, training.progress)
        share = training.progress.progress if training.progress is not None else None
        told = [word for word in words if not word.endswith("%")]
        if not told[-1].endswith(" left"):
            told.append(duration(now - training.since))
        return self._bar(address, share, safe(", ".join(told)))

    def _bar(self, label: str, share: float | None, text: str) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        label_width, bar_width = self._screen.width * 3 // 8, self._screen.width // 5
        room = self._screen.width - label_width - bar_width - 8
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=label_width, no_wrap=True)
        grid.add_column(width=bar_width)
        grid.add_column(width=4, justify="right", no_wrap=True)
        grid.add_column(width=room, no_wrap=True)
        grid.add_row(
            Text(fit(safe(label), label_width)),
            ProgressBar(total=1.0, completed=share or 0.0, pulse=share is None, width=bar_width),
            Text("" if share is None else f"{share:.0%}"),
            Text(fit(text, room), style="dim"),
        )
        return grid

    def _footer(self, now: float) -> str:
        parts = [duration(now - self._started)]
        if self._counter is not None:
            parts.append(counted(self._counter.sent, "request"))
        if words := eta_text(self._eta, now, self._rate_limit):
            parts.append(words)
        left, why = self._progress.throttled_until - now, self._progress.throttled_why
        if left <= 0.5 and self._counter is not None and self._rate_limit and self._progress.active:
            left, why = self._counter.seconds_for(1), "the rate limit"
        if left >= SHOWN_FROM_S:
            parts.append(f"waiting for {safe(why)}, continues in {duration(left)}")
        return "  " + " · ".join(parts)


def _line(event: Event, progress: RunProgress) -> tuple[str, str]:
    """The line that scrolls by, and its style; empty for what the bars show."""
    match event:
        case StepFinished() if event.step.kind not in QUIET_KINDS or event.adopted:
            line = finished_line(event, progress.lasted.get(event.step.address))
            return line, "green" if event.step.kind == "wait" else ""
        case StepFailed():
            return failed_line(event), "red"
        case Adopted():
            return adopted_line(event), "cyan"
        case Noted():
            return noted_line(event), "dim"
        case _:
            return "", ""
