"""Scheduled events: the end of a training, a finished copy, an export that is ready, an imported upload.

An entry is written in the transaction that causes it and carried out, in order, before the first request after its
time. Each effect is dated with the entry's own time, so it does not matter when it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scenario_apply.emulator.world import NEVER_MS

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

Effect = Callable[["World", str, int], None]
"""Given the world, the id of the thing and the time it happened."""

_EFFECTS: dict[str, Effect] = {}


def effect(kind: str) -> Callable[[Effect], Effect]:
    """Register what a kind of entry does."""

    def register(function: Effect) -> Effect:
        _EFFECTS[kind] = function
        return function

    return register


def plan(world: World, at_ms: int, kind: str, ref: str) -> None:
    """Write an entry; call it inside the transaction that causes it."""
    world.db.run("INSERT INTO agenda (at, kind, ref) VALUES (?, ?, ?)", (at_ms, kind, ref))
    world.next_due_ms = min(world.next_due_ms, at_ms)
    world.wake()


def cancel(world: World, kind: str, ref: str) -> None:
    """Remove an entry."""
    world.db.run("DELETE FROM agenda WHERE kind = ? AND ref = ?", (kind, ref))


def settle(world: World) -> None:
    """Carry out everything that is due."""
    now = world.now_ms()
    if now < world.next_due_ms:
        return
    with world.db.transaction():
        while (
            row := world.db.one("SELECT seq, at, kind, ref FROM agenda WHERE at <= ? ORDER BY at, seq LIMIT 1", (now,))
        ) is not None:
            world.db.run("DELETE FROM agenda WHERE seq = ?", (row["seq"],))
            _EFFECTS[row["kind"]](world, row["ref"], row["at"])
        first = world.db.one("SELECT min(at) AS at FROM agenda")
    world.next_due_ms = NEVER_MS if first is None or first["at"] is None else first["at"]
