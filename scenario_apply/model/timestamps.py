"""Points in time as text: ISO 8601, UTC, seconds; the one form in states, plans and journals."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Seconds since the epoch as 2026-08-01T12:00:00Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> float | None:
    """Seconds since the epoch; None for a text that is no such time."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):  # the latter two for a year that the platform does not know
        return None
