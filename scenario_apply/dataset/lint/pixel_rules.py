"""Q01, Q02 and D07: pictures that are blurred, dark, bright, flat, or unlike all others. All are notes.

Brightness and detail are measured as in cleanvision: percentiles of brightness, and 1 - exp(-entropy / 10).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from math import exp

from scenario_apply.dataset.facts import PixelStatistics
from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.model.lint_rules import Finding

_LEAST_CONTRAST = 96
"""Levels of 255: with so much between its darkest and its brightest parts, a plain picture shows something."""


def blur_and_exposure(subject: Subject) -> Iterator[Finding]:
    """Q01, Q02."""
    for picture in subject.sound:
        pixels = picture.facts.statistics
        if pixels is None:
            continue
        yield from _exposure(subject, picture, pixels)
        is_flat = pixels.bright - pixels.darkest < _LEAST_CONTRAST
        if not is_flat and pixels.sharpness < subject.number("blur"):
            yield picture.finding("Q01", "looks blurred: it has no sharp edge", "use a sharper original")


def _exposure(subject: Subject, picture: Picture, pixels: PixelStatistics) -> Iterator[Finding]:
    if pixels.bright / 255 < subject.number("dark"):
        yield picture.finding("Q02", "very dark: even its brightest parts are", "brighten it, or use another picture")
    elif 1 - pixels.dark / 255 < subject.number("light") and pixels.bright - pixels.darkest < _LEAST_CONTRAST:
        yield picture.finding("Q02", "very bright: even its darkest parts are", "darken it, or use another picture")
    elif 1 - exp(-pixels.entropy / 10) < subject.number("flat") and pixels.bright - pixels.darkest < _LEAST_CONTRAST:
        yield picture.finding("Q02", "hardly shows anything: nearly one even colour", "check that it is what you meant")


def unlike_others(subject: Subject) -> Iterator[Finding]:
    """D07: the mean difference in brightness from all other pictures, as the service scores similarity."""
    seen = [
        (picture, picture.facts.statistics.grid) for picture in subject.sound if picture.facts.statistics is not None
    ]
    if len(seen) < 3 or subject.spec.is_pairs:
        return
    tables = [_distances([grid[cell] for _, grid in seen]) for cell in range(len(seen[0][1]))]
    for picture, grid in seen:
        total = sum(table[level] for table, level in zip(tables, grid, strict=True))
        similarity = 1 - total / (255 * len(grid) * (len(seen) - 1))
        if similarity < subject.number("similarity"):
            what = f"unlike the other pictures: {similarity:.0%} similar in brightness, on average"
            yield picture.finding("D07", what, "check that it belongs to this dataset")


def _distances(levels: list[int]) -> list[int]:
    """For each level from 0 to 255, the sum of its distances to these levels."""
    counts = [0] * 256
    for level in levels:
        counts[level] += 1
    below = [0, *accumulate(accumulate(counts[:-1]))]
    above = [0, *accumulate(accumulate(reversed(counts[1:])))]
    return [low + high for low, high in zip(below, reversed(above), strict=True)]
