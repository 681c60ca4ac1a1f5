"""Jobs: read, list with pages that may be short, and an action that trainings do not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.emulator import agenda, query
from scenario_apply.emulator.cdn import export_url
from scenario_apply.emulator.clock import parse_iso
from scenario_apply.emulator.job_view import job_status, job_view
from scenario_apply.emulator.listing import decode_token, encode_token
from scenario_apply.emulator.lookup import find
from scenario_apply.emulator.messages import Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.request_bodies import read_object
from scenario_apply.emulator.store import dump

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_CANCELABLE = frozenset({"caption", "custom", "inference"})
LISTED_TYPES = frozenset(
    {
        *("assets-download", "canvas-export", "caption", "custom", "describe-style", "detection", "embed", "flux"),
        *("flux-model-training", "generate-prompt", "image-generation", "image-prompt-editing", "inference"),
        *("mesh-preview-rendering", "model-training", "musubi-model-training", "openai-image-generation", "pixelate"),
        *("reframe", "remove-background", "repaint", "restyle", "segment", "skybox-3d", "skybox-base-360"),
        *("skybox-hdri", "skybox-upscale-360", "splat", "texture", "translate", "upload", "upscale"),
        *("upscale-skybox", "upscale-texture", "vectorize", "workflow"),
    }
)
"""What a list of jobs can be filtered by, which is not every type of a job: exports of weights are model-download."""

STATUSES = (
    "canceled",
    "failure",
    "finalizing",
    "in-progress",
    "pending",
    "queued",
    "success",
    "warming-up",
)


def retrieve(world: World, request: Request) -> Response:
    """GET /jobs/{jobId}"""
    return Response(dump({"job": job_view(world, request.origin, find(world, request, "jobs", request.params[0]))}))


def download_status(world: World, request: Request) -> Response:
    """GET /assets/download/{jobId}: the place that is typed to hold the address of an export; an option moves it."""
    row = find(world, request, "jobs", request.params[0])
    if row["type"] != "model-download":
        raise not_found("Download", row["id"])
    answer = {"jobId": row["id"], "jobStatus": job_status(world, row)}
    if answer["jobStatus"] == "success" and world.options.weights_address != "job":
        answer["downloadUrl"] = export_url(world, request.origin, row["id"])
    return Response(dump(answer))


def list_jobs(world: World, request: Request) -> Response:
    """GET /jobs, newest first. A page is cut before it is filtered, so it may be short before the last one."""
    size = query.number(request, "pageSize", 1, 100, 50)
    status = query.choice(request, "status", STATUSES)
    types = query.words(request, "types") or query.words(request, "type")
    if unknown := [name for name in types if name not in LISTED_TYPES]:
        raise bad_request(f"types: {unknown[0]} must be one of {', '.join(sorted(LISTED_TYPES))}")
    query.flag(request, "hideResults")
    filtered = bool(status or types or request.query.get("workflowId"))
    created_after = None if filtered else _date(request, "createdAfter")
    updated_after = _date(request, "updatedAfter") if filtered else None
    token = decode_token(request, 1)
    rows = world.db.all(
        "SELECT * FROM jobs WHERE project = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
        (request.project, token[0] if token else 1 << 62, size + 1),
    )
    views = []
    for row in rows[:size]:
        if (types and row["type"] not in types) or (status and job_status(world, row) != status):
            continue
        if request.query.get("workflowId") or request.query.get("authorId", "api_emulator") != "api_emulator":
            continue
        if created_after is not None and row["created"] <= created_after:
            continue
        view = job_view(world, request.origin, row)
        if updated_after is not None and (parse_iso(view["updatedAt"]) or 0) <= updated_after:
            continue
        views.append(view)
    page: Json = {"jobs": views}
    if len(rows) > size:
        page["nextPaginationToken"] = encode_token([rows[size - 1]["seq"]])
    return Response(dump(page))


def act(world: World, request: Request) -> Response:
    """POST /jobs/{jobId}/action: jobs that make pictures or captions only."""
    row = find(world, request, "jobs", request.params[0])
    read_object(request)
    if row["type"] not in _CANCELABLE:
        raise bad_request("Cannot cancel this type of job", "NOT_CANCELABLE")
    if row["ended"] is None:
        now = world.now_ms()
        world.db.run("UPDATE jobs SET outcome = 'canceled', ended = ?, ends = ? WHERE id = ?", (now, now, row["id"]))
        agenda.cancel(world, "generation-end", row["id"])
    return retrieve(world, request)


def _date(request: Request, name: str) -> int | None:
    raw = request.query.get(name)
    if not raw:
        return None
    moment = parse_iso(raw)
    if moment is None:
        raise bad_request(f"{name}: must be an ISO 8601 date")
    return moment
