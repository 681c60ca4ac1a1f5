"""Small plots as geometry, which templates/charts.html.jinja draws as SVG, each with its numbers as a table.

Coordinates are user units of an SVG whose text is 11 units high. No colour means anything by itself: marks have labels,
and the table says all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10, sqrt
from typing import NamedTuple

from scenario_apply.review.screen import fit, safe

Row = tuple[str, ...]

WIDTH = 360
_LEFT, _RIGHT, _TOP = 40, 8, 8
_PLOT_HEIGHT = 130
_BAR_HEIGHT, _BAR_GAP, _LABEL_WIDTH, _VALUE_WIDTH = 16, 6, 130, 84
_LABEL_COLUMNS, _VALUE_COLUMNS = 20, 14
_MOST_BARS = 14
_MOST_BINS = 12
_MOST_POINTS = 300
_MOST_ROWS = 40
LEVELS = (0.25, 0.5, 0.7, 0.85, 0.95)
"""From which value on a cell of a heat map has its first, second ... shade."""


class Numbers(NamedTuple):
    """The table that says what a plot shows. left_out: rows that it does not list."""

    head: Row
    rows: tuple[Row, ...]
    left_out: int = 0


class PlotMark(NamedTuple):
    """A shape with its words. A bar or a cell: x, y, width, height; a point: x, y, and its radius as width."""

    x: float
    y: float
    width: float
    height: float
    words: str
    label: str = ""
    value: str = ""


class Tick(NamedTuple):
    at: float
    text: str


class Chart(NamedTuple):
    """A plot. kind: bars, columns, points or heat, as its macro is named. key: unique on its page, for ids.

    summary: what the plot shows, in a sentence or two, for those who do not see it. shades: of a heat map, a path for
    each of LEVELS. left, bottom: where the axes are.
    """

    kind: str
    key: str
    title: str
    summary: str
    width: float
    height: float
    numbers: Numbers
    marks: tuple[PlotMark, ...] = ()
    across: tuple[Tick, ...] = ()
    up: tuple[Tick, ...] = ()
    left: float = _LEFT
    bottom: float = 0
    shades: tuple[str, ...] = ()


def bars(key: str, title: str, summary: str, rows: Sequence[tuple[str, float, str]], *, head: tuple[str, str]) -> Chart:
    """Horizontal bars. rows: label, length, and the words for it."""
    shown = rows[:_MOST_BARS]
    longest = max((value for _, value, _ in shown), default=0) or 1
    room = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    marks = tuple(
        PlotMark(
            _LABEL_WIDTH,
            _TOP + number * (_BAR_HEIGHT + _BAR_GAP),
            round(max(value / longest * room, 1 if value else 0), 1),
            _BAR_HEIGHT,
            f"{label}: {words}",
            fit(safe(label), _LABEL_COLUMNS),
            fit(safe(words), _VALUE_COLUMNS),
        )
        for number, (label, value, words) in enumerate(shown)
    )
    height = 2 * _TOP + len(shown) * (_BAR_HEIGHT + _BAR_GAP) - _BAR_GAP
    table = _numbers(head, [(label, words) for label, _, words in rows])
    return Chart("bars", key, title, summary, WIDTH, height, table, marks)


def histogram(
    key: str, title: str, summary: str, values: Iterable[float], *, unit: str, step: float | None = None
) -> Chart:
    """How many values there are of each size. step: of one column; None: chosen. unit: of the values, plural."""
    found = sorted(values)
    size = step or _step(found)
    first = floor(found[0] / size) if found else 0
    last = max(floor(found[-1] / size), first) if found else 0
    counts = [0] * (last - first + 1)
    for value in found:
        counts[floor(value / size) - first] += 1
    top, ticks = _axis(max(counts))
    wide = (WIDTH - _LEFT - _RIGHT) / len(counts)
    bottom = _TOP + _PLOT_HEIGHT
    marks = []
    for number, count in enumerate(counts):
        height = round(count / top * _PLOT_HEIGHT, 1)
        words = f"{_range(first + number, size)} {unit}: {count:,}"
        marks.append(
            PlotMark(round(_LEFT + number * wide, 1), round(bottom - height, 1), round(wide - 2, 1), height, words)
        )
    every = ceil(len(counts) / 8)
    across = tuple(
        Tick(round(_LEFT + number * wide, 1), f"{(first + number) * size:g}")
        for number in range(0, len(counts) + 1, every)
    )
    table = _numbers((unit.capitalize(), "How many"), [tuple(mark.words.rsplit(": ", 1)) for mark in marks])
    return Chart(
        "columns", key, title, summary, WIDTH, bottom + 22, table, tuple(marks), across, _up(ticks, top), bottom=bottom
    )


def points(
    key: str, title: str, summary: str, counts: Mapping[tuple[int, int], int], *, head: tuple[str, str], noun: str
) -> Chart:
    """One circle for each place, as large as many things are there. counts: (across, up) -> how many."""
    order = sorted(counts, key=lambda place: (-counts[place], place))
    wide, ticks_across = _axis(max((across for across, _ in order), default=0))
    high, ticks_up = _axis(max((up for _, up in order), default=0))
    bottom = _TOP + _PLOT_HEIGHT
    room = WIDTH - _LEFT - _RIGHT
    marks = [
        PlotMark(
            round(_LEFT + across / wide * room, 1),
            round(bottom - up / high * _PLOT_HEIGHT, 1),
            round(min(3 + sqrt(counts[across, up]), 12), 1),
            0,
            f"{across:,} × {up:,}: {counts[across, up]:,} {noun}",  # the sign of multiplication
        )
        for across, up in order[:_MOST_POINTS]
    ]
    table = _numbers(head, [(f"{across:,} × {up:,}", f"{counts[across, up]:,}") for across, up in order])
    return Chart(
        "points",
        key,
        title,
        summary,
        WIDTH,
        bottom + 22,
        table,
        tuple(marks),
        tuple(Tick(round(_LEFT + at / wide * room, 1), f"{at:,g}") for at in ticks_across),
        _up(ticks_up, high),
        bottom=bottom,
    )


def heat_map(key: str, title: str, summary: str, rows: Sequence[Sequence[float]], numbers: Numbers) -> Chart:
    """A triangle of cells. rows: of each thing, a value from 0 to 1 for every one before it. numbers: the table."""
    shades: list[list[str]] = [[] for _ in LEVELS]
    for up, row in enumerate(rows):
        for across, value in enumerate(row):
            level = sum(value >= least for least in LEVELS)
            if level:
                shades[level - 1].append(f"M{across} {up}h1v1h-1z")
    size = len(rows)
    paths = tuple("".join(shade) for shade in shades)
    return Chart("heat", key, title, summary, size, size, numbers, shades=paths)


def _numbers(head: Row, rows: Sequence[Row]) -> Numbers:
    return Numbers(head, tuple(rows[:_MOST_ROWS]), max(0, len(rows) - _MOST_ROWS))


def _up(ticks: Iterable[float], top: float) -> tuple[Tick, ...]:
    bottom = _TOP + _PLOT_HEIGHT
    return tuple(Tick(round(bottom - at / top * _PLOT_HEIGHT, 1), f"{at:,g}") for at in ticks)


def _axis(largest: float) -> tuple[float, list[float]]:
    """The end of an axis from 0, and where its labels are: round numbers, four steps at most."""
    largest = max(largest, 1)
    size = 10 ** floor(log10(largest))
    step = next(part * size for part in (0.25, 0.5, 1, 2, 2.5, 5) if part * size * 4 >= largest)
    if largest <= 4:
        step = 1
    count = ceil(largest / step)
    return step * count, [step * number for number in range(count + 1)]


def _step(values: Sequence[float]) -> float:
    """The size of a column: a round number, for at most _MOST_BINS columns."""
    if not values:
        return 1
    size = 1
    sizes = [part * 10**power for power in range(7) for part in (1, 2, 5)]
    for one, _ in pairwise(sizes):
        size = one
        if floor(values[-1] / one) - floor(values[0] / one) < _MOST_BINS:
            break
    return size


def _range(number: int, size: float) -> str:
    if size == 1:
        return f"{number:g}"
    return f"{number * size:g} to {(number + 1) * size - 1:g}" if size > 1 else f"{number * size:g} and more"
