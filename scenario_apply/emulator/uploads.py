"""Multipart uploads: open, receive the parts at signed addresses, close, import as an asset.

After `complete` an upload becomes validating, validated and imported: one step with each GET, or by the clock when
the client does not poll. Bytes that are not valid make it `failed`, with an errorMessage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator import agenda, query
from scenario_apply.emulator.assets import insert_asset
from scenario_apply.emulator.cdn import part_url
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.lookup import find
from scenario_apply.emulator.messages import Json, Request, Response, bad_request
from scenario_apply.emulator.pictures import NotAPicture, Picture, inspect_file
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import Row, dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

PART_MIN_BYTES = 5_242_880
UPLOAD_MAX_BYTES = 5_000_000_000_000
_EXPIRES_MS = 3_600_000
_IMPORT_MS = 3_000
_PICTURES = ("asset", "avatar", "image")
_ASSET_KIND = {"3d": "3d", "audio": "audio", "text": "text", "video": "video"}
_STEPS = ("validating", "validated", "imported")


def create(world: World, request: Request) -> Response:
    """POST /uploads: part addresses for a multipart upload."""
    dry_run = query.is_dry_run(request)
    body = read_object(request)
    remote = next((key for key in ("url", "civitaiModelUrl", "huggingFaceModelName") if body.get(key)), None)
    if remote is None:
        for key in ("fileName", "contentType", "kind", "parts", "fileSize"):
            if key not in body:
                raise bad_request(f"body.{key}: is required for a multipart upload")
        for key in ("parts", "fileSize"):
            if not (1 <= body[key] <= UPLOAD_MAX_BYTES and body[key] == int(body[key])):
                raise bad_request(f"body.{key}: must be a whole number within 1 and {UPLOAD_MAX_BYTES}")
        if body["parts"] > 1 and body["fileSize"] <= (body["parts"] - 1) * PART_MIN_BYTES:
            raise bad_request(f"body.parts: every part but the last has at least {PART_MIN_BYTES} bytes")
    elif remote == "url" and "kind" not in body:
        raise bad_request("body.kind: is required with url")
    if dry_run:
        return Response(dump({"creativeUnitsCost": 0, "creativeUnitsDiscount": 0, "costDetails": {}}), 269)
    identifier, now = new_id("upload_"), world.now_ms()
    doc: Json = {key: body[key] for key in ("assetOptions", "contentType", "fileSize", "url") if key in body}
    doc |= {
        "kind": body.get("kind", "model"),
        "fileName": body.get("fileName") or str(body.get(remote or "", "remote")),
    }
    doc |= {"parts": int(body.get("parts", 0)) if remote is None else 0, "source": _source(remote)}
    status = "pending"
    if remote is not None:
        status = "failed"
        doc["errorMessage"] = "The emulator fetches nothing from other hosts"
    world.db.run(
        "INSERT INTO uploads (id, project, status, created, updated, doc) VALUES (?, ?, ?, ?, ?, ?)",
        (identifier, request.project, status, now, now, dump(doc)),
    )
    return _answer(world, request, identifier)


def retrieve(world: World, request: Request) -> Response:
    """GET /uploads/{uploadId}: each call takes a closed upload one step further."""
    row = find(world, request, "uploads", request.params[0])
    if row["completed"] is not None and row["status"] in _STEPS[:-1]:
        with world.db.transaction():
            _step(world, row)
    return _answer(world, request, row["id"])


def act(world: World, request: Request) -> Response:
    """POST /uploads/{uploadId}/action: complete. Closing a closed one again changes nothing."""
    row = find(world, request, "uploads", request.params[0])
    read_object(request)
    if row["status"] == "pending":
        missing = [number for number in _numbers(row) if not world.blobs.part(row["id"], number).exists()]
        if missing:
            listed = ", ".join(map(str, missing[:10]))
            raise bad_request(f"The upload still misses part {listed}", "UPLOAD_INCOMPLETE")
        now = world.now_ms()
        world.db.run(
            "UPDATE uploads SET status = 'validating', completed = ?, updated = ? WHERE id = ?", (now, now, row["id"])
        )
        agenda.plan(world, now + _IMPORT_MS, "upload-import", row["id"])
    elif row["status"] == "failed":
        raise bad_request(f"The upload has failed: {load(row['doc']).get('errorMessage', '')}", "UPLOAD_FAILED")
    return _answer(world, request, row["id"])


@agenda.effect("upload-import")
def import_by_clock(world: World, upload: str, at: int) -> None:
    """Import an upload that was not polled to its end."""
    while True:
        row = world.db.one("SELECT * FROM uploads WHERE id = ?", (upload,))
        if row is None or row["status"] not in _STEPS[:-1]:
            return
        _step(world, row)


def _numbers(row: Row) -> range:
    return range(1, load(row["doc"])["parts"] + 1)


def _source(remote: str | None) -> str:
    if remote is None:
        return "multipart"
    return {"civitaiModelUrl": "civitai", "huggingFaceModelName": "huggingface"}.get(remote, "url")


def _step(world: World, row: Row) -> None:
    following = _STEPS[_STEPS.index(row["status"]) + 1]
    doc = load(row["doc"])
    if following == "validated":
        problem = _join(world, row, doc)
        if problem is not None:
            following = "failed"
            doc["errorMessage"] = problem
    elif following == "imported":
        doc["entityId"] = _import(world, row, doc)
    world.db.run(
        "UPDATE uploads SET status = ?, updated = ?, polls = polls + 1, doc = ? WHERE id = ?",
        (following, world.now_ms(), dump(doc), row["id"]),
    )


def _join(world: World, row: Row, doc: Json) -> str | None:
    """Make one file of the parts; what is wrong with it, if anything."""
    paths = [world.blobs.part(row["id"], number) for number in _numbers(row)]
    world.db.after_commit(lambda: world.blobs.discard(paths))
    sizes = [path.stat().st_size for path in paths]
    if any(size < PART_MIN_BYTES for size in sizes[:-1]):
        return f"Every part but the last must have at least {PART_MIN_BYTES} bytes"
    if sum(sizes) != doc["fileSize"]:
        return f"fileSize says {int(doc['fileSize'])} bytes, the parts have {sum(sizes)}"
    doc["sha256"] = world.blobs.join(paths)
    if doc["kind"] not in _PICTURES:
        return None
    try:
        picture = inspect_file(world.blobs.path(doc["sha256"]))
    except NotAPicture as problem:
        return f"Unhandled image format: {problem}"
    doc |= {"mime": picture.mime, "width": picture.width, "height": picture.height}
    return None


def _import(world: World, row: Row, doc: Json) -> str:
    picture = Picture(
        mime=str(doc.get("mime") or doc["contentType"]), format="", width=doc.get("width"), height=doc.get("height")
    )
    options = doc.get("assetOptions", {})
    is_picture = doc["kind"] in _PICTURES
    asset = insert_asset(
        world,
        row["project"],
        doc["fileName"],
        picture,
        int(doc["fileSize"]),
        doc["sha256"],
        type="uploaded" if is_picture or doc["kind"] == "model" else f"uploaded-{doc['kind']}",
        parent=options.get("parentId"),
        doc={key: options[key] for key in ("collectionIds", "hide") if key in options},
    )
    if not is_picture:
        kind = _ASSET_KIND.get(doc["kind"], "document")
        world.db.run("UPDATE assets SET kind = ?, caption = '' WHERE id = ?", (kind, asset))
    return asset


def _answer(world: World, request: Request, identifier: str) -> Response:
    row = world.db.one("SELECT * FROM uploads WHERE id = ?", (identifier,))
    assert row is not None
    doc = load(row["doc"])
    view: Json = {
        "id": row["id"],
        "authorId": "api_emulator",
        "createdAt": iso(row["created"]),
        "entityId": doc.get("entityId"),
        "fileName": doc["fileName"],
        "kind": doc["kind"],
        "ownerId": row["project"],
        "source": doc["source"],
        "status": row["status"],
        "updatedAt": iso(row["updated"]),
    }
    for key in ("assetOptions", "contentType", "fileSize", "errorMessage", "url"):
        if key in doc:
            view[key] = doc[key]
    if doc["source"] == "multipart":
        expires = row["created"] + _EXPIRES_MS
        view["partsCount"] = doc["parts"]
        if row["status"] == "pending":
            view["parts"] = [
                {
                    "number": number,
                    "url": part_url(world, request.origin, row["id"], number, expires),
                    "expires": iso(expires),
                }
                for number in _numbers(row)
            ]
    return Response(dump({"upload": view}))
