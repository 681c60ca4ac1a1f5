"""What the world holds before anybody asks: a few public models, and whatever a seed file says.

A seed file is JSON: {"projects": ["id"], "models": [{"name": "Ink Wash", "type": "flux.1-lora", "status": "trained",
"id": "...", "project": "...", "tags": [...]}]}. Everything but name is optional; trained is the default status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from scenario_apply.emulator import checks
from scenario_apply.emulator.families import MODEL_TYPES
from scenario_apply.emulator.messages import ApiError, Json, bad_request
from scenario_apply.emulator.models import insert_model

if TYPE_CHECKING:
    from pathlib import Path

    from scenario_apply.emulator.world import World

_PUBLIC = (
    ("flux.1-dev", "flux.1", "Flux.1 Dev"),
    ("flux.1-kontext-dev", "flux.1-kontext-dev", "Flux.1 Kontext Dev"),
    ("flux.1-krea-dev", "flux.1-krea-dev", "Flux.1 Krea Dev"),
    ("model_public_storybook_watercolor", "flux.1-lora", "Storybook Watercolor"),
)
_MODEL: dict[str, checks.Check] = {
    "id": checks.text(100),
    "name": checks.text(64),
    "type": checks.text(),
    "status": checks.one_of("new", "trained", "failed", "training-canceled"),
    "project": checks.text(100),
    "tags": checks.array(checks.text()),
    "shortDescription": checks.text(256),
}


def first_start(world: World) -> None:
    """Fill a world that has never been filled: the public models, then the seed file."""
    if world.db.meta("seeded") is None:
        with world.db.transaction():
            add_public_models(world)
            if world.options.seed_file is not None:
                seed(world, read_seed(world.options.seed_file))
            world.db.set_meta("seeded", "1")
    ensure_projects(world)


def ensure_projects(world: World) -> None:
    """The projects the options name, or the one an API key stands for."""
    for project in world.options.projects or (world.default_project,):
        world.ensure_project(project)


def read_seed(path: Path) -> Json:
    """A seed file. Raises ApiError with what is wrong with it."""
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as problem:
        raise bad_request(f"{path}: {problem}") from None
    if not isinstance(value, dict):
        raise bad_request(f"{path}: must be a JSON object")
    return value


def add_public_models(world: World) -> None:
    """Base models and one LoRA that everybody can read."""
    for identifier, kind, name in _PUBLIC:
        doc = {"tags": ["official"], "shortDescription": "A public model of the emulator"}
        insert_model(world, "public", kind, "trained", name, doc, id=identifier, privacy="public")


def seed(world: World, wanted: Json) -> Json:
    """Add what a seed says; the ids of what was made. Raises 400."""
    for project in wanted.get("projects", []):
        checks.text(100)(project, "projects")
        world.ensure_project(project)
    models: Any = wanted.get("models", [])
    checks.array(checks.nested(_MODEL))(models, "models")
    made = []
    for index, model in enumerate(models):
        kind = model.get("type", "flux.1-lora")
        if kind not in MODEL_TYPES:
            raise bad_request(f"models[{index}].type: unknown type {kind[:60]!r}")
        project = model.get("project") or world.default_project
        world.ensure_project(project)
        if "id" in model and world.db.one("SELECT 1 FROM models WHERE id = ?", (model["id"],)) is not None:
            raise ApiError(400, f"models[{index}].id: {model['id']} exists", "INVALID_PARAMETER")
        doc = {key: model[key] for key in ("tags", "shortDescription") if key in model}
        identifier = insert_model(
            world, project, kind, model.get("status", "trained"), model.get("name"), doc, id=model.get("id")
        )
        made.append(identifier)
    return {"models": made}
