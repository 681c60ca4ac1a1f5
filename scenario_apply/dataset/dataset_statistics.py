"""A dataset in numbers: sizes, aspect ratios, lengths of captions, and which pictures look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import nsmallest
from math import log
from typing import NamedTuple

from scenario_apply.dataset.lint.duplicate_rules import split_hashes
from scenario_apply.dataset.types import Contents, Image

UNRELATED_BITS = 64
"""In how many of 128 bits the difference hashes of two unrelated pictures differ on average."""
MOST_COMPARED = 1000
"""Pictures of a dataset that are compared with each other: half a million pairs."""
CLOSEST_LISTED = 10

ASPECTS = (
    ("wider than 2:1", 2.4), ("2:1", 2), ("16:9", 16 / 9), ("3:2", 3 / 2), ("4:3", 4 / 3), ("5:4", 5 / 4), ("1:1", 1),
    ("4:5", 4 / 5), ("3:4", 3 / 4), ("2:3", 2 / 3), ("9:16", 9 / 16), ("1:2", 1 / 2), ("taller than 1:2", 1 / 2.4),
)  # fmt: skip
"""Names of aspect ratios, width to height, from wide to tall."""


class AlikePair(NamedTuple):
    """Paths of two pictures; similarity: see Similarity."""

    one: str
    other: str
    similarity: float


class Similarity(NamedTuple):
    """How much pictures look alike, by their shapes: 1 for the same, 0 for pictures that have nothing in common.

    paths: of the pictures compared. rows: for each of them, its similarity to every one before it; nearest: for each,
    that to the one most like it. closest: the most similar pairs.
    """

    paths: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    nearest: tuple[float, ...]
    closest: tuple[AlikePair, ...]


class DatasetStatistics(NamedTuple):
    """sizes: (width, height) in pixels -> pictures, aspects: name -> pictures; of those whose size is known.

    words: of each caption that is written. automatic: pictures that Scenario captions. unknown: pictures whose bytes
    are not here. not_compared: pictures without a similarity.
    """

    images: int
    sizes: Mapping[tuple[int, int], int]
    aspects: Mapping[str, int]
    words: tuple[int, ...]
    automatic: int
    unknown: int
    similarity: Similarity
    not_compared: int


def dataset_statistics(contents: Contents) -> DatasetStatistics:
    """The statistics of a dataset, of its pictures as they are sent."""
    known = [image for image in contents.images if image.width and image.height]
    hashed = [image for image in contents.images if image.hashes][:MOST_COMPARED]
    captions = _captions(contents)
    counts = Counter(aspect_of(image.width, image.height) for image in known)
    return DatasetStatistics(
        images=len(contents.images),
        sizes=Counter((image.width, image.height) for image in known),
        aspects={name: counts[name] for name, _ in ASPECTS if counts[name]},
        words=tuple(len(caption.split()) for caption in captions if caption is not None),
        automatic=sum(caption is None for caption in captions),
        unknown=len(contents.images) - len(known),
        similarity=_similarity(hashed),
        not_compared=len(contents.images) - len(hashed),
    )


def aspect_of(width: int, height: int) -> str:
    """The name in ASPECTS that is nearest to a size."""
    ratio = width / height
    return min(ASPECTS, key=lambda aspect: abs(log(ratio / aspect[1])))[0]


def _captions(contents: Contents) -> list[str | None]:
    """Of every picture; of a dataset of edit pairs, its instructions."""
    if contents.pairs:
        return [pair.instruction for pair in contents.pairs]
    return [image.caption for image in contents.images]


def _similarity(images: Sequence[Image]) -> Similarity:
    hashes = [split_hashes(image.hashes)[0] for image in images]
    rows = tuple(
        tuple([max(0.0, 1 - (one ^ other).bit_count() / UNRELATED_BITS) for other in hashes[:index]])
        for index, one in enumerate(hashes)
    )
    nearest = [0.0] * len(hashes)
    for index, row in enumerate(rows):
        for other, similarity in enumerate(row):
            if similarity > nearest[index]:
                nearest[index] = similarity
            if similarity > nearest[other]:
                nearest[other] = similarity
    paths = tuple(image.path for image in images)
    pairs = ((row[other], other, index) for index, row in enumerate(rows) for other in range(index))
    best = nsmallest(CLOSEST_LISTED, pairs, key=lambda pair: (-pair[0], *pair[1:]))
    closest = tuple(
        AlikePair(paths[other], paths[index], similarity) for similarity, other, index in best if similarity
    )
    return Similarity(paths, rows, tuple(nearest) if len(paths) > 1 else (), closest)
