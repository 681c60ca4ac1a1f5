"""Real time: the Clock of every real run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenario_apply.model.ports import WakeUp


class SystemClock:
    """Clock on the machine's own time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never decrease, from an unspecified start."""
        return time.monotonic()

    def wait(self, seconds: float, wake: WakeUp | None = None) -> bool:
        """Sleep, at most seconds; True when wake was set before they were over."""
        if wake is not None:
            return wake.wait(max(seconds, 0.0))
        if seconds > 0:
            time.sleep(seconds)
        return False
