"""Further operations on a model: delete, tags, description, copy, export, generated pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scenario_apply.emulator import agenda, query
from scenario_apply.emulator.asset_view import asset_view
from scenario_apply.emulator.assets import find_asset
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.limits import check_export, require_model_plan
from scenario_apply.emulator.messages import Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.models import answer_model, find_model, insert_model, save_model
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import Row, dump, load
from scenario_apply.emulator.training import OWN_ONLY, find_own_trained, interrupt
from scenario_apply.emulator.webhooks import announce
from scenario_apply.emulator.weights_file import weights_of

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

COPY_MS = 1000
_DESCRIBED = (
    "id",
    "authorId",
    "kind",
    "mimeType",
    "ownerId",
    "privacy",
    "properties",
    "source",
    "url",
)


def delete_model(world: World, request: Request) -> Response:
    """DELETE /models/{modelId}: soft; a training that runs is stopped."""
    row = find_model(world, request, request.params[0], own=True)
    if row["status"] == "training":
        interrupt(world, row)
        row = find_model(world, request, request.params[0], own=True)
    world.db.run("UPDATE models SET deleted = ? WHERE seq = ?", (world.now_ms(), row["seq"]))
    return Response(b"{}")


def update_model_tags(world: World, request: Request) -> Response:
    """PUT /models/{modelId}/tags"""
    row = find_model(world, request, request.params[0], own=True)
    doc = load(row["doc"])
    answer = _change_tags(request, doc)
    save_model(world, row, doc)
    return answer


def update_asset_tags(world: World, request: Request) -> Response:
    """PUT /assets/{assetId}/tags"""
    row = find_asset(world, request, request.params[0], own=True)
    doc = load(row["doc"])
    answer = _change_tags(request, doc)
    world.db.run("UPDATE assets SET doc = ?, updated = ? WHERE seq = ?", (dump(doc), world.now_ms(), row["seq"]))
    return answer


def get_description(world: World, request: Request) -> Response:
    """GET /models/{modelId}/description"""
    row = find_model(world, request, request.params[0])
    return _description(world, request, load(row["doc"]).get("description") or "")


def put_description(world: World, request: Request) -> Response:
    """PUT /models/{modelId}/description: null clears it."""
    row = find_model(world, request, request.params[0], own=True)
    body = read_object(request)
    doc = load(row["doc"])
    doc["description"] = body["description"]
    save_model(world, row, doc)
    return _description(world, request, body["description"] or "")


def copy(world: World, request: Request) -> Response:
    """POST /models/{modelId}/copy: the shell at once, in status copying until a moment later."""
    row = find_model(world, request, request.params[0])
    if row["privacy"] != "private":
        raise bad_request(OWN_ONLY)
    body = read_object(request)
    if row["status"] in ("training", "copying"):
        raise bad_request("Model is already training", "MODEL_TRAINING")
    as_trained = bool(body.get("copyAsTrained")) and row["status"] == "trained"
    source = load(row["doc"])
    keys = ["collectionIds", "concepts", "pairs", "parameters", "shortDescription", "tags", "thumbnail", "classSlug"]
    if as_trained:
        keys += ["epoch", "epochs", "learned", "stats"]
    if body.get("copyExamples", True):
        keys.append("exampleAssetIds")
    doc: Json = {key: source[key] for key in keys if key in source}
    doc |= {"parentModelId": row["id"], "becomes": "trained" if as_trained else "new"}
    name = None if row["name"] is None else f"{row['name'][:57]} (copy)"
    made = insert_model(world, request.project, row["type"], "copying", name, doc)
    world.db.run(
        "INSERT INTO training_images (model, asset, created) SELECT ?, asset, created FROM training_images"
        " WHERE model = ? ORDER BY seq",
        (made, row["id"]),
    )
    agenda.plan(world, world.now_ms() + COPY_MS, "copy-end", made)
    return answer_model(world, request, made)


@agenda.effect("copy-end")
def finish_copy(world: World, model: str, at: int) -> None:
    """A copy is there."""
    row = world.db.one("SELECT * FROM models WHERE id = ?", (model,))
    if row is not None:
        doc = load(row["doc"])
        save_model(world, row, doc, status=doc.pop("becomes"), updated=at)


def download(world: World, request: Request) -> Response:
    """POST /models/{modelId}/download: a job that ends with an address."""
    dry_run = query.is_dry_run(request)
    row = find_own_trained(world, request)
    require_model_plan(world, row)
    body = read_object(request)
    epochs = [one["epoch"] for one in load(row["doc"]).get("epochs", [])]
    if "modelEpoch" in body and body["modelEpoch"] not in epochs:
        raise bad_request(f"body.modelEpoch: {_epochs_are(epochs)}")
    if dry_run:
        return Response(dump({"creativeUnitsCost": 0, "creativeUnitsDiscount": 0, "costDetails": {}}), 269)
    check_export(world)
    now, job = world.now_ms(), new_id("job_")
    ends = now + round(world.options.export_s * 1000)
    doc = {
        "input": {"modelId": row["id"], **body},
        "cost": 0,
        "weights": weights_of(row, body.get("modelEpoch")),
    }
    world.db.run(
        "INSERT INTO jobs (id, project, type, model, created, queued_until, ends, outcome, doc)"
        " VALUES (?, ?, 'model-download', ?, ?, ?, ?, 'success', ?)",
        (job, row["project"], row["id"], now, now, ends, dump(doc)),
    )
    agenda.plan(world, ends, "download-end", job)
    announce(world, row["project"], "model.download.created", job)
    return Response(dump({"jobId": job}))


def _epochs_are(epochs: list[str]) -> str:
    return f"must be one of {', '.join(epochs)}" if epochs else "the model has no epochs"


@agenda.effect("download-end")
def finish_download(world: World, job: str, at: int) -> None:
    """An export is ready, or failed."""
    world.db.run("UPDATE jobs SET ended = ? WHERE id = ?", (at, job))
    row = world.db.one("SELECT project, outcome FROM jobs WHERE id = ?", (job,))
    if row is not None:
        how = "completed" if row["outcome"] == "success" else "failed"
        announce(world, row["project"], f"model.download.{how}", job)


def delete_images(world: World, request: Request) -> Response:
    """DELETE /models/{modelId}/images?ids=a,b: generated pictures, not training images."""
    row = find_model(world, request, request.params[0], own=True)
    ids = query.words(request, "ids")
    if not ids:
        raise bad_request("ids: is required")
    for identifier in ids:
        asset = find_asset(world, request, identifier, own=True)
        if asset["model"] != row["id"]:
            raise not_found("Image", identifier)
        world.db.run("UPDATE assets SET deleted = ? WHERE seq = ?", (world.now_ms(), asset["seq"]))
    return Response(b"{}")


def _change_tags(request: Request, doc: Json) -> Response:
    body = read_object(request)
    tags: list[str] = doc.get("tags", [])
    add = list(dict.fromkeys(body.get("add", [])))
    drop = list(dict.fromkeys(body.get("delete", [])))
    if body.get("strict"):
        known = next((tag for tag in add if tag in tags), None)
        unknown = next((tag for tag in drop if tag not in tags), None)
        if known is not None:
            raise bad_request(f"body.add: tag {known[:80]!r} is already there")
        if unknown is not None:
            raise bad_request(f"body.delete: there is no tag {unknown[:80]!r}")
    added = [tag for tag in add if tag not in tags]
    deleted = [tag for tag in drop if tag in tags]
    doc["tags"] = [tag for tag in tags if tag not in deleted] + [tag for tag in added if tag not in deleted]
    return Response(dump({"added": added, "deleted": deleted}))


def _description(world: World, request: Request, text: str) -> Response:
    assets: list[Json] = []
    models: list[Json] = []
    for identifier in dict.fromkeys(re.findall(r"(?:asset|model)_\w{6,64}", text)):
        if identifier.startswith("asset_"):
            row = _seen(world, request, "assets", identifier)
            if row is not None:
                view = asset_view(world, request, row)
                assets.append({key: view[key] for key in _DESCRIBED})
        elif (row := _seen(world, request, "models", identifier)) is not None:
            models.append({"id": row["id"], "privacy": row["privacy"], "type": row["type"]})
            if row["name"] is not None:
                models[-1]["name"] = row["name"]
    return Response(dump({"description": {"value": text, "assets": assets, "models": models}}))


def _seen(world: World, request: Request, table: str, identifier: str) -> Row | None:
    return world.db.one(
        f"SELECT * FROM {table} WHERE id = ? AND deleted IS NULL AND (project = ? OR privacy = 'public')",  # noqa: S608 -- only ? and our own words
        (identifier, request.project),  # the table is one of two words of this module
    )
