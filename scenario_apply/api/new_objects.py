"""What this process created a moment ago: a 404 about it came too early, and does not read as deleted."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from scenario_apply.api.exchange import Request
from scenario_apply.model.ports import Clock

SHOWN_WITHIN_S = 60.0
"""How long after its creation an object may still be unknown to a part of the service."""

MOST_EARLY_READS = 5
"""Tries of a call about a new object while it is answered 404."""


class NewObjects:
    """Ids of new objects. For any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._created_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def created(self, object_id: str) -> None:
        with self._lock:
            self._created_at[object_id] = self._clock.monotonic()

    def deleted(self, object_id: str) -> None:
        with self._lock:
            self._created_at.pop(object_id, None)

    def among(self, ids: Iterable[str]) -> list[str]:
        """Those of these ids that are new."""
        now = self._clock.monotonic()
        with self._lock:
            return [i for i in ids if i in self._created_at and now - self._created_at[i] <= SHOWN_WITHIN_S]

    def is_early(self, request: Request, status: int, attempt: int) -> bool:
        """Whether a call that was refused with this status is worth another try: it is about a new object."""
        if status != 404 or attempt >= MOST_EARLY_READS or request.method == "DELETE":
            return False
        return bool(self.among((*request.path.split("/"), *request.about)))
