"""What a simulated training leaves of its dataset, and what a generation makes of it: kept as facts, drawn on request.

A model's doc has `learned`: one entry for a LoRA, those of all its concepts for a composition. An entry names the
training pictures by SHA-256, with their captions, and has a key of everything that the training was given, so that the
same training draws the same pictures, on whatever machine and under whatever id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from scenario_apply.emulator.drawing import Influence, Sketch, draw
from scenario_apply.emulator.grids import tones
from scenario_apply.emulator.messages import Json
from scenario_apply.emulator.score import dice_distance, words_of
from scenario_apply.emulator.store import Row, dump, load

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

SAMPLE_SIDE = 512
_MOST_KEPT = 12
"""Training pictures that a model remembers, spread evenly over its dataset."""
_PER_PICTURE = 3
"""Of those, how many are blended in one generated picture: the ones whose captions are nearest to its prompt."""
_MOST_PARTS = 8
_MOST_BYTES = 64_000_000
"""Larger files are neither learned from nor edited: they are read whole."""

_IMAGES = """
SELECT a.* FROM training_images t JOIN assets a ON a.id = t.asset WHERE t.model = ? ORDER BY t.seq
"""


def learned_from(world: World, row: Row, doc: Json, parameters: Json) -> list[Json]:
    """The entries of a model whose training has just ended."""
    if doc.get("concepts"):
        return _merged(world, doc["concepts"])
    images = [
        (picture_sha256(world, one), one["description"] or one["caption"])
        for one in world.db.all(_IMAGES, (row["id"],))
    ]
    given = {"type": row["type"], "parameters": parameters, "pairs": len(doc.get("pairs", [])), "images": images}
    step = max(1, -(-len(images) // _MOST_KEPT))
    kept = [[sha256, caption[:300]] for sha256, caption in images[::step]]
    return [{"key": hashlib.sha256(dump(given)).hexdigest()[:16], "pictures": kept, "strength": 1.0, "learned": 1.0}]


def influences(models: Iterable[tuple[Row, float]], prompt: str) -> list[Json]:
    """What models, each with its scale, bring into a picture of a prompt: to be stored with the picture."""
    found = [
        part
        for row, scale in models
        for part in parts(_learned(row), prompt, scale=scale, share=share_of(load(row["doc"])))
    ]
    return sorted(found, key=lambda part: -abs(part["strength"]))[:_MOST_PARTS]


def parts(entries: Iterable[Json], prompt: str, *, scale: float = 1.0, share: float = 1.0) -> list[Json]:
    """The same for entries. share: how far the training had come, 0..1."""
    return [
        {
            "key": entry["key"],
            "pictures": _nearest(entry["pictures"], prompt),
            "strength": entry["strength"] * scale,
            "learned": entry["learned"] * share,
        }
        for entry in entries
    ]


def share_of(doc: Json, epoch: str | None = None) -> float:
    """0..1: how far the training had come at an epoch, or at the one in use."""
    wanted = epoch or doc.get("epoch")
    return next((float(one.get("share", 1)) for one in doc.get("epochs", []) if one["epoch"] == wanted), 1.0)


def picture_sha256(world: World, row: Row) -> str:
    """The SHA-256 of an asset's bytes. What was generated is drawn when its bytes are first needed, and then kept."""
    if row["sha256"] is not None:
        return str(row["sha256"])
    data = draw(_sketch(world, row))
    sha256 = world.blobs.put(data)
    world.db.run(
        "UPDATE assets SET sha256 = ?, size = ?, mime = 'image/jpeg' WHERE id = ?", (sha256, len(data), row["id"])
    )
    return sha256


def _sketch(world: World, row: Row) -> Sketch:
    doc = load(row["doc"])
    drawing = doc.get("drawing", {})
    reference = drawing.get("reference")
    return Sketch(
        prompt=str(drawing.get("prompt") or doc.get("prompt") or doc.get("title", "")),
        seed=str(drawing.get("seed", "/".join(map(str, doc.get("sample", []))))),
        title=str(doc.get("title", "")),
        width=row["width"] or SAMPLE_SIDE,
        height=row["height"] or SAMPLE_SIDE,
        influences=tuple(_influence(world, part) for part in drawing.get("influences", [])),
        reference=None if reference is None else _reference(world.blobs.path(reference)),
    )


def _reference(path: Path) -> bytes | None:
    return None if path.stat().st_size > _MOST_BYTES else path.read_bytes()


def _influence(world: World, part: Json) -> Influence:
    seen = tuple(filter(None, (_tones(world.blobs.path(sha256)) for sha256 in part["pictures"])))
    return Influence(key=part["key"], tones=seen, strength=part["strength"], learned=part["learned"])


@lru_cache(maxsize=2048)
def _tones(path: Path) -> bytes:
    """By path: a blob is named by its bytes. At most 6 MB are kept."""
    return b"" if path.stat().st_size > _MOST_BYTES else tones(path.read_bytes())


def _learned(row: Row) -> list[Json]:
    """Of a model that came trained, from a seed file or from an older release: what its name and type say."""
    given = f"{row['type']}/{row['name'] or row['id']}"
    own = {"key": hashlib.sha256(given.encode()).hexdigest()[:16], "pictures": [], "strength": 1.0, "learned": 1.0}
    entries: list[Json] = load(row["doc"]).get("learned") or [own]
    return entries


def _merged(world: World, concepts: Sequence[Json]) -> list[Json]:
    entries: list[Json] = []
    for concept in concepts:
        row = world.db.one("SELECT * FROM models WHERE id = ?", (concept["modelId"],))
        if row is None:
            continue
        share = share_of(load(row["doc"]), concept.get("modelEpoch"))
        entries += [
            entry | {"strength": entry["strength"] * concept["scale"], "learned": entry["learned"] * share}
            for entry in _learned(row)
        ]
    return entries


def _nearest(pictures: Sequence[Sequence[str]], prompt: str) -> list[str]:
    """Those whose captions are nearest to a prompt, the nearest first."""
    asked = words_of(prompt)
    ordered = sorted(pictures, key=lambda one: (dice_distance(asked, words_of(one[1])), one[0]))
    return [sha256 for sha256, _ in ordered[:_PER_PICTURE]]
