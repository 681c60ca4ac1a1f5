"""The emulator's time, in milliseconds since 1970: the machine's, or one that moves only on request."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

MANUAL_START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z: a manual clock starts the same everywhere


class Clock(Protocol):
    """A source of the current time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""


class RealClock:
    """The machine's clock, plus what it was advanced by."""

    def __init__(self, ahead_ms: int = 0) -> None:
        self.ahead_ms = ahead_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def advance(self, seconds: float) -> None:
        """Move ahead of the machine's clock."""
        self.ahead_ms += round(seconds * 1000)


class ManualClock:
    """A clock that stands still between two calls of advance."""

    def __init__(self, now_ms: int = MANUAL_START_MS) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self._now_ms

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._now_ms += round(seconds * 1000)


def iso(ms: int) -> str:
    """`2026-01-01T00:00:00.000Z`, the form of every date of the API but those of trainingProgress."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def parse_iso(text: str) -> int | None:
    """Milliseconds of an ISO 8601 date; None when it is none. A date without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return round(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return None
