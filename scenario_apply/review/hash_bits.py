"""How far two perceptual hashes are apart."""

from __future__ import annotations

from functools import lru_cache


def differing_bits(one: str | None, other: str | None) -> int | None:
    """Bits in which two hashes differ; None where one is missing, or they are of different kinds."""
    if not one or not other or len(one) != len(other):
        return None
    first, second = _number(one), _number(other)
    return None if first is None or second is None else (first ^ second).bit_count()


@lru_cache(maxsize=4096)
def _number(digits: str) -> int | None:
    try:
        return int(digits, 16)
    except ValueError:
        return None
