"""An asset as the API shows it."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from scenario_apply.emulator.cdn import asset_url
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.messages import Json, Request
from scenario_apply.emulator.store import Row, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_SOURCES = {"inference-txt2img": "inference-txt", "inference-img2img": "inference-img"}
_EDITABLE = ["GENERATIVE_FILL", "REMOVE_BACKGROUND", "UPSCALE"]


def asset_view(world: World, request: Request, row: Row) -> Json:
    """The full view of one asset."""
    doc = load(row["doc"])
    url = asset_url(world, request.origin, row["id"])
    width, height = row["width"], row["height"]
    properties: Json = {"size": row["size"]}
    metadata: Json = {"kind": row["kind"], "type": row["type"], "name": row["name"], "size": row["size"]}
    if width is not None and height is not None:
        part = gcd(width, height) or 1
        properties |= {"width": width, "height": height, "format": row["mime"].removeprefix("image/")}
        metadata |= {"width": width, "height": height, "aspectRatio": f"{width // part}:{height // part}"}
    for key, source in (
        ("originalAssetId", "copiedFrom"),
        ("copiedAt", "copiedAt"),
        ("sourceProjectId", "sourceProjectId"),
    ):
        if source in doc:
            metadata[key] = doc[source]
    for key in ("modelId", "baseModelId", "parentJobId", "outputIndex", "prompt", "seed"):
        if key in doc:
            metadata[key] = doc[key]
    if row["parent"]:
        metadata["parentId"] = row["parent"]
    view: Json = {
        "id": row["id"],
        "authorId": "api_emulator",
        "automaticCaptioning": row["caption"],
        "collectionIds": doc.get("collectionIds", []),
        "createdAt": iso(row["created"]),
        "description": row["description"],
        "editCapabilities": _EDITABLE if row["kind"] == "image" else [],
        "kind": row["kind"],
        "metadata": metadata,
        "mimeType": row["mime"],
        "ownerId": row["project"],
        "privacy": row["privacy"],
        "properties": properties,
        "source": _SOURCES.get(row["type"], row["type"]),
        "status": "success",
        "tags": doc.get("tags", []),
        "updatedAt": iso(row["updated"]),
        "url": url,
    }
    if doc.get("hide"):
        view["isHidden"] = True
    if row["deleted"] is not None:
        view["deletedAt"] = iso(row["deleted"])
    if request.query.get("originalAssets") == "true":
        view["originalFileUrl"] = url
    return view
