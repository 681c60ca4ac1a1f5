"""How much of its pictures a scan looks at."""

from __future__ import annotations

from enum import IntEnum

MOST_DECODED_BY_A_PLAN = 1_000
"""New images of one run. Decoding takes 5 to 60 ms of CPU for each, once as long as the cache lasts."""


class Depth(IntEnum):
    """HEADERS: bytes and headers. FEW_PIXELS: as ALL_PIXELS, unless more than MOST_DECODED_BY_A_PLAN images are new.

    ALL_PIXELS: every image is decoded, for damaged pixel data, near-duplicates and transparency.
    """

    HEADERS = 0
    FEW_PIXELS = 1
    ALL_PIXELS = 2
