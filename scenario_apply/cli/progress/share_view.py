"""How much of some work is done: a bar on a terminal, else a line now and then.

Drawn by the thread that counts, not by one of its own: a process with several threads must not fork workers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, TextIO

from scenario_apply.cli.progress.live_region import LiveRegion
from scenario_apply.cli.terminal import terminal_size
from scenario_apply.review.screen import fit
from scenario_apply.review.training_words import share_bar

if TYPE_CHECKING:
    from scenario_apply.cli.settings import Settings

SHOWN_AFTER_S = 1.0
DRAW_EVERY_S = 0.2
LINE_EVERY_S = 10.0
_BAR_COLUMNS = 20


class ShareView:
    """Shows nothing of what takes less than a second. Calls must not overlap; clock in seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float], *, is_live: bool, is_quiet: bool = False) -> None:
        self._stream = stream
        self._clock = clock
        self._is_live = is_live
        self._is_quiet = is_quiet
        self._region = LiveRegion(self._put)
        self._next_at = clock() + SHOWN_AFTER_S

    @classmethod
    def on_stderr(cls, settings: Settings) -> Self:
        """The view on stderr; with --quiet it shows nothing."""
        is_live = sys.stderr.isatty() and settings.color is not False
        return cls(sys.stderr, time.monotonic, is_live=is_live, is_quiet=settings.quiet)

    def close(self) -> None:
        """Remove the bar."""
        self._region.close()

    def _show(self, words: str, share: float) -> None:
        """share: from 0 to 1."""
        now = self._clock()
        if self._is_quiet or now < self._next_at:
            return
        self._next_at = now + (DRAW_EVERY_S if self._is_live else LINE_EVERY_S)
        if self._is_live:
            width, rows = terminal_size(self._stream)
            self._region.draw([fit(f"{words}  {share_bar(share, _BAR_COLUMNS)} {share:>4.0%}", width - 1)], rows)
        else:
            self._put(f"{words}: {share:.0%}\n")

    def _put(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
