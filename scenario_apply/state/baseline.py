"""What existed on the service before a run created anything, as it is kept in the journal.

Whatever is found beyond it later was made since, so no two clocks are compared. Another person's model of the same
name, made earlier, is never mistaken for one of this run.
"""

from __future__ import annotations

from msgspec import Struct

SAME_MOMENT_S = 1.0
"""Times of the service may be cut to whole seconds."""


class BaselineEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """ids: those of before that could be mistaken. newest_at: the service's own time of its newest object then."""

    ids: frozenset[str] = frozenset()
    newest_at: float | None = None

    def is_before(self, object_id: str, created_at: float | None) -> bool:
        """Whether an object certainly existed before."""
        if object_id in self.ids:
            return True
        return created_at is not None and self.newest_at is not None and created_at < self.newest_at - SAME_MOMENT_S


class Baseline(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """None: nothing of the kind is made by the run."""

    models: BaselineEntry | None = None
    assets: BaselineEntry | None = None
    jobs: BaselineEntry | None = None  # that draw samples


NO_BASELINE = Baseline()
