"""What is served beside the API: bytes of assets and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator.messages import Request, Response, not_found
from scenario_apply.emulator.results import SAMPLE_SIDE
from scenario_apply.emulator.store import load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World


_READ_WHOLE_BYTES = 1024 * 1024


def asset_bytes(world: World, request: Request) -> Response:
    """GET /cdn/assets/{assetId}: a sample is drawn, all else comes from its file."""
    row = world.db.one("SELECT * FROM assets WHERE id = ?", (request.params[0],))
    if row is None:
        raise not_found("Asset", request.params[0])
    if row["sha256"] is None:
        from scenario_apply.emulator.samples import draw_sample

        doc = load(row["doc"])
        seed, title = "/".join(map(str, doc.get("sample", []))), str(doc.get("title", ""))
        side = SAMPLE_SIDE
        return Response(draw_sample(seed, title, row["width"] or side, row["height"] or side), 200, "image/png")
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
    """GET /cdn/exports/{jobId}: a valid, empty safetensors file that says it is simulated."""
    row = world.db.one("SELECT * FROM jobs WHERE id = ? AND type = 'model-download'", (request.params[0],))
    if row is None:
        raise not_found("Export", request.params[0])
    header = b'{"__metadata__":{"simulated":"true","by":"scenario-apply emulator"}}'
    return Response(len(header).to_bytes(8, "little") + header, 200, "application/octet-stream")
