"""All open connections of one server: their number is bounded, and each is held to its deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from scenario_apply.emulator.http_bounds import ByteBudget, HttpBounds


class Phase(Enum):
    """What a connection waits for."""

    IDLE = "the first byte of a request"
    HEAD = "the rest of the headers"
    BODY = "the rest of the body"
    ANSWER = "the answer"


class OpenConnection(Protocol):
    """What the set of connections needs to know of each."""

    phase_since: float

    @property
    def is_expendable(self) -> bool:
        """Whether closing the connection loses no work: no request is complete, and no answer is owed."""

    def check_deadlines(self, now: float) -> None:
        """Close the connection if it has exceeded a deadline."""

    def make_way(self) -> None:
        """Close the connection now, in favour of a new one."""


class OpenConnections:
    """The connections of one server, its clock, and the bytes of request bodies in memory."""

    def __init__(self, bounds: HttpBounds, clock: Callable[[], float] = time.monotonic) -> None:
        self.bounds = bounds
        self.clock = clock
        self.bodies = ByteBudget(bounds.body_bytes_in_flight)
        self.members: set[OpenConnection] = set()

    def check_deadlines(self) -> None:
        """Hold every connection to its deadlines. The server calls this once a second."""
        now = self.clock()
        for connection in tuple(self.members):
            connection.check_deadlines(now)

    def make_room(self) -> bool:
        """Whether one more connection may be taken; the one that has been idle longest makes way for it if need be."""
        return len(self.members) < self.bounds.connections or self.free_one()

    def free_one(self) -> bool:
        """Close the connection that has been idle longest; False when none is idle.

        A connection counts as idle until the headers of a request are complete, and while it sends a refused body.
        """
        idle = [one for one in self.members if one.is_expendable]
        if not idle:
            return False
        oldest = min(idle, key=lambda one: one.phase_since)
        oldest.make_way()
        self.members.discard(oldest)
        return True
