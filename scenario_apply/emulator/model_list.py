"""Lists of models: pages, filters, and which of them count for whose models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenario_apply.emulator import query
from scenario_apply.emulator.listing import date_bounds, decode_token, encode_token
from scenario_apply.emulator.messages import ApiError, Json, Request, Response
from scenario_apply.emulator.model_view import model_views
from scenario_apply.emulator.models import RESTORE_DAYS
from scenario_apply.emulator.store import dump

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_LISTED_STATUSES = ("new", "training", "trained", "failed")


def list_models(world: World, request: Request) -> Response:
    """GET /models"""
    size = query.number(request, "pageSize", 1, 500, 100)
    privacy = query.choice(request, "privacy", ("private", "public")) or "private"
    sort = query.choice(request, "sortBy", ("createdAt", "updatedAt", "score")) or "createdAt"
    ascending = query.choice(request, "sortDirection", ("asc", "desc")) == "asc"
    for flag in ("blacklisted", "loadedOnly", "originalAssets"):
        query.flag(request, flag)
    column = "updated" if sort == "updatedAt" else "created"
    where, values = ["privacy = ?"], [privacy]
    if privacy == "private":
        if request.public_only:
            raise ApiError(403, "The public token reads public models only", "FORBIDDEN")
        where.append("project = ?")
        values.append(request.project)
    _filter(request, world.now_ms(), privacy, sort, where, values)
    token = decode_token(request, 2)
    if token is not None:
        where.append(f"({column}, seq) {'>' if ascending else '<'} (?, ?)")
        values.extend(token)
    order = "ASC" if ascending else "DESC"
    rows = world.db.all(
        f"SELECT * FROM models WHERE {' AND '.join(where)} ORDER BY {column} {order}, seq {order} LIMIT ?",  # noqa: S608 -- only ? and our own words
        (*values, size + 1),
    )
    page: Json = {"models": model_views(world, request.origin, rows[:size])}
    if len(rows) > size:
        page["nextPaginationToken"] = encode_token([rows[size - 1][column], rows[size - 1]["seq"]])
    return Response(dump(page))


def _filter(request: Request, now: int, privacy: str, sort: str, where: list[str], values: list[Any]) -> None:
    status = request.query.get("status", "") if privacy == "private" else ""
    if status == "deleted":
        where.append("deleted > ?")
        values.append(now - RESTORE_DAYS * 86_400_000)
    elif status in _LISTED_STATUSES:
        where.append("status = ? AND deleted IS NULL")
        values.append(status)
    elif not status:
        where.append("deleted IS NULL")
    # any other status is ignored, and so is the deletion mark: that is what the live service does
    if privacy == "public":
        types = query.words(request, "types") or query.words(request, "type")
        if types:
            where.append(f"type IN ({','.join('?' * len(types))})")
            values.extend(types)
        for tag in query.words(request, "tags"):
            where.append("EXISTS (SELECT 1 FROM json_each(CAST(doc AS TEXT), '$.tags') WHERE value = ?)")
            values.append(tag)
    if privacy == "private" and request.query.get("collectionId"):
        where.append("EXISTS (SELECT 1 FROM json_each(CAST(doc AS TEXT), '$.collectionIds') WHERE value = ?)")
        values.append(request.query["collectionId"])
    for name, field, applies in (
        ("created", "created", sort == "createdAt" and "sortBy" in request.query),
        ("updated", "updated", sort == "updatedAt" and privacy == "public"),
    ):
        if not applies:
            continue
        after, before = date_bounds(request, name)
        if after is not None:
            where.append(f"{field} > ?")
            values.append(after)
        if before is not None:
            where.append(f"{field} < ?")
            values.append(before)
