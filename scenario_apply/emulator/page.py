"""The web page at /: what the emulator holds, the requests it received, its clock and its faults.

Rendered here, without scripts; everything shown is escaped by the templates. Forms come back as POSTs and are taken
from the page itself only (`access` compares the Origin).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from scenario_apply.emulator import agenda
from scenario_apply.emulator.access import Access
from scenario_apply.emulator.cdn import asset_url
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.faults import Rule
from scenario_apply.emulator.job_view import job_view
from scenario_apply.emulator.messages import Json, Request, Response, bad_request, not_found
from scenario_apply.emulator.model_view import model_views, one_model
from scenario_apply.emulator.options import FAULT_KINDS
from scenario_apply.emulator.router import Router

if TYPE_CHECKING:
    import jinja2

    from scenario_apply.emulator.world import World

_SHOWN_MODELS = 60
_SHOWN_REQUESTS = 40
_SHOWN_PICTURES = 24
_STEPS_S = (1, 5, 20, 60, 3600)
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


def add_routes(router: Router) -> None:
    """Register the page and what its forms post to."""
    router.add("GET", "/", home, Access.OWNER)
    router.add("GET", "/__emulator__/models/*", model, Access.OWNER)
    router.add("POST", "/__emulator__/page/clock", step_clock, Access.OWNER)
    router.add("POST", "/__emulator__/page/fault", switch_fault, Access.OWNER)


def home(world: World, request: Request) -> Response:
    """GET /"""
    rows = world.db.all(
        "SELECT * FROM models WHERE privacy = 'private' AND deleted IS NULL ORDER BY seq DESC LIMIT ?", (_SHOWN_MODELS,)
    )
    log = world.log.entries(max(0, world.log.total - _SHOWN_REQUESTS))
    faults = world.faults
    return _render(
        "home.html.jinja",
        models=model_views(world, request.origin, rows),
        total_models=world.db.number("SELECT count(*) FROM models WHERE privacy = 'private' AND deleted IS NULL"),
        projects=_projects(world),
        requests=[{"entry": entry, "at": iso(entry.at_ms)[11:23]} for entry in reversed(log)],
        total_requests=world.log.total,
        now=iso(world.now_ms()).replace("T", " ").removesuffix("Z"),
        manual=world.options.clock == "manual",
        steps=_STEPS_S,
        kinds=FAULT_KINDS,
        chances=faults.chances,
        rules=faults.rules,
        live="live" in request.query,
    )


def model(world: World, request: Request) -> Response:
    """GET /__emulator__/models/{modelId}"""
    row = world.db.one("SELECT * FROM models WHERE id = ?", (request.params[0],))
    if row is None:
        raise not_found("Model", request.params[0])
    jobs = world.db.all("SELECT * FROM jobs WHERE model = ? ORDER BY seq DESC LIMIT 20", (row["id"],))
    view = one_model(world, request.origin, row)
    return _render(
        "model.html.jinja",
        model=view,
        jobs=[job_view(world, request.origin, job) for job in jobs],
        parameters=orjson.dumps(view.get("parameters", {}), option=orjson.OPT_INDENT_2).decode(),
        drawn=_drawn(world, request, row["id"]),
        urls={one["id"]: asset_url(world, request.origin, one["id"]) for one in view["trainingImages"]},
        live="live" in request.query,
    )


def step_clock(world: World, request: Request) -> Response:
    """POST from the page: move the clock."""
    raw = _form(request).get("seconds", "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 9):
        raise bad_request("seconds: must be a whole number")
    world.advance(int(raw))
    agenda.settle(world)
    return _back()


def switch_fault(world: World, request: Request) -> Response:
    """POST from the page: fail the next request, toggle a chance for all of them, or clear all faults."""
    form = _form(request)
    kind, action = form.get("kind", ""), form.get("action", "")
    if action == "clear":
        world.faults.rules.clear()
        world.faults.set_chances({}, world.faults.seed)
    elif kind not in FAULT_KINDS:
        raise bad_request(f"kind: must be one of {', '.join(FAULT_KINDS)}")
    elif action == "once":
        world.faults.rules.append(Rule(kind=kind))
    else:
        chances = dict(world.faults.chances)
        if chances.pop(kind, None) is None:
            chances[kind] = 0.1
        world.faults.set_chances(chances, world.faults.seed)
    return _back()


def _projects(world: World) -> list[Json]:
    rows = world.db.all(
        "SELECT p.id, p.name, (SELECT count(*) FROM models m WHERE m.project = p.id AND m.deleted IS NULL) AS models,"
        " (SELECT count(*) FROM assets a WHERE a.project = p.id AND a.deleted IS NULL) AS assets"
        " FROM projects p ORDER BY p.seq LIMIT 100"
    )
    return [dict(row) for row in rows]


def _drawn(world: World, request: Request, model: str) -> list[Json]:
    """The newest pictures that were generated with a model."""
    rows = world.db.all(
        "SELECT id, CAST(doc AS TEXT) ->> '$.prompt' AS prompt FROM assets WHERE model = ? AND deleted IS NULL"
        " AND CAST(doc AS TEXT) ->> '$.parentJobId' IS NOT NULL ORDER BY seq DESC LIMIT ?",
        (model, _SHOWN_PICTURES),
    )
    return [{"url": asset_url(world, request.origin, row["id"]), "prompt": row["prompt"]} for row in rows]


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def _back() -> Response:
    return Response(b"", 303, "text/plain", {"Location": "/"})


def _render(template: str, **values: Any) -> Response:
    text = _templates().get_template(template).render(**values)
    return Response(text.encode(), 200, "text/html; charset=utf-8", _HEADERS)


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    loader = jinja2.PackageLoader("scenario_apply.emulator", "templates")
    return jinja2.Environment(loader=loader, autoescape=True)
