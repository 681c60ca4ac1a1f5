"""Projects and the team they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator import query
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.limits import billing_period, team_ceilings
from scenario_apply.emulator.listing import decode_token, encode_token
from scenario_apply.emulator.messages import Json, Request, Response, not_found
from scenario_apply.emulator.store import Row, dump

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

TEAM = "team_default"


def list_projects(world: World, request: Request) -> Response:
    """GET /projects"""
    size = query.number(request, "pageSize", 1, 100, 10)
    token = decode_token(request, 1)
    team = request.query.get("teamId") or TEAM
    rows = world.db.all(
        "SELECT * FROM projects WHERE seq > ? AND ? = ? ORDER BY seq LIMIT ?",
        (token[0] if token else 0, team, TEAM, size + 1),
    )
    page: Json = {"projects": [_project(world, row) for row in rows[:size]]}
    if len(rows) > size:
        page["nextPaginationToken"] = encode_token([rows[size - 1]["seq"]])
    return Response(dump(page))


def get_project(world: World, request: Request) -> Response:
    """GET /projects/{projectId}"""
    return Response(dump({"project": _project(world, find_project(world, request))}))


def find_project(world: World, request: Request) -> Row:
    """The project named in the path. Raises 404."""
    row = world.db.one("SELECT * FROM projects WHERE id = ?", (request.params[0],))
    if row is None:
        raise not_found("Project", request.params[0])
    return row


def team_limits(world: World, request: Request) -> Response:
    """GET /teams/{teamId}/limits"""
    if request.params[0] != TEAM:
        raise not_found("Team", request.params[0])
    start, end = billing_period(world.now_ms())
    projects = world.db.number("SELECT count(*) FROM projects")
    return Response(
        dump(
            {
                "limits": team_ceilings(world),
                "oneShotCreativeUnits": [],
                "period": {"start": iso(start), "end": iso(end)},
                "plan": world.options.plan,
                "values": {
                    "apiKeys": 1,
                    "canvasAssets": 0,
                    "collections": 0,
                    "creativeUnits": _spent(world, None),
                    "projects": projects,
                    "seats": 1,
                },
            }
        )
    )


def usages(world: World, request: Request) -> Response:
    """GET /usages: what was consumed so far, whatever the time range: the emulator keeps no other statistics."""
    query.flag(request, "dropZeroPoints")
    wanted = query.words(request, "type")
    if request.query.get("teamId", TEAM) != TEAM:
        raise not_found("Team", request.query["teamId"])
    if wanted and "consumption" not in wanted:
        return Response(b"{}")
    projects = query.words(request, "projectIds")
    spent = sum(_spent(world, one) for one in projects) if projects else _spent(world, None)
    line = {"userId": "api_emulator", "value": spent, "total": spent, "discount": 0}
    return Response(dump({"consumption": [line]}))


def _spent(world: World, project: str | None) -> float:
    """Compute units charged so far; a failed job is refunded."""
    row = world.db.one(
        "SELECT coalesce(sum(CAST(doc AS TEXT) ->> '$.cost'), 0) AS spent FROM jobs"
        " WHERE (?1 IS NULL OR project = ?1) AND NOT (outcome = 'failure' AND ended IS NOT NULL)",
        (project,),
    )
    assert row is not None
    spent: float = row["spent"]
    return spent


def _project(world: World, row: Row) -> Json:
    created = iso(row["created"])
    return {
        "id": row["id"],
        "createdAt": created,
        "keys": [
            {
                "id": "api_emulator",
                "apiKeyId": "api_emulator",
                "apiKeyStatus": "active",
                "createdAt": created,
                "name": "any key",
                "role": "editor",
                "scope": "project",
                "updatedAt": created,
            }
        ],
        "name": row["name"],
        "privacyMode": False,
        "teamId": TEAM,
        "updatedAt": created,
        "users": [],
        "consumption": _spent(world, row["id"]),
    }
