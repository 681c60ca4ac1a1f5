"""Training images and pairs: attach by data, by id, ten at a time; swap; detach; replace the pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenario_apply.emulator.assets import MAX_UPLOAD_BYTES, decode_base64, find_asset, keep_picture, unhandled
from scenario_apply.emulator.families import FAMILY_OF
from scenario_apply.emulator.limits import check_images
from scenario_apply.emulator.messages import ApiError, Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.model_view import training_image, training_image_row
from scenario_apply.emulator.models import find_model, save_model
from scenario_apply.emulator.request_bodies import read_array, read_object
from scenario_apply.emulator.store import Row, dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

ATTACHED = "The provided assetId is already a training image of this model"


def refuse_list(world: World, request: Request) -> Response:
    """GET /models/{modelId}/training-images: for users of the web app only. A model's own record has its images."""
    raise ApiError(403, "API Keys cannot access protected resources", "FORBIDDEN")


def add(world: World, request: Request) -> Response:
    """POST /models/{modelId}/training-images: one picture, or up to ten ids; all of them or none."""
    row = _trainable(world, request)
    body = read_object(request)
    present = world.db.number("SELECT count(*) FROM training_images WHERE model = ?", (row["id"],))
    ids = _given_ids(body)
    check_images(world, present, max(1, len(ids)))
    if ids:
        _check_ids(world, request, row["id"], ids)
    else:
        ids = [_keep_data(world, request, body)]
    now = world.now_ms()
    world.db.run_many(
        "INSERT INTO training_images (model, asset, created) VALUES (?, ?, ?)", [(row["id"], one, now) for one in ids]
    )
    _touch(world, row)
    images = _shown(world, request, row["id"], ids)
    answer: Json = {"trainingImage": images[0]}
    if "assetIds" in body:
        answer["trainingImages"] = images
    return Response(dump(answer))


def replace(world: World, request: Request) -> Response:
    """PUT /models/{modelId}/training-images/{trainingImageId}: another picture in the same place."""
    row = _trainable(world, request)
    old = _attached(world, row["id"], request.params[1])
    body = read_object(request)
    if "assetIds" in body:
        raise bad_request("body.assetIds: one image is replaced by one")
    ids = _given_ids(body)
    if ids:
        if ids[0] != old["id"]:
            _check_ids(world, request, row["id"], ids)
        new = ids[0]
    else:
        new = _keep_data(world, request, body)
    world.db.run(
        "UPDATE training_images SET asset = ?, created = ? WHERE model = ? AND asset = ?",
        (new, world.now_ms(), row["id"], old["id"]),
    )
    doc = load(row["doc"])
    for pair in doc.get("pairs", []):
        for side in ("sourceId", "targetId"):
            if pair.get(side) == old["id"]:
                pair[side] = new
    save_model(world, row, doc)
    return Response(dump({"trainingImage": _shown(world, request, row["id"], [new])[0]}))


def delete(world: World, request: Request) -> Response:
    """DELETE /models/{modelId}/training-images/{trainingImageId}: detach; the asset stays."""
    row = _trainable(world, request)
    old = _attached(world, row["id"], request.params[1])
    world.db.run("DELETE FROM training_images WHERE model = ? AND asset = ?", (row["id"], old["id"]))
    doc = load(row["doc"])
    if doc.get("pairs"):
        doc["pairs"] = [pair for pair in doc["pairs"] if old["id"] not in (pair.get("sourceId"), pair.get("targetId"))]
    save_model(world, row, doc)
    return Response(b"{}")


def replace_pairs(world: World, request: Request) -> Response:
    """PUT /models/{modelId}/training-images/pairs: replaces the whole list."""
    row = _trainable(world, request)
    pairs = read_array(request)
    present = {
        found["asset"] for found in world.db.all("SELECT asset FROM training_images WHERE model = ?", (row["id"],))
    }
    for index, pair in enumerate(pairs):
        for side in ("sourceId", "targetId"):
            if side in pair and pair[side] not in present:
                raise bad_request(f"body[{index}].{side}: {pair[side][:80]} is not a training image of this model")
    kept = [{key: pair[key] for key in ("instruction", "sourceId", "targetId") if key in pair} for pair in pairs]
    doc = load(row["doc"])
    doc["pairs"] = kept
    save_model(world, row, doc)
    return Response(dump({"count": len(kept), "pairs": kept}))


def complete_pairs(doc: Json) -> int:
    """How many pairs have both sides and an instruction."""
    return sum(
        1 for pair in doc.get("pairs", []) if pair.get("sourceId") and pair.get("targetId") and pair.get("instruction")
    )


def _trainable(world: World, request: Request) -> Row:
    row = find_model(world, request, request.params[0], own=True)
    if row["privacy"] != "private":
        raise ApiError(403, "This model is out of the scope of your credentials", "FORBIDDEN")
    if row["status"] in ("training", "copying"):
        raise bad_request("Model is already training", "MODEL_TRAINING")
    family = FAMILY_OF.get(row["type"])
    if family is None or family.dataset == "concepts":
        raise bad_request(f"A model of type {row['type']} has no training images")
    return row


def _given_ids(body: Json) -> list[str]:
    if "assetIds" in body:
        if "assetId" in body or "data" in body:
            raise bad_request("body.assetIds: cannot be given together with assetId or data")
        ids: list[str] = body["assetIds"]
        return ids
    return [body["assetId"]] if "assetId" in body else []


def _check_ids(world: World, request: Request, model: str, ids: list[str]) -> None:
    if len(set(ids)) != len(ids):
        raise bad_request(ATTACHED, "ALREADY_ATTACHED", detail="an id is given twice")
    for identifier in ids:
        asset = find_asset(world, request, identifier)
        if asset["kind"] != "image":
            raise bad_request(f"Asset {identifier[:80]} is not an image")
        if training_image_row(world, model, identifier) is not None:
            raise bad_request(ATTACHED, "ALREADY_ATTACHED", assetId=identifier)


def _keep_data(world: World, request: Request, body: Json) -> str:
    if "data" not in body:
        raise bad_request("body: needs data and name, assetId, or assetIds")
    if "name" not in body:
        raise bad_request("body.name: is required with data")
    head, comma, _ = body["data"][:200].partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise unhandled("data must be a data URL such as data:image/png;base64,...")
    data = decode_base64(body["data"][len(head) + 1 :])
    if len(data) >= MAX_UPLOAD_BYTES:
        raise unhandled(f"a picture sent this way must be smaller than {MAX_UPLOAD_BYTES} bytes")
    return keep_picture(world, request.project, body["name"], data)


def _attached(world: World, model: str, image: str) -> Row:
    row = training_image_row(world, model, image)
    if row is None:
        raise not_found("Training image", image)
    return row


def _shown(world: World, request: Request, model: str, ids: list[str]) -> list[Any]:
    return [training_image(world, request.origin, _attached(world, model, one)) for one in ids]


def _touch(world: World, row: Row) -> None:
    world.db.run("UPDATE models SET updated = ? WHERE seq = ?", (world.now_ms(), row["seq"]))
