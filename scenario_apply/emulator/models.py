"""Models: create, read, read many, update, restore. Lists are in `model_list`, deleting is in `model_extras`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scenario_apply.emulator.base_models import BASES, form_of
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.families import (
    CONCEPT_TYPES,
    FAMILY_OF,
    LEGACY_TYPES,
    MODEL_TYPES,
    RETIRED_TYPES,
)
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.limits import require_restoring_plan
from scenario_apply.emulator.lookup import find
from scenario_apply.emulator.messages import ApiError, Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.model_view import model_views, one_model
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import Row, dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

RESTORE_DAYS = 30


def find_model(world: World, request: Request, identifier: str, *, own: bool = False) -> Row:
    """The row of a model the request may see; with own, may change. Raises 404 or 403."""
    return find(world, request, "models", identifier, own=own)


def save_model(world: World, row: Row, doc: Json, **columns: Any) -> None:
    """Write a model's doc and some of its columns; `updated` is now unless given."""
    columns = {"updated": world.now_ms(), **columns, "doc": dump(doc)}
    assignments = ", ".join(f"{column} = ?" for column in columns)
    world.db.run(f"UPDATE models SET {assignments} WHERE seq = ?", (*columns.values(), row["seq"]))  # noqa: S608 -- only ? and our own words


def insert_model(world: World, project: str, kind: str, status: str, name: str | None, doc: Json, **more: Any) -> str:
    """A new row; its id."""
    identifier = str(more.get("id") or new_id("model_"))
    now = world.now_ms()
    world.db.run(
        "INSERT INTO models (id, project, privacy, type, status, name, created, updated, doc)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (identifier, project, more.get("privacy", "private"), kind, status, name, now, now, dump(doc)),
    )
    return identifier


def answer_model(world: World, request: Request, identifier: str) -> Response:
    """`{"model": ...}` as it is now."""
    row = world.db.one("SELECT * FROM models WHERE id = ?", (identifier,))
    assert row is not None
    return Response(dump({"model": one_model(world, request.origin, row)}))


def create(world: World, request: Request) -> Response:
    """POST /models"""
    body = read_object(request, open_enum="type")
    kind = body.get("type", "flux.1-lora")
    _check_type(world, kind)
    doc: Json = {key: body[key] for key in ("collectionIds", "shortDescription") if key in body}
    if body.get("classSlug"):
        doc["classSlug"] = body["classSlug"]
    if "concepts" in body:
        check_concepts(world, request, kind, body["concepts"])
        doc["concepts"] = body["concepts"]
    _check_has_concepts(kind, doc)
    return answer_model(world, request, insert_model(world, request.project, kind, "new", body.get("name"), doc))


def retrieve(world: World, request: Request) -> Response:
    """GET /models/{modelId}"""
    row = find_model(world, request, request.params[0])
    form = form_of(BASES[row["id"]]) if row["id"] in BASES else {}
    return Response(dump({"model": one_model(world, request.origin, row) | form}))


def get_bulk(world: World, request: Request) -> Response:
    """POST /models/get-bulk: models that are not visible to the project are left out."""
    body = read_object(request)
    ids: list[str] = list(dict.fromkeys(body.get("modelIds", [])))
    rows: dict[str, Row] = {}
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        marks = ",".join("?" * len(some))
        for row in world.db.all(
            f"SELECT * FROM models WHERE id IN ({marks}) AND deleted IS NULL AND (project = ? OR privacy = 'public')",  # noqa: S608 -- only ? and our own words
            (*some, request.project),
        ):
            rows[row["id"]] = row
    found = [rows[identifier] for identifier in ids if identifier in rows]
    if body.get("minimal"):
        views = [{"id": row["id"], "type": row["type"], "privacy": row["privacy"]} for row in found]
        return Response(dump({"models": views}))
    all_images = bool(body.get("allTrainingImages"))
    images = all_images or body.get("trainingImagesPreview", True)
    views = []
    for start in range(0, len(found), 500):
        views += model_views(world, request.origin, found[start : start + 500], all_images=all_images, images=images)
    if body.get("thumbnail") is False:
        for view in views:
            view.pop("thumbnail", None)
    return Response(dump({"models": views}))


def update(world: World, request: Request) -> Response:
    """PUT /models/{modelId}: absent means unchanged, null unsets epoch, thumbnail and classSlug."""
    row = find_model(world, request, request.params[0], own=True)
    body = read_object(request, open_enum="type")
    doc = load(row["doc"])
    columns: dict[str, Any] = {}
    if "type" in body and body["type"] != row["type"]:
        if row["status"] != "new":
            raise bad_request("body.type: can only change while the model is new")
        _check_type(world, body["type"])
        columns["type"] = body["type"]
    if "name" in body:
        columns["name"] = body["name"]
    kind = columns.get("type", row["type"])
    if "concepts" in body and body["concepts"] != doc.get("concepts"):
        if row["status"] in ("training", "copying"):
            raise bad_request("Model is already training", "MODEL_TRAINING")
        check_concepts(world, request, kind, body["concepts"])
        doc["concepts"] = body["concepts"]
        columns["status"] = "new"
    if "type" in columns:
        _check_has_concepts(kind, doc)
    if "epoch" in body:
        _set_epoch(row, doc, body["epoch"])
    if body.get("thumbnail") is not None and not _asset_exists(world, request, body["thumbnail"]):
        raise bad_request(f"body.thumbnail: there is no asset {body['thumbnail'][:80]}")
    for key in (
        "shortDescription",
        "promptEmbedding",
        "negativePromptEmbedding",
        "thumbnail",
        "classSlug",
        "parameters",
    ):
        if key in body and body[key] is None:
            doc.pop(key, None)
        elif key in body:
            doc[key] = body[key]
    save_model(world, row, doc, **columns)
    return answer_model(world, request, row["id"])


def restore(world: World, request: Request) -> Response:
    """POST /models/{modelId}/restore: within 30 days; tags and collections are gone."""
    identifier = request.params[0]
    row = world.db.one("SELECT * FROM models WHERE id = ? AND project = ?", (identifier, request.project))
    if row is None:
        raise not_found("Model", identifier)
    require_restoring_plan(world)
    if row["deleted"] is None:
        raise bad_request("Model is not deleted", "NOT_DELETED")
    if world.now_ms() - row["deleted"] > RESTORE_DAYS * 86_400_000:
        raise ApiError(410, f"Model was deleted on {iso(row['deleted'])} and can no longer be restored", "GONE")
    doc = load(row["doc"])
    doc.pop("tags", None)
    doc.pop("collectionIds", None)
    save_model(world, row, doc, deleted=None)
    return answer_model(world, request, identifier)


def check_concepts(world: World, request: Request, kind: str, concepts: list[Json], *, trained: bool = False) -> None:
    """Raise 400 unless every concept is a model that such a composition may hold."""
    if kind not in CONCEPT_TYPES:
        raise bad_request(f"body.concepts: a model of type {kind} has none")
    misfits: list[str] = []
    for index, concept in enumerate(concepts):
        place = f"concepts[{index}].modelId"
        row = world.db.one("SELECT * FROM models WHERE id = ? AND deleted IS NULL", (concept["modelId"],))
        if row is None or (row["privacy"] != "public" and row["project"] != request.project):
            raise bad_request(f"{place}: there is no model {concept['modelId'][:80]}")
        if row["type"] not in CONCEPT_TYPES[kind]:
            misfits.append(row["id"])
            continue
        if trained and row["status"] != "trained":
            raise bad_request(f"{place}: model {concept['modelId'][:80]} is not trained but {row['status']}")
        epochs = [one["epoch"] for one in load(row["doc"]).get("epochs", [])]
        if "modelEpoch" in concept and concept["modelEpoch"] not in epochs:
            raise bad_request(f"concepts[{index}].modelEpoch: the model has no epoch {concept['modelEpoch'][:20]}")
    refuse_types(misfits, CONCEPT_TYPES[kind])


def refuse_types(models: list[str], allowed: Iterable[str]) -> None:
    """The service's own 400 for models of a type that does not fit; nothing for an empty list."""
    if models:
        raise bad_request(f"Invalid model(s): {', '.join(models)}.\nAllowed model types: {', '.join(allowed)}")


def _check_has_concepts(kind: str, doc: Json) -> None:
    if kind in CONCEPT_TYPES and not doc.get("concepts"):
        raise bad_request(f"body.concepts: a {kind} needs at least one", "NOT_ENOUGH_CONCEPTS")


def _check_type(world: World, kind: str) -> None:
    if kind in RETIRED_TYPES and not (world.options.legacy and kind in LEGACY_TYPES):
        raise ApiError(410, "Creating SD 1.5 and SDXL models is no longer available.", "GONE")
    if kind not in MODEL_TYPES:
        raise bad_request(f"body.type: unknown type {kind[:60]!r}; trainable are {', '.join(sorted(FAMILY_OF))}")


def _set_epoch(row: Row, doc: Json, epoch: str | None) -> None:
    known = [one["epoch"] for one in doc.get("epochs", [])]
    if epoch is None:
        doc.pop("epoch", None)
    elif row["status"] != "trained" or not known:
        raise bad_request("body.epoch: only a trained model with epochs has one")
    elif epoch not in known:
        raise bad_request(f"body.epoch: must be one of {', '.join(known)}")
    else:
        doc["epoch"] = epoch


def _asset_exists(world: World, request: Request, asset: str) -> bool:
    found = world.db.one(
        "SELECT 1 FROM assets WHERE id = ? AND project = ? AND deleted IS NULL", (asset, request.project)
    )
    return found is not None
