"""Statistics of a decoded picture: its brightness, its detail, and how sharp its sharpest edges are."""

from __future__ import annotations

from PIL import Image, ImageFilter

from scenario_apply.dataset.facts import GRID_SIZE, PixelStatistics

_SIDE = 128  # pixels of the longer side of the copy that is measured: JPEG is decoded no larger for it
_SHARPEST = 0.998  # of the pixels have weaker edges: some thirty have stronger ones


def statistics_of(flat: Image.Image, colours: Image.Image) -> PixelStatistics:
    """flat: an RGB copy of the picture, at least 128 pixels wide and high if it is. colours: 32x32 RGB."""
    grey = flat.convert("L")
    grey.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    histogram = grey.histogram()
    darkest, dark, bright = (_percentile(histogram, share) for share in (0.01, 0.05, 0.99))
    contrast = max(1, bright - darkest)
    edges = grey.filter(ImageFilter.FIND_EDGES)
    inner = edges.crop((1, 1, max(2, edges.width - 1), max(2, edges.height - 1)))  # the filter copies the border
    sharpness = _percentile(inner.histogram(), _SHARPEST) / contrast
    grid = colours.convert("L").resize((GRID_SIZE, GRID_SIZE), Image.Resampling.BOX).tobytes()
    return PixelStatistics(darkest, dark, bright, round(grey.entropy(), 3), round(sharpness, 3), grid)


def _percentile(histogram: list[int], share: float) -> int:
    """The level that this share of the pixels does not exceed."""
    left = share * sum(histogram)
    for level, count in enumerate(histogram):
        left -= count
        if left <= 0:
            return level
    return len(histogram) - 1
