"""What the terminal is like: its width, and whether it shows colours."""

from __future__ import annotations

import shutil
from typing import TextIO

from scenario_apply.review.screen import Screen


def screen_for(stream: TextIO, *, color: bool | None, verbose: bool, term: str | None, quiet: bool = False) -> Screen:
    """The screen a stream writes on. color None: when it is a terminal that knows colours. At most 160 columns."""
    terminal = stream.isatty()
    columns = shutil.get_terminal_size((80, 24)).columns
    return Screen(
        width=max(60, min(columns, 160)),
        color=color if color is not None else terminal and term != "dumb",
        verbose=verbose,
        terminal=terminal,
        quiet=quiet,
    )
