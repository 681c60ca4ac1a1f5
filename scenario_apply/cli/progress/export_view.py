"""What is shown while models are read and pictures are downloaded: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenario_apply.cli.progress.live_region import LiveRegion
from scenario_apply.cli.progress.reading_view import DRAW_EVERY_S, LINE_EVERY_S, SHOWN_AFTER_S
from scenario_apply.cli.terminal import terminal_size
from scenario_apply.review.screen import counted, fit
from scenario_apply.review.training_words import share_bar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from scenario_apply.cli.settings import Settings

_BAR_COLUMNS = 20


@contextmanager
def export_view(settings: Settings) -> Iterator[ExportView]:
    """The view on stderr; with --quiet it shows nothing."""
    is_live = sys.stderr.isatty() and settings.color is not False
    view = ExportView(sys.stderr, time.monotonic, is_live=is_live, is_quiet=settings.quiet)
    try:
        yield view
    finally:
        view.close()


class ExportView:
    """Shows nothing of what takes less than a second. Called from one thread; clock in seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float], *, is_live: bool, is_quiet: bool = False) -> None:
        self._stream = stream
        self._clock = clock
        self._is_live = is_live
        self._is_quiet = is_quiet
        self._region = LiveRegion(self._put)
        self._next_at = clock() + SHOWN_AFTER_S

    def models(self, done: int, total: int) -> None:
        self._show(f"Reading {counted(total, 'model')}", done, total)

    def pictures(self, done: int, total: int, size_bytes: int) -> None:
        self._show(f"Downloading {counted(total, 'picture')}, {size_bytes / 1e6:.1f} MB", done, total)

    def weights(self, name: str, done: int, total: int | None) -> None:
        """A file of weights on its way, in bytes; total None: its size is unknown."""
        self._show(f"Downloading {name}, {done / 1e6:.1f} MB", done, total or done + 1)

    def waiting(self, name: str, status: str) -> None:
        """For Scenario, which makes the file of an export."""
        self._show(f"Waiting for the export of {name} ({status})", 0, 1)

    def close(self) -> None:
        """Remove the bar."""
        self._region.close()

    def _show(self, words: str, done: int, total: int) -> None:
        now = self._clock()
        if self._is_quiet or now < self._next_at:
            return
        self._next_at = now + (DRAW_EVERY_S if self._is_live else LINE_EVERY_S)
        share = done / max(total, 1)
        if self._is_live:
            width, rows = terminal_size(self._stream)
            self._region.draw([fit(f"{words}  {share_bar(share, _BAR_COLUMNS)} {share:>4.0%}", width - 1)], rows)
        else:
            self._put(f"{words}: {share:.0%}\n")

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
