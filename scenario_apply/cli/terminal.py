"""What the terminal is like: its size, and whether it shows colours."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TextIO

from scenario_apply.review.screen import Screen

NARROWEST, WIDEST = 60, 160


def screen_for(stream: TextIO, *, color: bool | None, verbose: bool, term: str | None, quiet: bool = False) -> Screen:
    """The screen a stream writes on. color None: when it is a terminal that knows colours. At most 160 columns."""
    terminal = stream.isatty()
    return Screen(
        width=_width(stream),
        color=color if color is not None else terminal and term != "dumb",
        verbose=verbose,
        terminal=terminal,
        quiet=quiet,
    )


def resized(screen: Screen, stream: TextIO) -> Screen:
    """The screen as wide as its terminal is now; unchanged when it is none."""
    return replace(screen, width=_width(stream)) if screen.terminal else screen


def _width(stream: TextIO) -> int:
    return max(NARROWEST, min(terminal_size(stream)[0], WIDEST))


def terminal_size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows of the terminal a stream writes on; of standard output or 80 x 24 where it is none.

    COLUMNS and LINES do not follow a resize: they only count where a stream is no terminal.
    """
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):  # no terminal, or a stream without a file
        size = os.terminal_size((0, 0))
    if size.columns <= 0 or size.lines <= 0:
        size = shutil.get_terminal_size((80, 24))
    return size.columns, size.lines
