"""What is shown while many pictures are read for the first time: a bar on a terminal, a line now and then elsewhere.

Drawn by the thread that counts, not by one of its own: a process with several threads must not fork workers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from scenario_apply.cli.progress.live_region import LiveRegion
from scenario_apply.cli.terminal import terminal_size
from scenario_apply.review.screen import counted, fit
from scenario_apply.review.training_words import share_bar

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings
    from scenario_apply.dataset.scan.scan_progress import ShowScan

SHOWN_AFTER_S = 1.0
DRAW_EVERY_S = 0.2
LINE_EVERY_S = 10.0
_BAR_COLUMNS = 20


@contextmanager
def reading_view(settings: Settings) -> Iterator[ShowScan | None]:
    """Takes the progress of a scan; None with --quiet."""
    if settings.quiet:
        yield None
        return
    view = ReadingView(sys.stderr, time.monotonic, is_live=sys.stderr.isatty() and settings.color is not False)
    try:
        yield view
    finally:
        view.close()


class ReadingView:
    """Shows nothing of a scan that takes less than a second. Calls must not overlap; clock in seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float], *, is_live: bool) -> None:
        self._stream = stream
        self._clock = clock
        self._is_live = is_live
        self._region = LiveRegion(self._put)
        self._next_at = clock() + SHOWN_AFTER_S

    def __call__(self, share: float, images: int) -> None:
        now = self._clock()
        if now < self._next_at:
            return
        self._next_at = now + (DRAW_EVERY_S if self._is_live else LINE_EVERY_S)
        words = f"Reading {counted(images, 'image')}"
        if self._is_live:
            width, rows = terminal_size(self._stream)
            self._region.draw([fit(f"{words}  {share_bar(share, _BAR_COLUMNS)} {share:>4.0%}", width - 1)], rows)
        else:
            self._put(f"{words}: {share:.0%}\n")

    def close(self) -> None:
        """Remove the bar."""
        self._region.close()

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
