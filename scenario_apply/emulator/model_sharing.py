"""What a model shows and where it goes: its example pictures, how well a prompt fits it, a copy in another project."""

from __future__ import annotations

from statistics import mean, median
from typing import TYPE_CHECKING

from scenario_apply.emulator import account, agenda
from scenario_apply.emulator.asset_view import asset_view
from scenario_apply.emulator.assets import find_asset
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.learning import picture_sha256
from scenario_apply.emulator.messages import Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.model_extras import COPY_MS
from scenario_apply.emulator.model_view import one_model
from scenario_apply.emulator.models import find_model, insert_model, save_model
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.score import dice_distance, words_of
from scenario_apply.emulator.store import Row, dump, load
from scenario_apply.emulator.training import OWN_ONLY

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_LONGEST_PROMPT = 10_000
_KEPT = ("parameters", "shortDescription", "classSlug", "epoch", "learned", "stats")
"""What a copy in another project takes along; pictures, concepts and collections belong to the first one."""


def update_examples(world: World, request: Request) -> Response:
    """PUT /models/{modelId}/examples: at most 150 pictures, in place of those it had."""
    row = find_model(world, request, request.params[0], own=True)
    ids = list(dict.fromkeys(read_object(request)["assetIds"]))
    assets = [find_asset(world, request, identifier) for identifier in ids]
    other = next((asset["id"] for asset in assets if asset["kind"] != "image"), None)
    if other is not None:
        raise bad_request(f"Asset {other} is not an image")
    doc = load(row["doc"])
    doc["exampleAssetIds"] = ids
    save_model(world, row, doc)
    examples = [{"asset": asset_view(world, request, asset), "modelId": row["id"]} for asset in assets]
    return Response(dump({"examples": examples}))


def score_prompt(world: World, request: Request) -> Response:
    """GET /models/{modelId}/scores/prompt: the words it has in common with the captions; the emulator's own measure."""
    row = find_model(world, request, request.params[0])
    prompt = request.query.get("prompt", "").strip()
    if not prompt or len(prompt) > _LONGEST_PROMPT:
        raise bad_request(f"prompt: is required, with at most {_LONGEST_PROMPT} characters")
    captions = world.db.all(
        "SELECT a.description, a.caption FROM training_images t JOIN assets a ON a.id = t.asset WHERE t.model = ?",
        (row["id"],),
    )
    asked = words_of(prompt)
    likeness = [1 - dice_distance(asked, words_of(one["description"] or one["caption"])) for one in captions]
    found = likeness or [0.0]
    similar = {"mean": round(mean(found), 4), "median": round(median(found), 4), "min": round(min(found), 4)}
    answer: Json = {
        "modelId": row["id"],
        "score": similar["mean"],
        "status": "complete" if likeness else "unknown",
        "details": {"captionsSimilarity": similar, "embeddingSimilarity": similar["median"]},
    }
    return Response(dump(answer))


def transfer(world: World, request: Request) -> Response:
    """POST /models/{modelId}/transfer: a copy with its training images; the model itself stays."""
    row = find_model(world, request, request.params[0], own=True)
    body = read_object(request)
    if row["privacy"] != "private" or row["type"].endswith("-composition"):
        raise bad_request(OWN_ONLY)
    if row["status"] in ("training", "copying"):
        raise bad_request("Model is already training", "MODEL_TRAINING")
    target = body["destinationProjectId"]
    if body.get("destinationTeamId", account.TEAM) != account.TEAM:
        raise not_found("Team", body["destinationTeamId"])
    if world.db.one("SELECT 1 FROM projects WHERE id = ?", (target,)) is None:
        raise not_found("Project", target)
    source = load(row["doc"])
    doc: Json = {key: source[key] for key in _KEPT if key in source}
    doc |= {"parentModelId": row["id"], "becomes": "trained" if row["status"] == "trained" else "new"}
    made = insert_model(world, target, row["type"], "copying", row["name"], doc)
    copies = {
        image["id"]: _copied(world, image, target, made)
        for image in world.db.all(
            "SELECT a.* FROM training_images t JOIN assets a ON a.id = t.asset WHERE t.model = ? ORDER BY t.seq",
            (row["id"],),
        )
    }
    sides = ("sourceId", "targetId")
    doc["pairs"] = [
        pair | {side: copies[pair[side]] for side in sides if pair.get(side) in copies}
        for pair in source.get("pairs", [])
    ]
    copy = world.db.one("SELECT * FROM models WHERE id = ?", (made,))
    assert copy is not None
    save_model(world, copy, doc)
    agenda.plan(world, world.now_ms() + COPY_MS, "copy-end", made)
    return Response(dump({"model": one_model(world, request.origin, copy)}))


def _copied(world: World, image: Row, project: str, model: str) -> str:
    """The same picture as an asset of another project, attached to a model there; its id."""
    made, now = new_id("asset_"), world.now_ms()
    picture_sha256(world, image)
    world.db.run(
        "INSERT INTO assets (id, project, privacy, kind, type, name, mime, size, width, height, sha256, description,"
        " caption, created, updated, doc)"
        " SELECT ?, ?, 'private', kind, type, name, mime, size, width, height, sha256, description, caption, ?, ?, ?"
        " FROM assets WHERE id = ?",
        (made, project, now, now, dump({"copiedFrom": image["id"], "sourceProjectId": image["project"]}), image["id"]),
    )
    world.db.run("INSERT INTO training_images (model, asset, created) VALUES (?, ?, ?)", (model, made, now))
    return made
