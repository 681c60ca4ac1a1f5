"""Permission to send one request, and when that happened."""

from __future__ import annotations

from msgspec import Struct


class Slot(Struct, kw_only=True, eq=False):
    """Permission to send one request. Monotonic seconds: when it was given, when the request was sent and answered."""

    taken_at: float
    left_at: float | None = None
    answered_at: float | None = None

    @property
    def sent_at(self) -> float:
        """When the request was sent, or else when it was allowed to be."""
        return self.taken_at if self.left_at is None else self.left_at
