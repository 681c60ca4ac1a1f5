"""The dataset score: how alike the pictures are, how far apart the captions, and what is too small or missing.

Pictures are compared by a 16 x 16 brightness grid, captions by the Dice distance of their words. Advisory only.
"""

from __future__ import annotations

import re
from itertools import combinations
from operator import sub
from statistics import mean, median
from typing import TYPE_CHECKING

from scenario_apply.emulator.grids import GRID, brightness_grid
from scenario_apply.emulator.messages import Json, Request, Response
from scenario_apply.emulator.models import find_model
from scenario_apply.emulator.store import Row, dump

if TYPE_CHECKING:
    from scenario_apply.emulator.world import World

_AT_ONCE = 16
"""Pictures decoded while the request waits; of a larger set the score is `incomplete` until all are."""
MIN_SIDE = 1024
_TOO_ALIKE = 0.95
_TOO_DIFFERENT = 0.35
_CAPTIONS_TOO_CLOSE = 0.15

_IMAGES = "SELECT a.* FROM training_images t JOIN assets a ON a.id = t.asset WHERE t.model = ? ORDER BY t.seq"


def training_dataset(world: World, request: Request) -> Response:
    """GET /models/{modelId}/scores/training-dataset"""
    row = find_model(world, request, request.params[0])
    rows = world.db.all(_IMAGES, (row["id"],))
    known = _fingerprints(world, rows)
    if known is None:
        rows, known, status = [], {}, "incomplete"
    else:
        status = "complete" if len(rows) > 1 else "incomplete" if rows else "unknown"
    grids = [known[one["seq"]] for one in rows]
    words = [words_of(one["description"] or one["caption"]) for one in rows]
    likeness: list[Json] = []
    distance: list[Json] = []
    couples: list[Json] = []
    for first, second in combinations(range(len(rows)), 2):
        ids = [rows[first]["id"], rows[second]["id"]]
        alike = similarity(grids[first], grids[second])
        apart = dice_distance(words[first], words[second])
        likeness.append({"couple": ids, "similarity": alike})
        distance.append({"couple": ids, "distance": apart})
        messages = _couple_warnings(rows[first], rows[second], alike, apart)
        if messages:
            couples.append({"couple": ids, "message": messages})
    singles = _single_warnings(rows, likeness)
    means = _mean_likeness(rows, likeness)
    metadata = mean([0.0 if _small(one) else 1.0 for one in rows]) if rows else 0.0
    details = {
        "assetCouplesCaptionsDistance": distance,
        "assetCouplesSimilarity": likeness,
        "assetsEmbeddingSimilarity": [{"assetId": key, "similarity": value} for key, value in means.items()],
        "assetsSimilarity": _spread(list(means.values())),
        "couplesCaptionsDistance": _spread([one["distance"] for one in distance]),
        "couplesSimilarity": _spread([one["similarity"] for one in likeness]),
        "metadataScore": metadata,
    }
    return Response(
        dump(
            {
                "modelId": row["id"],
                "score": _score(len(rows), singles, couples, metadata),
                "status": status,
                "details": details,
                "assetsWarnings": singles,
                "assetCouplesWarnings": couples,
            }
        )
    )


def similarity(first: bytes, second: bytes) -> float:
    """1 for the same grid, 0 for black against white."""
    if not first or not second:
        return 0.0
    difference: int = sum(map(abs, map(sub, first, second)))
    return round(1 - difference / (255 * GRID * GRID), 4)


def dice_distance(first: frozenset[str], second: frozenset[str]) -> float:
    """0 for the same words, 1 for none in common."""
    if not first and not second:
        return 0.0
    return round(1 - 2 * len(first & second) / (len(first) + len(second)), 4)


def words_of(caption: str) -> frozenset[str]:
    """The words of a text, in lower case."""
    return frozenset(re.findall(r"\w+", caption.lower()))


def _fingerprints(world: World, rows: list[Row]) -> dict[int, bytes] | None:
    """The brightness grid of each picture by its seq, computed once; None while a large set is still being decoded."""
    found = {row["seq"]: bytes(row["fingerprint"]) for row in rows if row["fingerprint"] is not None}
    missing = [row for row in rows if row["seq"] not in found]
    wait = len(missing) > _AT_ONCE
    for row in missing:
        grid: bytes | None = b""
        if row["sha256"] is not None:
            grid = world.grids.taken(row["sha256"])
            if grid is None and not wait:
                grid = brightness_grid(world.blobs.path(row["sha256"]).read_bytes())
        if grid is not None:
            world.db.run(
                "UPDATE assets SET fingerprint = ? WHERE sha256 IS ? OR seq = ?", (grid, row["sha256"], row["seq"])
            )
            found[row["seq"]] = grid
    left = [row for row in missing if row["seq"] not in found]
    if left:
        world.grids.ask((row["sha256"], world.blobs.path(row["sha256"])) for row in left)
        return None
    return found


def _small(row: Row) -> bool:
    return row["width"] is not None and min(row["width"], row["height"]) < MIN_SIDE


def _couple_warnings(first: Row, second: Row, alike: float, apart: float) -> list[str]:
    messages = []
    if first["sha256"] is not None and first["sha256"] == second["sha256"]:
        messages.append("Same asset")
    elif alike >= _TOO_ALIKE:
        messages.append("Similarity is too high")
    if first["description"] and first["description"] == second["description"]:
        messages.append("Captions are identical")
    elif first["description"] and second["description"] and apart < _CAPTIONS_TOO_CLOSE:
        messages.append("Captions are too close")
    return messages


def _single_warnings(rows: list[Row], likeness: list[Json]) -> list[Json]:
    means = _mean_likeness(rows, likeness)
    warnings = []
    for row in rows:
        messages = []
        if not row["description"] and not row["caption"]:
            messages.append("Missing caption")
        elif row["description"] and not row["description"].strip():
            messages.append("Empty caption")
        if row["width"] is None:
            messages.append("Missing metadata")
        elif _small(row):
            messages.append("Width and height must be larger than 1024")
        if len(rows) > 2 and means[row["id"]] < _TOO_DIFFERENT:
            messages.append("Similarity with other assets is too low")
        if messages:
            warnings.append({"assetId": row["id"], "message": messages})
    return warnings


def _mean_likeness(rows: list[Row], likeness: list[Json]) -> dict[str, float]:
    sums = {row["id"]: 0.0 for row in rows}
    for one in likeness:
        for identifier in one["couple"]:
            sums[identifier] += one["similarity"]
    return {key: round(value / max(1, len(rows) - 1), 4) for key, value in sums.items()}


def _spread(values: list[float]) -> Json:
    if not values:
        return {"mean": 0, "median": 0, "min": 0}
    return {"mean": round(mean(values), 4), "median": round(median(values), 4), "min": min(values)}


def _score(count: int, singles: list[Json], couples: list[Json], metadata: float) -> float:
    if not count:
        return 0.0
    touched = {one["assetId"] for one in singles} | {identifier for one in couples for identifier in one["couple"]}
    enough = min(1.0, count / 5)
    return round(max(0.0, 0.6 * (1 - len(touched) / count) + 0.2 * metadata + 0.2 * enough), 4)
