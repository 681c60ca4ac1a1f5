"""What is served beside the API: bytes of assets and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator.byte_ranges import whole_or_part
from scenario_apply.emulator.learning import picture_sha256
from scenario_apply.emulator.messages import Request, Response, not_found
from scenario_apply.emulator.store import load
from scenario_apply.emulator.weights_file import weights_file

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World


_READ_WHOLE_BYTES = 1024 * 1024


def asset_bytes(world: World, request: Request) -> Response:
    """GET /cdn/assets/{assetId}: from its file, into which a generated picture is drawn first."""
    row = world.db.one("SELECT * FROM assets WHERE id = ?", (request.params[0],))
    if row is not None and row["sha256"] is None:
        picture_sha256(world, row)
        row = world.db.one("SELECT * FROM assets WHERE id = ?", (request.params[0],))
    if row is None:
        raise not_found("Asset", request.params[0])
    path = world.blobs.path(row["sha256"])
    is_large = row["size"] > _READ_WHOLE_BYTES
    return Response(
        b"" if is_large else path.read_bytes(),
        200,
        row["mime"] if row["mime"].isascii() and row["mime"].isprintable() else "application/octet-stream",
        # what users sent is shown as a picture at most, never run
        {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"},
        path if is_large else None,
    )


def export_bytes(world: World, request: Request) -> Response:
    """GET /cdn/exports/{jobId}: the weights, whole or from a place on."""
    row = world.db.one("SELECT * FROM jobs WHERE id = ? AND type = 'model-download'", (request.params[0],))
    if row is None or "weights" not in load(row["doc"]):  # an export of an older release
        raise not_found("Export", request.params[0])
    return whole_or_part(request, weights_file(load(row["doc"])["weights"]), "application/octet-stream")
