"""Assets: upload, list, read, read many, caption, copy, tags, delete, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenario_apply.emulator import query
from scenario_apply.emulator.asset_view import asset_view
from scenario_apply.emulator.captions import automatic_caption
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.limits import require_restoring_plan
from scenario_apply.emulator.listing import date_bounds, decode_token, encode_token
from scenario_apply.emulator.lookup import find
from scenario_apply.emulator.messages import ApiError, Json, Request, Response, bad_request
from scenario_apply.emulator.pictures import NotAPicture, Picture, inspect
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import Row, dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

MAX_UPLOAD_BYTES = 6_000_000
"""A small upload must stay below it, counted on the file itself."""
RESTORE_MS = 30 * 86_400_000


def find_asset(world: World, request: Request, identifier: str, *, own: bool = False) -> Row:
    """The row of an asset the request may see; with own, may change. Raises 404 or 403."""
    return find(world, request, "assets", identifier, own=own)


def insert_asset(
    world: World, project: str, name: str, picture: Picture, size: int, sha256: str | None, **more: Any
) -> str:
    """A new image asset; its id. more: type, model, parent, id, doc, caption, created."""
    identifier = str(more.get("id") or new_id("asset_"))
    now = int(more.get("created") or world.now_ms())
    world.db.run(
        "INSERT INTO assets (id, project, privacy, kind, type, name, mime, size, width, height, sha256, caption,"
        " created, updated, model, parent, doc)"
        " VALUES (?, ?, 'private', 'image', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            identifier,
            project,
            more.get("type", "uploaded"),
            name,
            picture.mime,
            size,
            picture.width,
            picture.height,
            sha256,
            more.get("caption", automatic_caption(picture, name)),
            now,
            now,
            more.get("model"),
            more.get("parent"),
            dump(more.get("doc", {})),
        ),
    )
    return identifier


def keep_picture(world: World, project: str, name: str, data: bytes, **more: Any) -> str:
    """Check and keep the bytes of a picture; the id of its asset. Raises 400 `Unhandled image format`."""
    picture = check_picture(data)
    return insert_asset(world, project, name, picture, len(data), world.blobs.put(data), **more)


def check_picture(data: bytes) -> Picture:
    """Facts of a picture. Raises 400 `Unhandled image format`."""
    try:
        return inspect(data)
    except NotAPicture as problem:
        raise unhandled(str(problem)) from None


def unhandled(detail: str) -> ApiError:
    """The service's sentence for bytes that are no picture; what exactly is wrong goes to `detail`."""
    return bad_request("Unhandled image format", "UNHANDLED_IMAGE_FORMAT", detail=detail)


def decode_base64(text: str) -> bytes:
    """Strict base64. Raises 400 `Unhandled image format`, also for a data URL, which is not bare base64."""
    import pybase64

    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:
        raise unhandled("the image is not bare base64") from None


def decode_data_url(text: str) -> bytes:
    """The bytes of a data URL. Raises 400 `Unhandled image format`."""
    head, comma, data = text.partition(",")
    if not comma or not head.endswith(";base64"):
        raise unhandled("an image must be an asset id, or a data URL such as data:image/png;base64,...")
    return decode_base64(data)


def answer_asset(world: World, request: Request, identifier: str) -> Response:
    """`{"asset": ...}` as it is now."""
    row = world.db.one("SELECT * FROM assets WHERE id = ?", (identifier,))
    assert row is not None
    return Response(dump({"asset": asset_view(world, request, row)}))


def upload(world: World, request: Request) -> Response:
    """POST /assets: a picture below 6 MB as bare base64."""
    body = read_object(request)
    image = body.get("image")
    if not image or len(image) * 3 // 4 - 2 >= MAX_UPLOAD_BYTES:
        raise bad_request("Either 'image' or 'canvas' must be provided", "INVALID_PARAMETER")
    doc = {key: body[key] for key in ("collectionIds", "hide") if key in body}
    return answer_asset(
        world,
        request,
        keep_picture(world, request.project, body["name"], decode_base64(image), parent=body.get("parentId"), doc=doc),
    )


def retrieve(world: World, request: Request) -> Response:
    """GET /assets/{assetId}"""
    for flag in ("originalAssets", "withEmbedding", "withQualityGateDetails"):
        query.flag(request, flag)
    row = find_asset(world, request, request.params[0])
    return Response(dump({"asset": asset_view(world, request, row)}))


def get_bulk(world: World, request: Request) -> Response:
    """POST /assets/get-bulk: up to 200; what cannot be seen is left out."""
    ids = read_object(request).get("assetIds", [])
    wanted = list(dict.fromkeys(ids))
    marks = ",".join("?" * len(wanted))
    rows = {
        row["id"]: row
        for row in world.db.all(
            f"SELECT * FROM assets WHERE id IN ({marks}) AND deleted IS NULL AND (project = ? OR privacy = 'public')",  # noqa: S608 -- only ? and our own words
            (*wanted, request.project),  # only question marks are put into the text
        )
    }
    views = [asset_view(world, request, rows[identifier]) for identifier in wanted if identifier in rows]
    return Response(dump({"assets": views}))


def update(world: World, request: Request) -> Response:
    """PUT /assets/{assetId}: the description is the caption every model that uses the picture trains on."""
    row = find_asset(world, request, request.params[0], own=True)
    body = read_object(request)
    world.db.run(
        "UPDATE assets SET description = ?, name = ?, updated = ? WHERE seq = ?",
        (body.get("description", row["description"]), body.get("name", row["name"]), world.now_ms(), row["seq"]),
    )
    return answer_asset(world, request, row["id"])


def copy(world: World, request: Request) -> Response:
    """POST /assets/{assetId}/copy"""
    from scenario_apply.emulator.credentials import scope

    row = find_asset(world, request, request.params[0])
    body = read_object(request)
    target = scope(world, body["targetProjectId"]) if body.get("targetProjectId") else request.project
    doc = load(row["doc"]) | {
        "copiedFrom": row["id"],
        "copiedAt": iso(world.now_ms()),
        "sourceProjectId": row["project"],
    }
    picture = Picture(mime=row["mime"], format="", width=row["width"], height=row["height"])
    made = insert_asset(
        world,
        target,
        row["name"],
        picture,
        row["size"],
        row["sha256"],
        doc=doc,
        caption=row["caption"],
        type=row["type"],
        parent=row["id"],
    )
    world.db.run("UPDATE assets SET description = ?, kind = ? WHERE id = ?", (row["description"], row["kind"], made))
    return answer_asset(world, request, made)


def delete(world: World, request: Request) -> Response:
    """DELETE /assets with a body: soft. Training images keep the picture; detaching is another call."""
    ids = read_object(request)["assetIds"]
    rows = [find_asset(world, request, identifier, own=True) for identifier in dict.fromkeys(ids)]
    now = world.now_ms()
    world.db.run_many("UPDATE assets SET deleted = ? WHERE seq = ?", [(now, row["seq"]) for row in rows])
    return Response(b"{}")


def restore(world: World, request: Request) -> Response:
    """POST /assets/restore: what cannot be restored is named with the reason."""
    ids = read_object(request)["assetIds"]
    require_restoring_plan(world)
    restored: list[str] = []
    skipped: list[Json] = []
    for identifier in dict.fromkeys(ids):
        row = world.db.one("SELECT * FROM assets WHERE id = ? AND project = ?", (identifier, request.project))
        if row is None:
            skipped.append({"assetId": identifier, "reason": "not-found"})
        elif row["deleted"] is None:
            skipped.append({"assetId": identifier, "reason": "not-deleted"})
        elif world.now_ms() - row["deleted"] > RESTORE_MS:
            skipped.append({"assetId": identifier, "reason": "expired"})
        else:
            world.db.run("UPDATE assets SET deleted = NULL WHERE seq = ?", (row["seq"],))
            restored.append(identifier)
    return Response(dump({"restoredAssetIds": restored, "skippedAssets": skipped}))


def list_assets(world: World, request: Request) -> Response:
    """GET /assets"""
    size = query.number(request, "pageSize", 1, 100, 50)
    ascending = request.query.get("sortDirection") == "asc"
    column = "updated" if request.query.get("sortBy") == "updatedAt" else "created"
    privacy = "public" if request.query.get("privacy") == "public" else "private"
    if request.public_only and privacy != "public":
        raise ApiError(403, "The public token reads public assets only", "FORBIDDEN")
    where, values = ["privacy = ?"], [privacy]
    if privacy == "private":
        where.append("project = ?")
        values.append(request.project)
    _filter(world, request, column, where, values)
    token = decode_token(request, 2)
    if token is not None:
        where.append(f"({column}, seq) {'>' if ascending else '<'} (?, ?)")
        values.extend(token)
    order = "ASC" if ascending else "DESC"
    rows = world.db.all(
        f"SELECT * FROM assets WHERE {' AND '.join(where)} ORDER BY {column} {order}, seq {order} LIMIT ?",  # noqa: S608 -- only ? and our own words
        (*values, size + 1),  # the text is made of the fixed pieces of this module
    )
    page: Json = {"assets": [asset_view(world, request, row) for row in rows[:size]]}
    if len(rows) > size:
        page["nextPaginationToken"] = encode_token([rows[size - 1][column], rows[size - 1]["seq"]])
    return Response(dump(page))


def _filter(world: World, request: Request, column: str, where: list[str], values: list[Any]) -> None:
    if query.flag(request, "deleted"):
        require_restoring_plan(world)
        where.append("deleted > ?")
        values.append(world.now_ms() - RESTORE_MS)
    else:
        where.append("deleted IS NULL")
    for name, field in (("modelId", "model"), ("parentAssetId", "parent"), ("rootAssetId", "parent")):
        if request.query.get(name):
            where.append(f"{field} = ?")
            values.append(request.query[name])
    types = query.words(request, "types") or query.words(request, "type")
    if types:
        where.append(f"type IN ({','.join('?' * len(types))})")
        values.extend(types)
    if request.query.get("collectionId"):
        where.append("EXISTS (SELECT 1 FROM json_each(CAST(doc AS TEXT), '$.collectionIds') WHERE value = ?)")
        values.append(request.query["collectionId"])
    if request.query.get("inferenceId"):
        where.append("0")  # nothing here was made by an inference
    if "sortBy" in request.query:
        after, before = date_bounds(request, column)
        for bound, sign in ((after, ">"), (before, "<")):
            if bound is not None:
                where.append(f"{column} {sign} ?")
                values.append(bound)
