"""When what runs on the service is polled next, and what the last poll said of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from scenario_apply.apply.poll_failures import PollFailures
from scenario_apply.model.remote import Progress
from scenario_apply.state.outcome import Outcome

FIRST_EVERY_S = 3.0
LAST_EVERY_S = 10.0
SLOWER_BY = 1.25
"""Polls start at the interval of the Flux guide and slow down to the ten seconds of the newer guide."""

UNCHANGED_POLLS = 5
"""So many polls of a job in a row without a change, and the next one asks its model: a job may stay as it is for ever
though its training has ended."""

Key = TypeVar("Key", bound=Hashable)


class PollResult(Struct, frozen=True, kw_only=True):
    """One training or sample in a poll. outcome None: it continues. unknown: a note about an unknown status."""

    status: str
    progress: Progress | None = None
    outcome: Outcome | None = None
    unknown: str | None = None


class PollInterval:
    """Seconds between polls: fixed, or growing slowly while nothing ends."""

    def __init__(self, fixed_s: float | None) -> None:
        self.fixed_s = fixed_s
        self.every_s = FIRST_EVERY_S if fixed_s is None else fixed_s

    def slow_down(self) -> None:
        if self.fixed_s is None:
            self.every_s = min(LAST_EVERY_S, self.every_s * SLOWER_BY)

    def speed_up(self) -> None:
        if self.fixed_s is None:
            self.every_s = FIRST_EVERY_S


def expected_polls(seconds: float, fixed_s: float | None) -> int:
    """How many polls a wait of so many seconds takes."""
    interval, passed, polls = PollInterval(fixed_s), 0.0, 0
    while passed < seconds and polls < 10_000:
        passed += max(interval.every_s, 0.01)
        polls += 1
        interval.slow_down()
    return max(1, polls)


class PollRounds(Generic[Key]):
    """When the trainings, or the samples, of a run are polled next, and the results of the last poll. Used by one
    thread.

    interval_s None: an interval that grows while nothing ends.
    """

    def __init__(self, interval_s: float | None) -> None:
        self.results: dict[Key, PollResult] = {}  # of the last poll
        self.is_polling = False
        self.next_at: float | None = None  # in the clock's seconds; None while nothing is waited for
        self._interval = PollInterval(interval_s)
        self._failures = PollFailures()
        self._unchanged = 0  # polls in a row that said the same
        self._noted: set[str] = set()

    @property
    def is_stuck(self) -> bool:
        """Whether the last polls said the same: what seems to be stuck is asked for in another way."""
        return self._unchanged >= UNCHANGED_POLLS

    def begin_waiting(self, now: float) -> None:
        """One more is waited for."""
        if self.next_at is None:
            self.next_at = now + self._interval.every_s
        self._interval.speed_up()

    def is_due(self, now: float) -> bool:
        return not self.is_polling and (self.next_at is None or now >= self.next_at)

    def polled(self, results: Mapping[Key, PollResult], now: float) -> None:
        """A poll was answered."""
        self.is_polling = False
        is_same = bool(results) and all(self.results.get(key) == one for key, one in results.items())
        self._unchanged = self._unchanged + 1 if is_same else 0
        self._failures.passed()
        self.results.update(results)
        self.next_at = now + self._interval.every_s
        if any(one.outcome is not None for one in results.values()):
            self._interval.speed_up()
        else:
            self._interval.slow_down()

    def failed(self, error: BaseException, now: float) -> bool:
        """A poll failed; whether that ends the run."""
        self.is_polling = False
        self.next_at = now + self._interval.every_s
        return self._failures.is_enough(error)

    def new_notes(self) -> list[tuple[Key, str]]:
        """What the last poll says of statuses that are not known, once each."""
        notes = [(key, one.unknown) for key, one in self.results.items() if one.unknown is not None]
        new = [(key, text) for key, text in notes if text not in self._noted]
        self._noted.update(text for _, text in new)
        return new

    def nothing_left(self) -> None:
        """Nothing is waited for any more."""
        self.next_at = None
