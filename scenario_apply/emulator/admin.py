"""The admin API under /__emulator__/: read the requests, move the clock, set faults, seed, change or reset data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenario_apply.emulator import agenda, query
from scenario_apply.emulator.access import Access
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.credentials import issue_token
from scenario_apply.emulator.faults import Rule
from scenario_apply.emulator.messages import Json, Request, Response
from scenario_apply.emulator.mutation import mutate
from scenario_apply.emulator.options import FAULT_KINDS
from scenario_apply.emulator.request_bodies import BodySchema, read_json
from scenario_apply.emulator.request_log import as_json
from scenario_apply.emulator.router import Router
from scenario_apply.emulator.seeding import add_public_models, ensure_projects, seed
from scenario_apply.emulator.store import dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World


_ADVANCE = BodySchema(
    {
        "type": "object",
        "required": ["seconds"],
        "properties": {"seconds": {"type": "number", "minimum": 0, "maximum": 10 * 365 * 86400}},
    }
)
_FAULTS = BodySchema(
    {
        "type": "object",
        "properties": {
            "chances": {
                "type": "object",
                "properties": {kind: {"type": "number", "minimum": 0, "maximum": 1} for kind in FAULT_KINDS},
                "additionalProperties": False,
            },
            "seed": {"type": "integer"},
            "slowSeconds": {"type": "number", "minimum": 0, "maximum": 3600},
            "rules": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["kind"],
                    "properties": {
                        "kind": {"enum": FAULT_KINDS},
                        "method": {"type": "string"},
                        "path": {"type": "string"},
                        "skip": {"type": "integer", "minimum": 0},
                        "times": {"type": "integer", "minimum": 0},
                    },
                    "additionalProperties": False,
                },
            },
        },
    }
)


def add_routes(router: Router) -> None:
    """Register the admin paths."""
    for method, path, handler in (
        ("GET", "health", health),
        ("GET", "requests", requests),
        ("DELETE", "requests", clear_requests),
        ("POST", "reset", reset),
        ("POST", "seed", seed_world),
        ("GET", "snapshot", snapshot),
        ("GET", "clock", clock),
        ("POST", "clock/advance", advance),
        ("GET", "faults", get_faults),
        ("PUT", "faults", put_faults),
        ("POST", "mutate", mutate),
        ("POST", "tokens", token),
    ):
        router.add(method, f"/__emulator__/{path}", handler, Access.OWNER)


def health(world: World, request: Request) -> Response:
    """GET health: current emulator time and number of requests."""
    return Response(dump({"status": "ok", "now": iso(world.now_ms()), "requests": world.log.total}))


def requests(world: World, request: Request) -> Response:
    """GET requests?after=N: the log, oldest first."""
    after = query.number(request, "after", 0, None, 0)
    return Response(dump({"requests": [as_json(entry) for entry in world.log.entries(after)]}))


def clear_requests(world: World, request: Request) -> Response:
    """DELETE requests: forget the log."""
    world.log.clear()
    return Response(b"{}")


def reset(world: World, request: Request) -> Response:
    """POST reset: an empty world with the public models; faults are reset to the options."""
    world.forget()
    with world.db.transaction():
        add_public_models(world)
    ensure_projects(world)
    return Response(b"{}")


def seed_world(world: World, request: Request) -> Response:
    """POST seed: add the content of a seed file; returns the ids of the new models."""
    body = read_json(request)
    with world.db.transaction():
        made = seed(world, body)
    return Response(dump(made))


def snapshot(world: World, request: Request) -> Response:
    """GET snapshot: everything the world holds, as rows."""
    tables: Json = {"now": iso(world.now_ms())}
    for table in ("projects", "models", "training_images", "assets", "jobs", "uploads", "webhook_events"):
        rows = world.db.all(f"SELECT * FROM {table} ORDER BY rowid")  # noqa: S608 -- one of the words above
        tables[table] = [_plain(dict(row)) for row in rows]
    return Response(dump(tables))


def clock(world: World, request: Request) -> Response:
    """GET clock"""
    return Response(dump({"clock": world.options.clock, "nowMs": world.now_ms(), "now": iso(world.now_ms())}))


def advance(world: World, request: Request) -> Response:
    """POST clock/advance {"seconds": 5}"""
    body = read_json(request)
    _ADVANCE.check(body, "body")
    world.advance(body["seconds"])
    agenda.settle(world)
    return clock(world, request)


def get_faults(world: World, request: Request) -> Response:
    """GET faults"""
    faults = world.faults
    rules = [
        {"kind": one.kind, "method": one.method, "path": one.path, "skip": one.skip, "times": one.times}
        for one in faults.rules
    ]
    return Response(
        dump({"chances": faults.chances, "seed": faults.seed, "slowSeconds": faults.slow_s, "rules": rules})
    )


def put_faults(world: World, request: Request) -> Response:
    """PUT faults {"chances": {...}, "seed": 1, "slowSeconds": 1, "rules": [...]}: each key replaces its value."""
    body = read_json(request)
    _FAULTS.check(body, "body")
    faults = world.faults
    if "chances" in body or "seed" in body:
        faults.set_chances(body.get("chances", faults.chances), int(body.get("seed", faults.seed)))
    faults.slow_s = float(body.get("slowSeconds", faults.slow_s))
    if "rules" in body:
        faults.rules = [Rule(**rule) for rule in body["rules"]]
    return get_faults(world, request)


def token(world: World, request: Request) -> Response:
    """POST tokens: a bearer token that is valid for a minute."""
    return Response(dump({"token": issue_token(world)}))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    for key, value in row.items():
        if isinstance(value, bytes):
            row[key] = None if key == "fingerprint" else load(value)
    row.pop("fingerprint", None)
    return row
