"""The statistics of every dataset as small plots: sizes, aspect ratios, lengths of captions, and similarity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import NamedTuple

from scenario_apply.dataset.dataset_statistics import DatasetStatistics, Similarity
from scenario_apply.review.html.charts import Chart, Numbers, bars, heat_map, histogram, points
from scenario_apply.review.html.page import Section
from scenario_apply.review.screen import counted

MOST_IN_A_HEAT_MAP = 60
"""Pictures; a training set has at most a hundred. Of more, the nearest neighbours are counted."""
_ALIKE = 0.7
_HEAD = ("Two pictures", "Similarity")


class DatasetPlots(NamedTuple):
    """notes: what the plots leave out, in sentences."""

    name: str
    charts: tuple[Chart, ...]
    notes: tuple[str, ...]


def statistics_section(datasets: Mapping[str, DatasetStatistics]) -> Section:
    """datasets: by name."""
    plots = tuple(_plots(f"stats{number}", name, found) for number, (name, found) in enumerate(datasets.items()))
    return Section("statistics", "Dataset statistics", "statistics.html.jinja", plots, f"{len(plots):,}")


def _plots(key: str, name: str, found: DatasetStatistics) -> DatasetPlots:
    charts: list[Chart] = []
    if found.sizes:
        charts += [_sizes(f"{key}-size", found), _aspects(f"{key}-aspect", found)]
    if found.words:
        charts.append(_captions(f"{key}-words", found.words))
    if len(found.similarity.paths) > 1:
        charts.append(_similarity(f"{key}-alike", found.similarity))
    return DatasetPlots(name, tuple(charts), tuple(_notes(found)))


def _notes(found: DatasetStatistics) -> Iterable[str]:
    if not found.images:
        yield "There are no pictures."
    if found.automatic:
        yield f"Scenario writes the {counted(found.automatic, 'caption')} that the files do not hold."
    if found.unknown:
        yield f"The size of {counted(found.unknown, 'picture')} is not known: the files are not on this machine."
    if found.not_compared:
        yield f"{counted(found.not_compared, 'picture was', 'pictures were')} not compared with the others."


def _sizes(key: str, found: DatasetStatistics) -> Chart:
    widths, heights = zip(*found.sizes, strict=True)
    smallest = min(min(size) for size in found.sizes)
    summary = (
        f"{counted(len(found.sizes), 'size')}, {min(widths):,} to {max(widths):,} pixels wide and {min(heights):,} to "
        f"{max(heights):,} high. The shortest side of all has {smallest:,} pixels."
    )
    if len(found.sizes) == 1:
        summary = f"All pictures have {widths[0]:,} × {heights[0]:,} pixels."
    return points(key, "Sizes in pixels", summary, found.sizes, head=("Width × height", "Pictures"), noun="pictures")


def _aspects(key: str, found: DatasetStatistics) -> Chart:
    total = sum(found.aspects.values())
    commonest = max(found.aspects, key=lambda name: found.aspects[name])
    share = f"{found.aspects[commonest]:,} of {total:,} are {commonest}"
    summary = f"Width to height, to the nearest common ratio: {share}."
    rows = [(name, float(count), f"{count:,}") for name, count in found.aspects.items()]
    return bars(key, "Aspect ratios", summary, rows, head=("Ratio", "Pictures"))


def _captions(key: str, words: tuple[int, ...]) -> Chart:
    low, high = min(words), max(words)
    lengths = f"{low:,} to {high:,} words" if low < high else counted(low, "word")
    summary = f"{lengths} in {counted(len(words), 'caption')}, {median(words):g} in the middle."
    return histogram(key, "Lengths of captions in words", summary, words, unit="words")


def _similarity(key: str, found: Similarity) -> Chart:
    alike = sum(value >= _ALIKE for row in found.rows for value in row)
    few = "No two pictures have" if not alike else f"{counted(alike, 'pair has', 'pairs have')}"
    closest = [(f"{pair.one} and {pair.other}", f"{pair.similarity:.0%}") for pair in found.closest]
    table = Numbers(_HEAD, tuple(closest))
    if len(found.paths) <= MOST_IN_A_HEAT_MAP:
        summary = (
            f"Every pair of {len(found.paths)} pictures, in the order of their names; the darker, the more alike "
            f"their shapes are. {few} a similarity of {_ALIKE:.0%} or more."
        )
        return heat_map(key, "Similarity of pictures", summary, found.rows, table)
    summary = (
        f"For each of {len(found.paths):,} pictures, how alike the shapes of the nearest one are. "
        f"{few} {_ALIKE:.0%} or more."
    )
    chart = histogram(
        key, "Similarity to the nearest picture", summary, [100 * v for v in found.nearest], unit="percent", step=10
    )
    return chart._replace(numbers=table)
