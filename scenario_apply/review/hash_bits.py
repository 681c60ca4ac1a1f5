"""How far two perceptual hashes are apart."""

from __future__ import annotations


def differing_bits(one: str | None, other: str | None) -> int | None:
    """Bits in which two hashes differ; None where one is missing, or they are of different kinds."""
    if not one or not other or len(one) != len(other):
        return None
    try:
        return (int(one, 16) ^ int(other, 16)).bit_count()
    except ValueError:
        return None
