"""Find an object by its id: an unknown or deleted one is 404, one of another project 403."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from scenario_apply.emulator.messages import ApiError, Request, not_found
from scenario_apply.emulator.store import Row

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

Table = Literal["assets", "jobs", "models", "uploads"]
_SHARED = frozenset({"assets", "models"})
"""What may be public, and may be deleted and come back."""


def find(world: World, request: Request, table: Table, identifier: str, *, own: bool = False) -> Row:
    """The row of a thing the request may see; with own, may change. Raises 404 or 403."""
    row = world.db.one(f"SELECT * FROM {table} WHERE id = ?", (identifier,))  # noqa: S608 -- one of four words
    noun = table.removesuffix("s")
    if row is None or (table in _SHARED and row["deleted"] is not None):
        raise not_found(noun.capitalize(), identifier)
    if table in _SHARED and row["privacy"] == "public" and not own:
        return row
    if request.public_only or row["project"] != request.project:
        raise ApiError(403, f"This {noun} is out of the scope of your credentials", "FORBIDDEN")
    return row
