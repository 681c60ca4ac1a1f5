"""Pictures from a base model, with LoRAs or a composition: checked and priced as on the service.

What is to be drawn is stored when a generation ends; `learning` draws it when the bytes are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenario_apply.emulator import agenda, query
from scenario_apply.emulator.assets import check_picture, decode_data_url, find_asset, insert_asset, keep_picture
from scenario_apply.emulator.base_models import BASES, BaseModel, inputs_of, price_of
from scenario_apply.emulator.drawing import MIME
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.job_view import job_view
from scenario_apply.emulator.learning import influences, picture_sha256
from scenario_apply.emulator.limits import check_generation, matches, require_model_plan
from scenario_apply.emulator.messages import Json, Request, Response, bad_request
from scenario_apply.emulator.models import find_model, refuse_types
from scenario_apply.emulator.pictures import Picture
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import Row, dump, load
from scenario_apply.emulator.training import OWN_ONLY
from scenario_apply.emulator.webhooks import announce

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_FAILS_AT = 0.6  # of the run
_SIDE = 1024
_UNCHECKED_BELOW = frozenset({"lorasScale"})
"""Inputs whose minimum the service does not check."""


def run_model(world: World, request: Request) -> Response:
    """POST /generate/custom/{modelId}: 269 and a price with dryRun in the query, otherwise a job."""
    row = find_model(world, request, request.params[0])
    base = BASES.get(row["id"])
    if base is None:
        raise bad_request(OWN_ONLY)
    require_model_plan(world, row)
    body = read_object(request)
    for told in inputs_of(base):
        _check_input(told, body.get(told["name"]))
    loras: list[str] = body.get("loras") or []
    _check_models(world, request, loras, base.loras)
    if base.model_id and body.get("modelId"):
        _check_models(world, request, [body["modelId"]], base.model_id)
    dry_run = query.is_dry_run(request)
    references = _references(world, request, body, keep=not dry_run) if base.takes_references else []
    price = price_of(base, len(loras), int(body.get("numOutputs") or 1))
    if dry_run:
        return Response(dump(price), 269)
    check_generation(world)
    given = body | ({"referenceImages": references} if references else {})
    job = _start(world, request, base, given, references, price)
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert record is not None
    return Response(dump({"job": job_view(world, request.origin, record), **price}))


@agenda.effect("generation-end")
def finish(world: World, job: str, at: int) -> None:
    """The pictures of a generation exist, or it failed and is refunded."""
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert record is not None
    doc = load(record["doc"])
    if record["outcome"] == "success":
        count = int(doc["input"].get("numOutputs") or 1)
        doc["assets"] = [_insert_picture(world, record, doc, number, at) for number in range(1, count + 1)]
    world.db.run("UPDATE jobs SET ended = ?, doc = ? WHERE id = ?", (at, dump(doc), job))
    kind = "generation.completed" if record["outcome"] == "success" else "generation.failed"
    announce(world, record["project"], kind, job)


def _insert_picture(world: World, record: Row, doc: Json, number: int, at: int) -> str:
    """One asset, which is drawn later: from the seed and what the models had learned at the launch."""
    given = doc["input"]
    size = (int(given.get("width") or _SIDE), int(given.get("height") or _SIDE))
    seed = record["id"] if given.get("seed") is None else f"{given['seed']:.15g}"
    reference = (doc.get("references") or [None])[0]
    return insert_asset(
        world,
        record["project"],
        f"{given['prompt'][:60]} {number}",
        Picture(mime=MIME, format="jpeg", width=size[0], height=size[1]),
        0,
        None,
        type="inference-img2img" if reference else "inference-txt2img",
        model=record["model"],
        created=at,
        caption="a simulated picture",
        doc={
            "modelId": given["modelId"],
            "baseModelId": given["baseModelId"],
            "parentJobId": record["id"],
            "outputIndex": number - 1,
            "prompt": given["prompt"],
            "title": given["prompt"],
            "seed": seed,
            "drawing": {
                "seed": seed if number == 1 else f"{seed}/{number}",
                "influences": doc.get("influences", []),
                "reference": reference,
            },
        },
    )


def _references(world: World, request: Request, body: Json, *, keep: bool) -> list[str]:
    """Asset ids of the reference pictures. A data URL is checked, and becomes an asset if they are to be kept."""
    found: list[str] = []
    for reference in body.get("referenceImages") or []:
        if not reference.startswith("data:"):
            row = find_asset(world, request, reference)
            if row["kind"] != "image":
                raise bad_request(f"Asset {reference[:80]} is not an image")
            found.append(reference)
            continue
        data = decode_data_url(reference)
        if keep:
            found.append(keep_picture(world, request.project, "reference", data))
        else:
            check_picture(data)
    return found


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
        require_model_plan(world, row)


def _start(world: World, request: Request, base: BaseModel, body: Json, references: list[str], price: Json) -> str:
    now, job = world.now_ms(), new_id("job_")
    queue_s, run_s = world.options.generation_s
    queued_until = now + round(queue_s * 1000)
    pattern = next((p for p in world.options.fail_generation if matches(body["prompt"], p)), None)
    ends = queued_until + round(run_s * 1000 * (1 if pattern is None else _FAILS_AT))
    models = _models(world, body, base)
    used = models[0][0]["id"] if models else base.id
    doc: Json = {
        "input": {**body, "modelId": used, "baseModelId": base.id},
        "cost": price["creativeUnitsCost"],
        "influences": influences(models, body["prompt"]),
        "references": [picture_sha256(world, find_asset(world, request, one)) for one in references[:1]],
    }
    if pattern is not None:
        doc["error"] = f"Generation failed (simulated, requested by --fail-generation {pattern})"
        doc["hint"] = "Start the emulator without --fail-generation, or change the prompt"
    world.db.run(
        "INSERT INTO jobs (id, project, type, model, created, queued_until, ends, outcome, doc)"
        " VALUES (?, ?, 'custom', ?, ?, ?, ?, ?, ?)",
        (
            job,
            request.project,
            used,
            now,
            queued_until,
            ends,
            "success" if pattern is None else "failure",
            dump(doc),
        ),
    )
    agenda.plan(world, ends, "generation-end", job)
    announce(world, request.project, "generation.created", job)
    return job


def _models(world: World, body: Json, base: BaseModel) -> list[tuple[Row, float]]:
    """What draws besides the base, each with its scale; one that is not given counts as 1."""
    named = [body["modelId"]] if base.model_id and body.get("modelId") else []  # elsewhere it is no input
    scales = [1.0] * len(named) + [float(scale) for scale in body.get("lorasScale") or []]
    found = []
    for place, identifier in enumerate([*named, *(body.get("loras") or [])]):
        row = world.db.one("SELECT * FROM models WHERE id = ?", (identifier,))
        assert row is not None
        found.append((row, scales[place] if place < len(scales) else 1.0))
    return found
