"""Comparing many hashes at once finds what comparing them one by one finds."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from scenario_apply.dataset.lint.hash_distances import ClosePair, close_pairs

BITS = 128


def some_hashes(count: int, seed: int) -> list[tuple[int, int]]:
    """Random hashes, a third of them a few bits away from the one before or from its mirror image."""
    draw = random.Random(seed)
    found: list[tuple[int, int]] = []
    for number in range(count):
        own, mirror = draw.getrandbits(BITS), draw.getrandbits(BITS)
        if found and number % 3 == 0:
            own = found[-1][draw.randrange(2)]
            for _ in range(draw.randrange(20)):
                own ^= 1 << draw.randrange(BITS)
        found.append((own, mirror))
    return found


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
@pytest.mark.parametrize(("farthest", "mirrored"), [(0, 0), (12, 9), (3.5, 128), (-1, -1)])
def test_the_same_pairs_as_one_by_one(count: int, farthest: float, mirrored: float) -> None:
    """In the same order, with the distance of the upright pictures."""
    hashes = some_hashes(count, seed=count)
    expected = []
    for (one, first), (other, second) in combinations(enumerate(hashes), 2):
        distance = (first[0] ^ second[0]).bit_count()
        if distance <= farthest or (first[0] ^ second[1]).bit_count() <= mirrored:
            expected.append(ClosePair(one, other, distance))
    assert list(close_pairs(hashes, farthest, mirrored)) == expected


def test_hashes_that_differ_everywhere() -> None:
    """128 bits are the most: the sum of a hash does not run into the next one."""
    every = (1 << BITS) - 1
    assert list(close_pairs([(0, 0), (every, every), (0, 0)], 127, 0)) == [(0, 2, 0)]
    assert [pair.distance for pair in close_pairs([(0, 0), (every, every)], 128, 0)] == [128]
