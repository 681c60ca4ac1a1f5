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


_JOB = BodySchema(
    {
        "required": ["fail"],
        "properties": {"job": {"type": "string"}, "fail": {"type": "string"}},
        "additionalProperties": False,
    }
)
_ENDS = {"custom": "generation-end", "model-download": "download-end"}
"""What ends a job, by its type; all others that run are trainings."""


def mutate(world: World, request: Request) -> Response:
    """POST mutate. An unknown key is refused, so that a test with a typing error does not pass by accident.

    {"model": id, "set": {"name", "status", "tags", "type", "shortDescription", "concepts", "parameters"},
     "delete": true, "fail": "reason", "detach": [assetId]}
    {"asset": id, "set": {"name", "description"}, "delete": true}
    {"job": id, "fail": "reason"}
    """
    body = read_json(request)
    if not isinstance(body, dict) or not body.keys() & {"model", "asset", "job"}:
        raise bad_request("body: must be a JSON object with model, asset or job")
    if "job" in body:
        _JOB.check(body, "body")
        _mutate_job(world, _find(world, "jobs", "Job", body["job"]), body)
    elif "model" in body:
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
            _fail(world, _find(world, "jobs", "Job", row["job"]), body["fail"])


def _mutate_job(world: World, record: Row, body: Json) -> None:
    if record["ended"] is not None:
        raise bad_request(f"Job {record['id']} has ended")
    with world.db.transaction():
        _fail(world, record, body["fail"])


def _fail(world: World, record: Row, reason: str) -> None:
    """End a job now, as a failure."""
    now, end = world.now_ms(), _ENDS.get(record["type"], "training-end")
    doc = load(record["doc"]) | {"error": reason, "hint": ""}
    world.db.run(
        "UPDATE jobs SET outcome = 'failure', ends = ?, doc = ? WHERE seq = ?", (now, dump(doc), record["seq"])
    )
    agenda.cancel(world, end, record["id"])
    agenda.plan(world, now, end, record["id"])


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
