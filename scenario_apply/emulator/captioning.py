"""Captions on request: what an image is called by the emulator, in the order of the images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator import query
from scenario_apply.emulator.assets import check_picture, decode_data_url, find_asset
from scenario_apply.emulator.captions import automatic_caption
from scenario_apply.emulator.ids import new_id
from scenario_apply.emulator.job_view import job_view
from scenario_apply.emulator.messages import Json, Request, Response, bad_request
from scenario_apply.emulator.models import find_model
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import dump

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_CAPTION_CU = 0.25
"""Compute units of one caption: the emulator's own."""
_MOST_UNWANTED = 100  # the emulator's own: each of them is looked for in every caption


def caption(world: World, request: Request) -> Response:
    """POST /generate/caption: the answer holds the captions; the job has ended when it arrives."""
    body = read_object(request)
    if body.get("modelId"):
        find_model(world, request, body["modelId"])
    unwanted_sequences = body.get("unwantedSequences", [])
    if len(unwanted_sequences) > _MOST_UNWANTED:
        raise bad_request(f"unwantedSequences: at most {_MOST_UNWANTED} are accepted")
    captions = [_caption_of(world, request, image) for image in body["images"]]
    for unwanted in filter(None, unwanted_sequences):
        captions = [" ".join(text.replace(unwanted, "").split()) for text in captions]
    cost = _CAPTION_CU * len(captions)
    price: Json = {"creativeUnitsCost": cost, "creativeUnitsDiscount": 0, "costDetails": {"caption": cost}}
    if query.is_dry_run(request):
        return Response(dump(price), 269)
    now, job = world.now_ms(), new_id("job_")
    given = {key: value for key, value in body.items() if key != "images"}
    doc = {"input": {**given, "images": len(captions)}, "cost": cost}
    world.db.run(
        "INSERT INTO jobs (id, project, type, model, created, queued_until, ends, outcome, ended, doc)"
        " VALUES (?, ?, 'caption', NULL, ?, ?, ?, 'success', ?, ?)",
        (job, request.project, now, now, now, now, dump(doc)),
    )
    record = world.db.one("SELECT * FROM jobs WHERE id = ?", (job,))
    assert record is not None
    answer: Json = {"captions": captions, "job": job_view(world, request.origin, record), **price}
    if "modelId" not in body:
        answer["detailsLevel"] = body.get("detailsLevel", "action")
    return Response(dump(answer))


def _caption_of(world: World, request: Request, image: str) -> str:
    """Of an asset id or a data URL."""
    if not image.startswith("data:"):
        row = find_asset(world, request, image)
        if row["kind"] != "image":
            raise bad_request(f"Asset {image[:80]} is not an image")
        return str(row["caption"])
    return automatic_caption(check_picture(decode_data_url(image)), "")
