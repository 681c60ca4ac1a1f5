"""The world changed behind the client's back, for tests of drift: by hand in the web app, so to speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from scenario_apply.emulator import agenda, checks
from scenario_apply.emulator.families import MODEL_TYPES
from scenario_apply.emulator.messages import Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.models import save_model
from scenario_apply.emulator.store import Row, dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_OF_A_MODEL: Mapping[str, checks.Check] = {
    "name": checks.text(64),
    "status": checks.one_of("new", "trained", "failed", "training-canceled"),
    "type": checks.one_of(*sorted(MODEL_TYPES)),
    "tags": checks.array(checks.text()),
    "shortDescription": checks.text(256),
    "concepts": checks.array(
        checks.nested({"modelId": checks.text(), "scale": checks.number(-2, 2)}, ("modelId", "scale"))
    ),
    "parameters": checks.nested({}),
}
_OF_AN_ASSET: Mapping[str, checks.Check] = {"name": checks.text(), "description": checks.text()}
_MODEL: Mapping[str, checks.Check] = {
    "model": checks.text(),
    "set": checks.nested(_OF_A_MODEL),
    "delete": checks.boolean,
    "fail": checks.text(),
    "detach": checks.array(checks.text()),
}
_ASSET: Mapping[str, checks.Check] = {
    "asset": checks.text(),
    "set": checks.nested(_OF_AN_ASSET),
    "delete": checks.boolean,
}


def mutate(world: World, request: Request) -> Response:
    """POST mutate; a key that is not known is refused, so that a test with a slip in it does not pass by itself.

    {"model": id, "set": {"name", "status", "tags", "type", "shortDescription", "concepts", "parameters"},
     "delete": true, "fail": "reason", "detach": [assetId]}
    {"asset": id, "set": {"name", "description"}, "delete": true}
    """
    body = checks.json_object(request, {})
    if "model" in body:
        _refuse_unknown(body, _MODEL, _OF_A_MODEL)
        row = _find(world, "models", "Model", body["model"])
        _mutate_model(world, row, body)
    elif "asset" in body:
        _refuse_unknown(body, _ASSET, _OF_AN_ASSET)
        row = _find(world, "assets", "Asset", body["asset"])
        _mutate_asset(world, row, body)
    else:
        raise bad_request("body: names neither model nor asset")
    agenda.settle(world)
    return Response(b"{}")


def _refuse_unknown(body: Json, table: Mapping[str, checks.Check], settable: Mapping[str, checks.Check]) -> None:
    checks.check_object(body, "body", table)
    for key in body:
        if key not in table:
            raise bad_request(f"body.{key[:40]}: unknown; there are {', '.join(table)}")
    for key in body.get("set", {}):
        if key not in settable:
            raise bad_request(f"body.set.{key[:40]}: unknown; there are {', '.join(settable)}")


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
