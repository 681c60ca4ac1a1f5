"""Statistics of a decoded picture: its brightness, its detail, and how sharp its sharpest edges are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from PIL import Image, ImageFilter

from scenario_apply.dataset.facts import GRID_SIZE, PixelStatistics

_SIDE = 128  # pixels of the longer side of the copy that is measured: JPEG is decoded no larger for it
_SHARPEST = 0.998  # of the pixels have weaker edges: some thirty have stronger ones


def statistics_of(grey: Image.Image, colours: Image.Image) -> PixelStatistics:
    """grey: a copy of the picture, at least 128 pixels wide and high if it is, made smaller. colours: 32x32 RGB."""
    grey.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    darkest, dark, bright = _percentiles(grey.histogram(), (0.01, 0.05, 0.99))
    contrast = max(1, bright - darkest)
    edges = grey.filter(ImageFilter.FIND_EDGES)
    inner = edges.crop((1, 1, max(2, edges.width - 1), max(2, edges.height - 1)))  # the filter copies the border
    (sharpest,) = _percentiles(inner.histogram(), (_SHARPEST,))
    grid = colours.convert("L").resize((GRID_SIZE, GRID_SIZE), Image.Resampling.BOX).tobytes()
    return PixelStatistics(darkest, dark, bright, round(grey.entropy(), 3), round(sharpest / contrast, 3), grid)


def _percentiles(histogram: list[int], shares: Sequence[float]) -> list[int]:
    """For each share the level that this share of the pixels does not exceed."""
    not_above = list(accumulate(histogram))
    return [bisect_left(not_above, share * not_above[-1]) for share in shares]
