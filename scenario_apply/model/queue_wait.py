"""A training that waits for its turn on the service: since when, at which place, and whether that is too long."""

from __future__ import annotations

from scenario_apply.model.remote import Progress
from scenario_apply.model.timestamps import from_iso

QUEUED_STAGES = frozenset({"pending", "queued", "queued-for-train"})
"""Of models and of jobs. Source: the API contract, trainingStages and jobStatus."""

QUEUED_LONG_S = 3 * 3600.0
"""Seconds in the queue after which a training deserves a look: whole trainings take up to three hours.

Source: the API contract, "use".
"""

QUEUED_LONG_HINT = "check it in the web app; after it is cancelled there, apply trains again"


def queued_words(status: str, progress: Progress | None, launched_at: str | None) -> str | None:
    """'queued since 2026-08-01T12:00:00Z, place 7', as far as it is known; None of a training that has begun."""
    if not is_queued(status, progress):
        return None
    return queue_text(launched_at, place_in_queue(progress))


def is_queued(status: str, progress: Progress | None) -> bool:
    """Whether a training has not begun. status: of its model."""
    return (progress.stage if progress is not None and progress.stage else status) in QUEUED_STAGES


def place_in_queue(progress: Progress | None) -> int | None:
    """Counted from 1; None where the service does not report it."""
    position = progress.position if progress is not None else None
    return position if position is not None and position > 0 else None


def queue_text(since: str | None, place: int | None) -> str:
    """'queued since 2026-08-01T12:00:00Z, place 7', as far as it is known."""
    return f"queued{f' since {since}' if since else ''}{f', place {place}' if place else ''}"


def queued_too_long(launched_at: str | None, now: float) -> str | None:
    """What to say of a queued training that deserves a look; None of one that does not. now: seconds since the epoch"""
    since = None if launched_at is None else from_iso(launched_at)
    if since is None or now - since <= QUEUED_LONG_S:
        return None
    return f"has been queued for {(now - since) / 3600:.0f} hours, and may never start"
