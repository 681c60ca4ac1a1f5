"""Training: launch or price, cancel, and what happens when one is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenario_apply.emulator import agenda, query
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.families import FAMILY_OF, Family
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.job_view import job_view
from scenario_apply.emulator.limits import check_launch, matches
from scenario_apply.emulator.messages import Json, Request, Response, bad_request
from scenario_apply.emulator.model_view import one_model
from scenario_apply.emulator.models import answer_model, check_concepts, find_model, save_model
from scenario_apply.emulator.pricing import cost_fields, training_cost
from scenario_apply.emulator.request_bodies import parameters_schema, read_object
from scenario_apply.emulator.results import make_results
from scenario_apply.emulator.store import Row, dump, load
from scenario_apply.emulator.training_images import complete_pairs
from scenario_apply.emulator.webhooks import announce

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

MIN_PAIRS = 2
_FAILS_AT = 0.6  # of the run
_WHOLE_NUMBERS = frozenset({"batchSize", "maxTrainSteps", "nbEpochs", "nbRepeats", "rank"})
"""The contract calls them numbers; a fraction of a step or of an epoch can only be a mistake."""
OWN_ONLY = "Custom models only are supported for this endpoint"


def train(world: World, request: Request) -> Response:
    """PUT /models/{modelId}/train: 269 and a price with dryRun in the query, otherwise a launch."""
    row = find_model(world, request, request.params[0])
    body = read_object(request)
    dry_run = query.is_dry_run(request)
    simulated = query.number(request, "trainingImagesCount", 0, 10_000, 0) if dry_run else 0
    if row["privacy"] != "private":
        raise bad_request(OWN_ONLY)
    family = FAMILY_OF.get(row["type"])
    if family is None:
        raise bad_request(f"Models of type {row['type']} cannot be trained")
    if row["status"] in ("training", "copying"):
        raise bad_request("Model is already training", "MODEL_TRAINING")
    doc = load(row["doc"])
    parameters = body.get("parameters") or doc.get("parameters", {})
    _check_parameters(family, row["type"], parameters)
    images = world.db.number("SELECT count(*) FROM training_images WHERE model = ?", (row["id"],)) or simulated
    _check_dataset(world, request, row, doc, family, images, dry_run)
    cost = training_cost(family, parameters, images)
    if dry_run:
        return Response(dump(cost_fields(cost)), 269)
    check_launch(world, request.project)
    job = _launch(world, row, doc, family, parameters, cost)
    return _launched(world, request, row["id"], job, cost)


def act(world: World, request: Request) -> Response:
    """POST /models/{modelId}/train/action: cancel."""
    row = find_model(world, request, request.params[0], own=True)
    read_object(request)
    if row["status"] != "training":
        raise bad_request("Model is not training", "MODEL_NOT_TRAINING")
    interrupt(world, row)
    return answer_model(world, request, row["id"])


def interrupt(world: World, row: Row) -> None:
    """Stop the training of a model."""
    now = world.now_ms()
    world.db.run("UPDATE jobs SET outcome = 'canceled', ended = ?, ends = ? WHERE id = ?", (now, now, row["job"]))
    agenda.cancel(world, "training-end", row["job"])
    save_model(world, row, load(row["doc"]), status="training-canceled")
    announce(world, row["project"], "model.training.cancelled", row["job"])


@agenda.effect("training-end")
def finish(world: World, job: str, at: int) -> None:
    """A training is over: trained with results, or failed with a reason."""
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert record is not None
    world.db.run("UPDATE jobs SET ended = ? WHERE id = ?", (at, job))
    row = world.db.one("SELECT * FROM models WHERE id = ?", (record["model"],))
    if row is None:
        return
    doc = load(row["doc"])
    doc["stats"] = {
        "startedAt": iso(record["queued_until"]),
        "endedAt": iso(at),
        "queueDuration": (record["queued_until"] - record["created"]) / 1000,
        "trainDuration": (at - record["queued_until"]) / 1000,
    }
    if record["outcome"] == "success":
        make_results(world, row, record, doc, at)
        save_model(world, row, doc, status="trained", updated=at)
        announce(world, row["project"], "model.training.completed", job)
    else:
        save_model(world, row, doc, status="failed", updated=at)
        announce(world, row["project"], "model.training.failed", job)


def _launched(world: World, request: Request, model: str, job: str, cost: int) -> Response:
    row = world.db.one("SELECT * FROM models WHERE id = ?", (model,))
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert row is not None
    assert record is not None
    answer: Json = {"job": job_view(world, request.origin, record), "model": one_model(world, request.origin, row)}
    return Response(dump(answer | cost_fields(cost)))


def _check_parameters(family: Family, kind: str, parameters: Json) -> None:
    parameters_schema(family.name).check(parameters, "parameters")
    for name in _WHOLE_NUMBERS & parameters.keys():
        if parameters[name] != int(parameters[name]):
            raise bad_request(f"parameters.{name}: must be a whole number")
    prompts, sources = parameters.get("samplePrompts"), parameters.get("sampleSourceImages")
    if sources is not None and len(sources) != len(prompts or []):
        raise bad_request("parameters.sampleSourceImages: must have one entry for each of samplePrompts")
    if sources and family.name == "musubi":
        raise bad_request(f"parameters.sampleSourceImages: {kind} is trained without source images")


def _check_dataset(
    world: World, request: Request, row: Row, doc: Json, family: Family, images: int, dry_run: bool
) -> None:
    if family.dataset == "concepts":
        if not doc.get("concepts"):
            raise bad_request("The model has no concepts to compose")
        check_concepts(world, request, row["type"], doc["concepts"], trained=True)
        return
    if images < 1:
        raise bad_request("The model has no training images", "NOT_ENOUGH_IMAGES")
    attached = world.db.number("SELECT count(*) FROM training_images WHERE model = ?", (row["id"],))
    on_pairs = family.dataset == "pairs" and not (family.images_too and attached and not doc.get("pairs"))
    most = 2 * family.max_items if on_pairs else family.max_items
    if images > most:
        raise bad_request(f"A model of type {row['type']} takes at most {most} images, not {images}")
    if not on_pairs:
        return
    if complete_pairs(doc) < MIN_PAIRS and not (dry_run and attached == 0):
        raise bad_request(f"The model needs at least {MIN_PAIRS} complete training image pairs", "NOT_ENOUGH_PAIRS")


def _launch(world: World, row: Row, doc: Json, family: Family, parameters: Json, cost: int) -> str:
    now = world.now_ms()
    options = world.options
    queued_until = now + round(options.queued_s * 1000)
    ends = now + round(options.training_s * 1000)
    name = row["name"] if row["name"] is not None else f"{row['type']} {iso(now)[:16].replace('T', ' ')}"
    pattern = next((one for one in options.fail_training if matches(name, one)), None)
    if pattern is not None:
        ends = queued_until + round((ends - queued_until) * _FAILS_AT)
    queued = world.db.number(
        "SELECT count(*) FROM jobs WHERE ended IS NULL AND queued_until > ? AND type LIKE '%training'", (now,)
    )
    inputs = {
        "modelId": row["id"],
        "parameters": {key: value for key, value in parameters.items() if key != "wandbKey"},
    }
    record: Json = {"input": inputs, "cost": cost, "position": queued + 1}
    if pattern is not None:
        record["error"] = f"Training failed (simulated, requested by --fail-training {pattern})"
        record["hint"] = "Start the emulator without --fail-training, or rename the model"
    job = new_id("job_")
    world.db.run(
        "INSERT INTO jobs (id, project, type, model, created, queued_until, ends, outcome, doc)"
        " VALUES (?,?,?,?,?,?,?,?,?)",
        (
            job,
            row["project"],
            family.job_type,
            row["id"],
            now,
            queued_until,
            ends,
            "failure" if pattern is not None else "success",
            dump(record),
        ),
    )
    _store_launch(world, row, doc, inputs["parameters"], name, job)
    agenda.plan(world, ends, "training-end", job)
    announce(world, row["project"], "model.training.started", job)
    return job


def _store_launch(world: World, row: Row, doc: Json, parameters: Any, name: str, job: str) -> None:
    if parameters:
        doc["parameters"] = parameters
    doc.setdefault("shortDescription", f"{row['type']} trained by the emulator")
    for stale in ("stats", "epochs", "epoch", "learned"):
        doc.pop(stale, None)
    save_model(world, row, doc, status="training", name=name, job=job)


def find_own_trained(world: World, request: Request) -> Row:
    """The model of a request that applies to the project's own trained models only. Raises 400, 403, 404."""
    row = find_model(world, request, request.params[0])
    if row["privacy"] != "private" or row["status"] != "trained":
        raise bad_request(OWN_ONLY)
    return row
