"""How many requests a project may send per minute, and the 429 for further ones."""

from __future__ import annotations

import math
from collections import deque

from scenario_apply.emulator.messages import ApiError

_WINDOW_MS = 60_000


class Budgets:
    """A sliding window of one minute per project. A refused request does not count."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._windows: dict[str, deque[int]] = {}

    def take(self, project: str, now_ms: int) -> None:
        """Count a request, or raise the 429 that says when the window opens."""
        if not self.per_minute:
            return
        window = self._windows.setdefault(project, deque())
        while window and window[0] <= now_ms - _WINDOW_MS:
            window.popleft()
        if len(window) >= self.per_minute:
            wait_ms = max(1, window[0] + _WINDOW_MS - now_ms)
            raise rate_limited(wait_ms)
        window.append(now_ms)


def rate_limited(wait_ms: int) -> ApiError:
    """The 429 of the request rate: neither a ceiling nor a cooldown in its body."""
    return ApiError(
        429,
        "Too many requests",
        "RATE_LIMIT_EXCEEDED",
        headers={"Retry-After": str(math.ceil(wait_ms / 1000))},
    )
