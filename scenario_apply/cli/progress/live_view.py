"""A run on a terminal: a bar for uploads, a line for each training, and finished steps scrolling by above."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from scenario_apply.apply.events import Adopted, Event, Noted, Priced, StepFailed, StepFinished
from scenario_apply.cli.progress.eta import Eta, eta_text
from scenario_apply.cli.progress.live_region import LiveRegion
from scenario_apply.cli.progress.plain_view import adopted_line, failed_line, finished_line, noted_line, priced_line
from scenario_apply.cli.progress.run_progress import QUIET_KINDS, SAMPLE_KINDS, UNTOLD_KINDS, RunProgress, Training
from scenario_apply.cli.terminal import WIDEST, resized, terminal_size
from scenario_apply.model.ports import Clock, RequestCounter
from scenario_apply.review.screen import Color, Screen, columns, counted, duration, fit, fit_path, pad, safe, wrap
from scenario_apply.review.training_words import progress_words, share_bar

TRAININGS_SHOWN = 12
HELD_FROM_S = 1.0
"""Seconds that requests are held back before the screen says so: bars that stand for longer look broken."""
_DRAW_EVERY_S = 0.2

_Drawn = tuple[list[str], tuple[int, int]]
"""The rows that are on the screen, and its size."""


class ProgressView:
    """Takes events from any thread. The size of the terminal is asked at each drawing.

    close() leaves the screen tidy and may be called twice.
    """

    def __init__(
        self, stream: TextIO, clock: Clock, screen: Screen, *, counter: RequestCounter | None, rate_limit: int
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._screen = screen
        self._counter = counter
        self._rate_limit = rate_limit
        self._progress = RunProgress()
        self._eta = Eta(counter)
        self._lock = threading.Lock()
        self._started = clock.monotonic()
        self._region = LiveRegion(self._put)
        self._notes: deque[str] = deque()
        self._is_closed = threading.Event()
        self._is_paused = False
        self._drawing_lock = threading.Lock()
        self._drawing = threading.Thread(target=self._draw_until_closed, name="progress", daemon=True)
        self._drawing.start()

    def __call__(self, event: Event) -> None:
        with self._lock:
            now = self._clock.monotonic()
            self._progress.take(event, now)
            self._eta.take(event, now)
            line, color = event_line(event, self._progress)
        if line:
            self._print(line, color)

    def tell(self, text: str) -> None:
        """A sentence above the bars at the next drawing. For signal handlers: nothing is locked or written here."""
        self._notes.append(text)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within the context nothing is drawn below the lines: the user is asked something there."""
        with self._drawing_lock:
            self._is_paused = True
            self._region.close()
        try:
            yield
        finally:
            self._is_paused = False

    def close(self) -> None:
        """Remove the live part."""
        self._is_closed.set()
        if self._drawing.is_alive():
            self._drawing.join()
        self._print_notes()
        self._region.close()

    def rows(self, width: int) -> list[str]:
        """What is drawn below the lines that scroll by, in at most so many columns."""
        with self._lock:
            now = self._clock.monotonic()
            trainings = list(self._progress.trainings.items())
            over, total = self._progress.counted(QUIET_KINDS)
            bars: list[tuple[str, float | None, str]] = []
            if total and over < total:
                _, why = self._held(now)
                failed = sum(self._progress.failed[kind] for kind in QUIET_KINDS)
                words = [f"{over:,}/{total:,}", f"{failed:,} failed" if failed else "", why and f"waiting for {why}"]
                bars.append(("images and captions", over / total, ", ".join(filter(None, words))))
            drawn, samples = self._progress.counted(SAMPLE_KINDS)
            if drawn < samples and self._progress.done["sample"]:
                bars.append(("samples", drawn / samples, f"{drawn:,}/{samples:,} drawn"))
            for address, training in trainings[:TRAININGS_SHOWN]:
                bars.append((safe(str(address)), *training_bar(training, now)))
            footer = self._footer(now, width)
        rows = _bar_rows(bars, width)
        if len(trainings) > TRAININGS_SHOWN:
            rows.append(fit(f"  … and {counted(len(trainings) - TRAININGS_SHOWN, 'more training')}", width))
        return [*rows, *footer]

    def _draw_until_closed(self) -> None:
        drawn: _Drawn | None = None
        while not self._is_closed.wait(_DRAW_EVERY_S):
            with self._drawing_lock:
                drawn = None if self._is_paused else self._draw_once(drawn)

    def _draw_once(self, drawn: _Drawn | None) -> _Drawn:
        self._print_notes()
        size = terminal_size(self._stream)
        # the last column stays free: a line that ends there leaves the cursor in different places
        rows = self.rows(min(size[0], WIDEST) - 1)
        if (rows, size) != drawn:
            self._region.draw(rows, size[1])
        return rows, size

    def _print(self, line: str, color: Color | None = None) -> None:
        width = resized(self._screen, self._stream).width
        text = "".join(f"{self._screen.paint(part, color)}\n" for part in wrap(safe(line), width, whole_ids=True))
        self._region.print_above(text)

    def _print_notes(self) -> None:
        while self._notes:
            self._print(self._notes.popleft())

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _held(self, now: float) -> tuple[float, str]:
        """Seconds for which requests wait, and for what: 'the rate limit'; empty while they leave."""
        left, why = self._progress.throttled_until - now, self._progress.throttled_why
        if left < HELD_FROM_S and self._counter is not None and self._rate_limit and self._progress.active:
            left, why = self._counter.seconds_for(1), "the rate limit"
        return (left, safe(why)) if left >= HELD_FROM_S else (0.0, "")

    def _footer(self, now: float, width: int) -> list[str]:
        parts = [duration(now - self._started)]
        if self._counter is not None:
            parts.append(counted(self._counter.sent, "request"))
        left, why = self._held(now)
        if why:
            parts.append(f"waiting for {why}, continues in {duration(left)}")
        if words := eta_text(self._eta, now, self._rate_limit):
            parts.append(words)
        lines = [f"  {parts[0]}"]
        for part in parts[1:]:
            if columns(f"{lines[-1]} · {part}") <= width:
                lines[-1] += f" · {part}"
            else:
                lines.append(f"  {part}")
        return [fit(line, width) for line in lines]


def training_bar(training: Training, now: float) -> tuple[float | None, str]:
    """How far a training is, from 0 to 1, and the words beside its bar."""
    words = progress_words(training.status, training.progress)
    share = training.progress.progress if training.progress is not None else None
    told = [word for word in words if not word.endswith("%")]
    if not told[-1].endswith(" left"):
        told.append(duration(now - training.since))
    return share, safe(", ".join(told))


def _bar_rows(bars: list[tuple[str, float | None, str]], width: int) -> list[str]:
    """Label, bar, share and words. The bar's two halves are different characters: it needs no colour."""
    label_width = min(max((columns(label) for label, _, _ in bars), default=0), width * 3 // 8)
    bar_width = max(width // 8, 6)
    rows = []
    for label, share, text in bars:
        percent = "" if share is None else f"{share:.0%}"
        start = f"{pad(fit_path(label, label_width), label_width)}  {share_bar(share or 0.0, bar_width)} {percent:>4}  "
        rows.append(fit(start + text, width))
    return rows


def event_line(event: Event, progress: RunProgress) -> tuple[str, Color | None]:
    """The line that scrolls by, and its colour; empty for what the bars show."""
    match event:
        case StepFinished() if event.step.kind not in UNTOLD_KINDS or event.adopted:
            line = finished_line(event, progress.lasted.get(event.step.address))
            return line, "green" if event.step.kind == "wait" else None
        case StepFailed() if progress.is_told(event):
            return failed_line(event), "red"
        case Adopted():
            return adopted_line(event), "cyan"
        case Noted():
            return noted_line(event), None
        case Priced():
            return priced_line(event), None
        case _:
            return "", None
