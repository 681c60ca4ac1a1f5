"""Webhook endpoints of a project and the log of what was sent to them. `deliveries` does the sending."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from scenario_apply.emulator.account import find_project
from scenario_apply.emulator.addresses import is_public, literal_address
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.listing import decode_token, encode_token
from scenario_apply.emulator.messages import Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import Row, dump

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_EVENTS_PER_PAGE = 50


def _check_destination(world: World, url: str) -> None:
    """Raise 400 for a URL that is not http or https, and for one on this machine or a private network.

    What a name resolves to is checked on delivery.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not url.isprintable():
        raise bad_request("body.url: must be an absolute http or https address")
    if world.options.allow_local_webhooks:
        return
    host = (urlsplit(url).hostname or "").rstrip(".")
    address = literal_address(host)
    is_local_name = host == "localhost" or host.endswith(".localhost")
    if is_local_name or (address is not None and not is_public(address)):
        raise bad_request("body.url: is on this machine or a private network; --allow-local-webhooks permits that")


def list_endpoints(world: World, request: Request) -> Response:
    """GET /projects/{projectId}/webhook-endpoints"""
    project = find_project(world, request)
    rows = world.db.all("SELECT * FROM webhook_endpoints WHERE project = ? ORDER BY seq", (project["id"],))
    return Response(dump({"webhookEndpoints": [_endpoint(row) for row in rows]}))


def create_endpoint(world: World, request: Request) -> Response:
    """POST /projects/{projectId}/webhook-endpoints: the only answer that shows the secret."""
    project = find_project(world, request)
    body = read_object(request)
    _check_destination(world, body["url"])
    identifier, now, secret = new_id("webhook_"), world.now_ms(), "whsec_" + secrets.token_urlsafe(24)
    world.db.run(
        "INSERT INTO webhook_endpoints (id, project, url, secret, enabled, events, description, created, updated)"
        " VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)",
        (
            identifier,
            project["id"],
            body["url"],
            secret,
            dump(body["enabledEvents"]),
            body.get("description"),
            now,
            now,
        ),
    )
    row = world.db.one("SELECT * FROM webhook_endpoints WHERE id = ?", (identifier,))
    assert row is not None
    return Response(dump({"webhookEndpoint": _endpoint(row) | {"secret": secret}}))


def update_endpoint(world: World, request: Request) -> Response:
    """PUT /projects/{projectId}/webhook-endpoints/{webhookEndpointId}"""
    row = _find(world, request)
    body = read_object(request)
    if "url" in body:
        _check_destination(world, body["url"])
    events = dump(body["enabledEvents"]) if "enabledEvents" in body else row["events"]
    world.db.run(
        "UPDATE webhook_endpoints SET url = ?, enabled = ?, events = ?, description = ?, updated = ? WHERE id = ?",
        (
            body.get("url", row["url"]),
            int(body.get("enabled", row["enabled"])),
            events,
            body.get("description", row["description"]),
            world.now_ms(),
            row["id"],
        ),
    )
    return Response(dump({"webhookEndpoint": _endpoint(_find(world, request))}))


def delete_endpoint(world: World, request: Request) -> Response:
    """DELETE /projects/{projectId}/webhook-endpoints/{webhookEndpointId}"""
    row = _find(world, request)
    world.db.run("DELETE FROM webhook_endpoints WHERE id = ?", (row["id"],))
    world.db.run("DELETE FROM webhook_events WHERE endpoint = ?", (row["id"],))
    return Response(b"{}")


def list_events(world: World, request: Request) -> Response:
    """GET .../events, newest first"""
    row = _find(world, request)
    token = decode_token(request, 1)
    rows = world.db.all(
        "SELECT * FROM webhook_events WHERE endpoint = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (row["id"], token[0] if token else 1 << 62, _EVENTS_PER_PAGE + 1),
    )
    page: Json = {
        "items": [
            {
                "id": event["id"],
                "endpointId": event["endpoint"],
                "status": event["status"],
                "type": event["type"],
                "updatedAt": iso(event["updated"]),
            }
            for event in rows[:_EVENTS_PER_PAGE]
        ]
    }
    if len(rows) > _EVENTS_PER_PAGE:
        page["nextPaginationToken"] = encode_token([rows[_EVENTS_PER_PAGE - 1]["seq"]])
    return Response(dump(page))


def get_event(world: World, request: Request) -> Response:
    """GET .../events/{eventId}"""
    endpoint = _find(world, request)
    event = world.db.one(
        "SELECT * FROM webhook_events WHERE id = ? AND endpoint = ?", (request.params[2], endpoint["id"])
    )
    if event is None:
        raise not_found("Webhook event", request.params[2])
    attempts = orjson.loads(event["attempts"])
    view = {
        "id": event["id"],
        "attempts": attempts,
        "createdAt": iso(event["created"]),
        "endpointId": event["endpoint"],
        "payload": orjson.loads(event["payload"]),
        "sentAt": attempts[-1]["sentAt"] if attempts else iso(event["created"]),
        "status": event["status"],
        "type": event["type"],
        "updatedAt": iso(event["updated"]),
    }
    return Response(dump({"webhookEvent": view}))


def announce(world: World, project: str, kind: str, job: str) -> None:
    """Write an event for every endpoint that subscribes to its kind. The payload is the emulator's own."""
    rows = world.db.all("SELECT * FROM webhook_endpoints WHERE project = ? AND enabled = 1", (project,))
    now = world.now_ms()
    for row in rows:
        kinds = orjson.loads(row["events"])
        if kind not in kinds and "*" not in kinds:
            continue
        record = world.db.one("SELECT model FROM jobs WHERE id = ?", (job,))
        identifier = new_id("event_")
        payload = {
            "id": identifier,
            "type": kind,
            "createdAt": iso(now),
            "projectId": project,
            "data": {"jobId": job, "modelId": record["model"] if record is not None else None},
        }
        world.db.run(
            "INSERT INTO webhook_events (id, endpoint, type, status, created, updated, payload, attempts)"
            " VALUES (?, ?, ?, 'created', ?, ?, ?, ?)",
            (identifier, row["id"], kind, now, now, dump(payload), b"[]"),
        )
    if rows:
        world.wake()


def _find(world: World, request: Request) -> Row:
    project = find_project(world, request)
    row = world.db.one(
        "SELECT * FROM webhook_endpoints WHERE id = ? AND project = ?", (request.params[1], project["id"])
    )
    if row is None:
        raise not_found("Webhook endpoint", request.params[1])
    return row


def _endpoint(row: Row) -> Json:
    view: Json = {
        "id": row["id"],
        "createdAt": iso(row["created"]),
        "enabled": bool(row["enabled"]),
        "enabledEvents": orjson.loads(row["events"]),
        "nbFailedCalls": row["failed"],
        "nbTotalCalls": row["total"],
        "ownerId": row["project"],
        "ownerType": "project",
        "updatedAt": iso(row["updated"]),
        "url": row["url"],
    }
    if row["description"] is not None:
        view["description"] = row["description"]
    return view
