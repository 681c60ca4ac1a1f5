"""Notices on standard error that any client can cause: each kind once per interval, then a count of the rest."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

INTERVAL_S = 60.0


def _to_stderr(text: str) -> None:
    sys.stderr.write(f"{text}\n")


class Notices:
    """Writes the first notice of a kind, then stays silent about that kind for an interval."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, write: Callable[[str], object] = _to_stderr
    ) -> None:
        self._clock = clock
        self._write = write
        self._kinds: dict[str, tuple[float, int]] = {}
        """Kind -> when it may be written again, and how many were left out."""

    def note(self, kind: str, text: str) -> None:
        """Write `text`, unless a notice of this kind was written within the last interval. Kinds are few and fixed."""
        now = self._clock()
        again_at, left_out = self._kinds.get(kind, (now, 0))
        if now < again_at:
            self._kinds[kind] = (again_at, left_out + 1)
            return
        more = f" ({left_out} more since the last notice)" if left_out else ""
        self._kinds[kind] = (now + INTERVAL_S, 0)
        self._write(f"emulator: {text}{more}")
