"""The last few thousand requests that the emulator received, newest last. Holds no bodies and no credentials."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One request. status is 0 when no answer was sent; fault names what was done to it on purpose."""

    number: int
    id: str
    at_ms: int
    method: str
    path: str
    query: str
    project: str
    status: int
    took_ms: float
    body_bytes: int
    retry: int
    fault: str | None = None


class RequestLog:
    """A bounded log with a running number."""

    def __init__(self) -> None:
        self._entries: deque[Logged] = deque(maxlen=KEPT)
        self.total = 0

    def add(self, entry: Logged) -> None:
        """Append."""
        self._entries.append(entry)

    def next_number(self) -> int:
        """Counts from 1, and does not restart when old entries are dropped."""
        self.total += 1
        return self.total

    def entries(self, after: int = 0) -> tuple[Logged, ...]:
        """Entries with a number above `after`, oldest first."""
        return tuple(entry for entry in self._entries.copy() if entry.number > after)

    def clear(self) -> None:
        """Forget the entries; the numbering continues."""
        self._entries.clear()


def as_json(entry: Logged) -> dict[str, Any]:
    """An entry for the admin API."""
    return asdict(entry)
