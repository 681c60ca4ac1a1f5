"""What a manifest or a command line allows a plan to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Gates: None where not set. changes_percent 0..100, min_score 0..1, cost in CU.

    cost: of all that a plan spends; samples_cost: of its samples alone.
    """

    cost: float | None = None
    samples_cost: float | None = None
    deletes: int | None = None
    retrains: int | None = None
    changes_percent: float | None = None
    min_score: float | None = None
