"""A model as the API shows it, from its row, its training images and its running job."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scenario_apply.emulator.cdn import asset_url
from scenario_apply.emulator.clock import iso
from scenario_apply.emulator.messages import Json
from scenario_apply.emulator.progress import Timeline, progress_at
from scenario_apply.emulator.store import Row, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

PREVIEWED_IMAGES = 3
_KEPT_ON_FREE_MS = 30 * 86_400_000
"""How long the Free plan keeps a model. The property is documented, the time is not."""
AUTHOR = "api_emulator"

_IMAGES = """
SELECT t.model, t.created, a.id, a.name, a.description, a.caption FROM training_images t JOIN assets a ON a.id = t.asset
"""
_COPIED = ("concepts", "parameters", "parentModelId", "epoch", "promptEmbedding", "negativePromptEmbedding", "class")


def training_image(world: World, origin: str, row: Row) -> Json:
    """One training image; both captions are always strings."""
    shown = row["caption"] if world.options.show_captions and not row["description"] else row["description"]
    return {
        "id": row["id"],
        "automaticCaptioning": row["caption"],
        "createdAt": iso(row["created"]),
        "description": shown,
        "downloadUrl": asset_url(world, origin, row["id"]),
        "name": row["name"],
    }


def training_image_row(world: World, model: str, asset: str) -> Row | None:
    """One attached image, if it is."""
    return world.db.one(_IMAGES + "WHERE t.model = ? AND t.asset = ?", (model, asset))


def one_model(world: World, origin: str, row: Row) -> Json:
    """The full view of one model: every training image."""
    return model_views(world, origin, [row], all_images=True)[0]


def model_views(
    world: World, origin: str, rows: Iterable[Row], *, all_images: bool = False, images: bool = True
) -> list[Json]:
    """Views of many models with a fixed number of queries."""
    rows = list(rows)
    if not rows:
        return []
    marks = ",".join("?" * len(rows))
    ids = [row["id"] for row in rows]
    counts = {
        found["model"]: found["n"]
        for found in world.db.all(
            f"SELECT model, count(*) AS n FROM training_images WHERE model IN ({marks}) GROUP BY model",  # noqa: S608 -- only ? and our own words
            ids,  # only question marks are put into the text, here and below
        )
    }
    shown = _images(world, ids, marks, all_images) if images and counts else {}
    jobs = [row["job"] for row in rows if row["status"] == "training" and row["job"]]
    running = _jobs(world, jobs) if jobs else {}
    return [
        _view(world, origin, row, counts.get(row["id"], 0), shown.get(row["id"], []), running.get(row["job"]), images)
        for row in rows
    ]


def _images(world: World, ids: list[str], marks: str, all_images: bool) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    if all_images or len(ids) == 1:
        found = world.db.all(_IMAGES + f"WHERE t.model IN ({marks}) ORDER BY t.seq", ids)
    else:
        ranked = (
            "SELECT t.*, row_number() OVER (PARTITION BY t.model ORDER BY t.seq) AS place "  # noqa: S608 -- only ? and our own words
            f"FROM training_images t WHERE t.model IN ({marks})"
        )
        found = world.db.all(
            "SELECT t.model, t.created, a.id, a.name, a.description, a.caption "  # noqa: S608 -- only ? and our own words
            f"FROM ({ranked}) t JOIN assets a ON a.id = t.asset WHERE t.place <= {PREVIEWED_IMAGES} ORDER BY t.seq",
            ids,
        )
    for row in found:
        grouped.setdefault(row["model"], []).append(row)
    if not all_images:
        return {model: images[:PREVIEWED_IMAGES] for model, images in grouped.items()}
    return grouped


def _jobs(world: World, ids: list[str]) -> dict[str, Row]:
    marks = ",".join("?" * len(ids))
    found = world.db.all(f"SELECT * FROM jobs WHERE id IN ({marks})", ids)  # noqa: S608 -- only ? and our own words
    return {row["id"]: row for row in found}


def _view(
    world: World, origin: str, row: Row, count: int, shown: list[Row], job: Row | None, with_images: bool
) -> Json:
    doc = load(row["doc"])
    is_own = row["privacy"] == "private"
    view: Json = {
        "id": row["id"],
        "capabilities": ["txt2img", "img2img"],
        "collectionIds": doc.get("collectionIds", []),
        "createdAt": iso(row["created"]),
        "custom": is_own or row["type"] == "custom",
        "exampleAssetIds": doc.get("exampleAssetIds", []),
        "privacy": row["privacy"],
        "source": "scenario",
        "status": row["status"],
        "tags": doc.get("tags", []),
        "trainingImagesNumber": count,
        "type": row["type"],
        "updatedAt": iso(row["updated"]),
        "accessRestrictions": 0,
        "complianceMetadata": {},
        "ownerId": row["project"],
    }
    if is_own:
        view |= {"authorId": AUTHOR, "userId": AUTHOR}
    if row["name"] is not None:
        view["name"] = row["name"]
    if row["deleted"] is not None:
        view["deletedAt"] = iso(row["deleted"])
    if world.options.plan == "free":
        view["softDeletionOn"] = iso(row["created"] + _KEPT_ON_FREE_MS)
    for key in _COPIED:
        if key in doc:
            view[key] = doc[key]
    _add_texts_and_pictures(world, origin, view, doc)
    if with_images:
        view["trainingImages"] = [training_image(world, origin, image) for image in shown]
        view["trainingImagePairs"] = doc.get("pairs", [])
    if row["job"] is not None and is_own:
        view["jobId"] = row["job"]
    if job is not None:
        view["trainingProgress"] = _progress(world.now_ms(), job)
    return view


def _add_texts_and_pictures(world: World, origin: str, view: Json, doc: Json) -> None:
    if doc.get("shortDescription") is not None:
        view["shortDescription"] = doc["shortDescription"]
    if doc.get("thumbnail"):
        view["thumbnail"] = _asset_ref(world, origin, doc["thumbnail"])
    if doc.get("epochs"):
        view["epochs"] = [
            {"epoch": one["epoch"], "assets": [_asset_ref(world, origin, asset) for asset in one["assets"]]}
            for one in doc["epochs"]
        ]
    if doc.get("stats"):
        view["trainingStats"] = doc["stats"]


def _asset_ref(world: World, origin: str, asset: str) -> Json:
    return {"assetId": asset, "url": asset_url(world, origin, asset)}


def _progress(now: int, job: Row) -> Json:
    line = Timeline(created=job["created"], queued_until=job["queued_until"], ends=job["ends"])
    where = progress_at(line, now, load(job["doc"]).get("position", 1))
    view: dict[str, Any] = {
        "stage": where.stage,
        "updatedAt": now,
        "progress": where.progress,
        "remainingTimeMs": where.remaining_ms,
    }
    if where.position:
        view["position"] = where.position
    else:
        view["startedAt"] = line.queued_until
    return view
