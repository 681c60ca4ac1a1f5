"""Deleting a model, which cancels its training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator.messages import Request, Response
from scenario_apply.emulator.models import find_model
from scenario_apply.emulator.training import interrupt

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World


def delete_model(world: World, request: Request) -> Response:
    """DELETE /models/{modelId}: soft; a training that runs is stopped."""
    row = find_model(world, request, request.params[0], own=True)
    if row["status"] == "training":
        interrupt(world, row)
        row = find_model(world, request, request.params[0], own=True)
    world.db.run("UPDATE models SET deleted = ? WHERE seq = ?", (world.now_ms(), row["seq"]))
    return Response(b"{}")
