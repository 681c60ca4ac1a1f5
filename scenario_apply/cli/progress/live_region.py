"""Lines at the bottom of a terminal that are drawn again and again, while other lines scroll by above them.

A resize may cut the lines on the screen or wrap them, as the terminal likes, so that they cannot be counted afterwards.
The cursor therefore rests at the start of the first line: whatever a resize does, all that is to be erased is below it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

_ERASE = "\r\x1b[J"  # from the start of the line to the end of the screen
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"  # what happens to a line that is too wide, after a resize at this very moment


class LiveRegion:
    """Every change is one write. May be used from any thread, but not from a signal handler.

    A terminal that is gone ends the drawing, not the run that is shown on it.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._drawn: tuple[str, ...] = ()
        self._is_gone = False

    def draw(self, lines: Sequence[str], rows: int) -> None:
        """Replace the region. lines: painted, each narrower than the terminal; rows: of the terminal, now."""
        with self._lock:
            self._put(tuple(_cropped(lines, rows)))

    def print_above(self, text: str) -> None:
        """Lines, each terminated, that stay on the screen; the region moves below them."""
        with self._lock:
            self._put(self._drawn, above=text)

    def close(self) -> None:
        """Erase the region and give the cursor back. May be called twice."""
        with self._lock:
            self._put(())

    def leave(self) -> None:
        """Leave the lines on the screen, the cursor below them."""
        with self._lock:
            if self._drawn:
                self._drawn, lines = (), self._drawn
                self._send("\n" * len(lines) + _SHOW)

    def _put(self, lines: tuple[str, ...], above: str = "") -> None:
        if not (lines or self._drawn or above):
            return
        text = (_ERASE if self._drawn else "") + above
        if lines:
            up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
            text += f"{_HIDE}{_CUT}" + "\n".join(lines) + f"{_WRAP}\r{up}"
        elif self._drawn:
            text += _SHOW
        self._drawn = lines
        self._send(text)

    def _send(self, text: str) -> None:
        if self._is_gone:
            return
        try:
            self._write(text)
        except OSError:  # closed, as a window or a connection is; the run does not depend on it
            self._is_gone = True


def _cropped(lines: Sequence[str], rows: int) -> Sequence[str]:
    """At most as many lines as the screen has, less one; the last line stays."""
    most = max(rows - 1, 1)
    if len(lines) <= most:
        return lines
    if most < 3:
        return lines[-1:]
    return [*lines[: most - 2], f"  … and {len(lines) - most + 1:,} more lines", lines[-1]]
