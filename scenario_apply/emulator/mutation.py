"""Changes made behind the client's back, for tests of drift, as a user of the web app would make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator import agenda
from scenario_apply.emulator.families import MODEL_TYPES
from scenario_apply.emulator.messages import Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.models import save_model
from scenario_apply.emulator.request_bodies import BodySchema, read_json
from scenario_apply.emulator.store import Row, dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World


_MODEL = BodySchema(
    {
        "properties": {
            "model": {"type": "string"},
            "set": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 64},
                    "status": {"enum": ["new", "trained", "failed", "training-canceled"]},
                    "type": {"enum": sorted(MODEL_TYPES)},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "shortDescription": {"type": "string", "maxLength": 256},
                    "concepts": {"type": "array", "items": {"$ref": "#/components/schemas/Concept"}},
                    "parameters": {"type": "object"},
                },
                "additionalProperties": False,
            },
            "delete": {"type": "boolean"},
            "fail": {"type": "string"},
            "detach": {"type": "array", "items": {"type": "string"}},
        },
        "additionalProperties": False,
    }
)
_ASSET = BodySchema(
    {
        "properties": {
            "asset": {"type": "string"},
            "set": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "description": {"type": "string"}},
                "additionalProperties": False,
            },
            "delete": {"type": "boolean"},
        },
        "additionalProperties": False,
    }
)


def mutate(world: World, request: Request) -> Response:
    """POST mutate. An unknown key is refused, so that a test with a typing error does not pass by accident.

    {"model": id, "set": {"name", "status", "tags", "type", "shortDescription", "concepts", "parameters"},
     "delete": true, "fail": "reason", "detach": [assetId]}
    {"asset": id, "set": {"name", "description"}, "delete": true}
    """
    body = read_json(request)
    if not isinstance(body, dict) or not body.keys() & {"model", "asset"}:
        raise bad_request("body: must be a JSON object with model or asset")
    if "model" in body:
        _MODEL.check(body, "body")
        _mutate_model(world, _find(world, "models", "Model", body["model"]), body)
    else:
        _ASSET.check(body, "body")
        _mutate_asset(world, _find(world, "assets", "Asset", body["asset"]), body)
    agenda.settle(world)
    return Response(b"{}")


def _find(world: World, table: str, what: str, identifier: str) -> Row:
    row = world.db.one(f"SELECT * FROM {table} WHERE id = ?", (identifier,))  # noqa: S608 -- a word of this module
    if row is None:
        raise not_found(what, identifier)
    return row


def _mutate_model(world: World, row: Row, body: Json) -> None:
    changes, doc = body.get("set", {}), load(row["doc"])
    columns = {key: changes[key] for key in ("name", "status", "type") if key in changes}
    doc |= {key: value for key, value in changes.items() if key not in columns}
    if body.get("delete"):
        columns["deleted"] = world.now_ms()
    with world.db.transaction():
        save_model(world, row, doc, **columns)
        for asset in body.get("detach", []):
            world.db.run("DELETE FROM training_images WHERE model = ? AND asset = ?", (row["id"], asset))
        if body.get("fail") and row["status"] == "training":
            _fail(world, row["job"], body["fail"])


def _fail(world: World, job: str, reason: str) -> None:
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert record is not None
    now = world.now_ms()
    doc = load(record["doc"]) | {"error": reason, "hint": ""}
    world.db.run("UPDATE jobs SET outcome = 'failure', ends = ?, doc = ? WHERE id = ?", (now, dump(doc), job))
    agenda.cancel(world, "training-end", job)
    agenda.plan(world, now, "training-end", job)


def _mutate_asset(world: World, row: Row, body: Json) -> None:
    changes, now = body.get("set", {}), world.now_ms()
    world.db.run(
        "UPDATE assets SET description = ?, name = ?, deleted = ?, updated = ? WHERE seq = ?",
        (
            changes.get("description", row["description"]),
            changes.get("name", row["name"]),
            now if body.get("delete") else row["deleted"],
            now,
            row["seq"],
        ),
    )
