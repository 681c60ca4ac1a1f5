"""What the world holds at its first start: a few public models, and the content of a seed file.

A seed file is JSON: {"projects": ["id"], "models": [{"name": "Ink Wash", "type": "flux.1-lora", "status": "trained",
"id": "...", "project": "...", "tags": [...]}]}. Everything but name is optional; trained is the default status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from scenario_apply.emulator.base_models import BASES
from scenario_apply.emulator.families import MODEL_TYPES
from scenario_apply.emulator.messages import ApiError, Json, bad_request
from scenario_apply.emulator.models import insert_model
from scenario_apply.emulator.request_bodies import BodySchema

if TYPE_CHECKING:
    from pathlib import Path

    from scenario_apply.emulator.world import World

_PUBLIC = (
    ("flux.1-dev", "flux.1", "Flux.1 Dev"),
    ("flux.1-kontext-dev", "flux.1-kontext-dev", "Flux.1 Kontext Dev"),
    ("flux.1-krea-dev", "flux.1-krea-dev", "Flux.1 Krea Dev"),
    ("model_public_storybook_watercolor", "flux.1-lora", "Storybook Watercolor"),
)
_SEED = BodySchema(
    {
        "type": "object",
        "properties": {
            "projects": {"type": "array", "items": {"type": "string", "maxLength": 100}},
            "models": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "id": {"type": "string", "maxLength": 100},
                        "name": {"type": "string", "maxLength": 64},
                        "type": {"type": "string"},
                        "status": {"enum": ["new", "trained", "failed", "training-canceled"]},
                        "project": {"type": "string", "maxLength": 100},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "shortDescription": {"type": "string", "maxLength": 256},
                    },
                },
            },
        },
    }
)


def first_start(world: World) -> None:
    """Fill a world that has never been filled: the public models, then the seed file."""
    if world.db.meta("seeded") is None:
        with world.db.transaction():
            add_public_models(world)
            if world.options.seed_file is not None:
                seed(world, read_seed(world.options.seed_file))
            world.db.set_meta("seeded", "1")
    else:
        with world.db.transaction():
            add_base_models(world)
    ensure_projects(world)


def ensure_projects(world: World) -> None:
    """The projects the options name, or the default project of an API key."""
    for project in world.options.projects or (world.default_project,):
        world.ensure_project(project)


def read_seed(path: Path) -> Json:
    """A seed file; `seed` checks its content. Raises ApiError when it cannot be read, or is not JSON."""
    try:
        value: Json = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as problem:
        raise bad_request(f"{path}: {problem}") from None
    return value


def add_public_models(world: World) -> None:
    """Models that everybody can read: older base models and one LoRA, and the bases that pictures are made with."""
    add_base_models(world)
    for identifier, kind, name in _PUBLIC:
        doc = {"tags": ["official"], "shortDescription": "A public model of the emulator"}
        insert_model(world, "public", kind, "trained", name, doc, id=identifier, privacy="public")


def add_base_models(world: World) -> None:
    """Those that the world does not hold: a data folder may be older than they are."""
    for base in BASES.values():
        if world.db.one("SELECT 1 FROM models WHERE id = ?", (base.id,)) is None:
            doc = {"tags": ["official"], "shortDescription": "A base model of the emulator"}
            insert_model(world, "public", "custom", "trained", base.name, doc, id=base.id, privacy="public")


def seed(world: World, content: Json) -> Json:
    """Add the content of a seed file; returns the ids of the new models. Raises 400."""
    _SEED.check(content, "seed")
    for project in content.get("projects", []):
        world.ensure_project(project)
    made = []
    for index, model in enumerate(content.get("models", [])):
        kind = model.get("type", "flux.1-lora")
        if kind not in MODEL_TYPES:
            raise bad_request(f"seed.models[{index}].type: unknown type {kind[:60]!r}")
        project = model.get("project") or world.default_project
        world.ensure_project(project)
        if "id" in model and world.db.one("SELECT 1 FROM models WHERE id = ?", (model["id"],)) is not None:
            raise ApiError(400, f"seed.models[{index}].id: {model['id']} exists", "INVALID_PARAMETER")
        doc = {key: model[key] for key in ("tags", "shortDescription") if key in model}
        identifier = insert_model(
            world, project, kind, model.get("status", "trained"), model.get("name"), doc, id=model.get("id")
        )
        made.append(identifier)
    return {"models": made}
