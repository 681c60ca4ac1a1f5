"""Pictures from a base model, with LoRAs or a composition: checked and priced as on the service, and then drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenario_apply.emulator import agenda, query
from scenario_apply.emulator.assets import find_asset, insert_asset
from scenario_apply.emulator.base_models import BASES, BaseModel, inputs_of, price_of
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.job_view import job_view
from scenario_apply.emulator.messages import Json, Request, Response, bad_request
from scenario_apply.emulator.models import find_model, refuse_types
from scenario_apply.emulator.pictures import Picture
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import dump, load
from scenario_apply.emulator.training import OWN_ONLY

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_QUEUE_MS = 500
_RUN_MS = 3000
_SIDE = 1024
_UNCHECKED_BELOW = frozenset({"lorasScale"})
"""Inputs whose minimum the service does not check."""


def run_model(world: World, request: Request) -> Response:
    """POST /generate/custom/{modelId}: 269 and a price with dryRun in the query, otherwise a job."""
    row = find_model(world, request, request.params[0])
    base = BASES.get(row["id"])
    if base is None:
        raise bad_request(OWN_ONLY)
    body = read_object(request)
    for told in inputs_of(base):
        _check_input(told, body.get(told["name"]))
    loras: list[str] = body.get("loras") or []
    _check_models(world, request, loras, base.loras)
    if base.model_id and body.get("modelId"):
        _check_models(world, request, [body["modelId"]], base.model_id)
    for reference in body.get("referenceImages") or []:
        if not reference.startswith("data:"):
            find_asset(world, request, reference)
    price = price_of(base, len(loras), int(body.get("numOutputs") or 1))
    if query.is_dry_run(request):
        return Response(dump(price), 269)
    job = _start(world, request, base, body, price)
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert record is not None
    return Response(dump({"job": job_view(world, request.origin, record), **price}))


@agenda.effect("generation-end")
def finish(world: World, job: str, at: int) -> None:
    """The pictures of a generation are there."""
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert record is not None
    doc = load(record["doc"])
    given = doc["input"]
    drawn = Picture(
        mime="image/png", format="png", width=int(given.get("width") or _SIDE), height=int(given.get("height") or _SIDE)
    )
    doc["assets"] = [
        insert_asset(
            world,
            record["project"],
            f"{given['prompt'][:60]} {number}",
            drawn,
            0,
            None,
            type="inference-txt2img",
            model=record["model"],
            created=at,
            caption="a simulated picture",
            doc={
                "sample": [job, given.get("seed", ""), number],
                "modelId": given["modelId"],
                "prompt": given["prompt"],
                "title": given["prompt"],
            },
        )
        for number in range(1, int(given.get("numOutputs") or 1) + 1)
    ]
    world.db.run("UPDATE jobs SET ended = ?, doc = ? WHERE id = ?", (at, dump(doc), job))


def _check_input(told: Json, value: Any) -> None:
    """Raise the 400 of one input in the service's form. A null counts as left out."""
    name, kind = told["name"], told["type"]
    if value is None or (kind == "string" and value == ""):
        if told.get("required"):
            raise bad_request(f"Input {name} is required")
        return
    one = (int, float) if kind.startswith("number") else str
    values = value if kind.endswith("_array") else [value]
    if not isinstance(values, list) or not all(isinstance(v, one) and not isinstance(v, bool) for v in values):
        words = "an array" if kind.endswith("_array") else "a number" if kind == "number" else "a string"
        raise bad_request(f"Input {name} must be {words}")
    if told.get("required") and not values:
        raise bad_request(f"Input {name} is required")
    if kind == "string" and len(value) > told.get("maxLength", len(value)):
        raise bad_request(f"Input {name} must be at most {told['maxLength']} characters long")
    if kind.endswith("_array") and len(values) > told.get("maxLength", len(values)):
        raise bad_request(f"Input {name} must be at most {told['maxLength']} items long")
    if kind.startswith("number"):
        _check_bounds(told, values)


def _check_bounds(told: Json, values: list[float]) -> None:
    if any(value > told["max"] for value in values):
        raise bad_request(f"Input {told['name']} must be at most {told['max']}")
    if told["name"] not in _UNCHECKED_BELOW and any(value < told["min"] for value in values):
        raise bad_request(f"Input {told['name']} must be at least {told['min']}")


def _check_models(world: World, request: Request, ids: list[str], allowed: tuple[str, ...]) -> None:
    """404 for an unknown model, 400 for one of another type, in the service's words, or one that is not trained."""
    rows = [find_model(world, request, identifier) for identifier in ids]
    refuse_types([row["id"] for row in rows if row["type"] not in allowed], allowed)
    for row in rows:
        if row["status"] != "trained":
            raise bad_request(f"Model {row['id']} is not trained but {row['status']}")


def _start(world: World, request: Request, base: BaseModel, body: Json, price: Json) -> str:
    now, job = world.now_ms(), new_id("job_")
    named = body.get("modelId") if base.model_id else None  # elsewhere it is no input, and may be anything
    used = named or next(iter(body.get("loras") or []), base.id)
    doc = {"input": {**body, "modelId": used, "baseModelId": base.id}, "cost": price["creativeUnitsCost"]}
    world.db.run(
        "INSERT INTO jobs (id, project, type, model, created, queued_until, ends, outcome, doc)"
        " VALUES (?, ?, 'custom', ?, ?, ?, ?, 'success', ?)",
        (job, request.project, used, now, now + _QUEUE_MS, now + _QUEUE_MS + _RUN_MS, dump(doc)),
    )
    agenda.plan(world, now + _QUEUE_MS + _RUN_MS, "generation-end", job)
    return job
