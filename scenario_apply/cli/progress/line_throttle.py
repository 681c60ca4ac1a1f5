"""When a running training gets a line in logs, in apply and in status --watch."""

from __future__ import annotations

from scenario_apply.model.address import Address
from scenario_apply.model.remote import Progress
from scenario_apply.review.training_words import progress_words

MOVES_EVERY_S = 60.0


class LineThrottle:
    """A new phase at once; a new share, place or time left at most once a minute; nothing while nothing changes.

    Only changes of the printed words count: half a percent is none.
    """

    def __init__(self) -> None:
        self._told: dict[Address, tuple[tuple[str, ...], float]] = {}

    def has_told(self, address: Address) -> bool:
        """True if a line was printed for it."""
        return address in self._told

    def is_due(self, address: Address, status: str, progress: Progress | None, now: float) -> bool:
        """True if a line is due; the caller must then print it. now: monotonic seconds."""
        words = progress_words(status, progress)
        if address in self._told:
            told, at = self._told[address]
            if words == told or (words[0] == told[0] and now - at < MOVES_EVERY_S):
                return False
        self._told[address] = (words, now)
        return True
