"""How long samples are asked for again while jobs of others fill the account's ceiling. Pure."""

from __future__ import annotations

ASK_EVERY_S = 5.0
LONGEST_CROWDED_S = 60.0
"""Pictures take seconds: a ceiling that others fill for longer is theirs, and the samples are left to the next run."""


class Crowded:
    """since: of the first refusal, by the clock; None while samples get through."""

    def __init__(self) -> None:
        self.since: float | None = None

    def has_patience(self, now: float) -> bool:
        return self.since is None or now - self.since < LONGEST_CROWDED_S

    def next_at(self, now: float) -> float:
        """A sample was refused: when it is asked for again."""
        self.since = now if self.since is None else self.since
        return now + ASK_EVERY_S

    def passed(self) -> None:
        """A sample got through."""
        self.since = None
