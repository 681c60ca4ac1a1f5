"""Starting points for the parameters of a training by the size of its dataset, as data. Only suggested, never applied.

Source: the size table of scenario-labs/skills, dataset-curation. Within a row, epochs and repeats fall as the dataset
grows, which keeps the training near 3,000 steps.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from scenario_apply.model.training_types import TrainingType


class _Row(NamedTuple):
    """For `least` to `most` images: a learning rate, and the range of epochs and of repeats."""

    least: int
    most: int
    rate: float
    epochs: tuple[int, int]
    repeats: tuple[int, int]


_SOURCE = "the size table of scenario-labs/skills"
_ROWS = (
    _Row(5, 10, 5e-5, (15, 20), (20, 30)),
    _Row(10, 25, 1e-4, (10, 10), (15, 20)),
    _Row(25, 50, 2e-4, (6, 8), (10, 15)),
)


class StartingPoint(Struct, frozen=True, kw_only=True):
    """parameters: by the API's names. reason: the row of the table, as a sentence."""

    parameters: dict[str, int | float]
    reason: str


def starting_point(kind: TrainingType, count: int) -> StartingPoint | str:
    """What to start with for so many images, or pairs; or why the table says nothing, as part of a sentence."""
    if not kind.known or not {"learningRate", "nbEpochs", "nbRepeats"} <= kind.parameters.keys():
        return f"{kind.name} is not counted in epochs and repeats" if kind.known else f"{kind.name} is not a known type"
    row = next((row for row in _ROWS if row.least <= count <= row.most), None)
    if row is None:
        return f"{_SOURCE} covers {_ROWS[0].least} to {_ROWS[-1].most} images"
    share = (count - row.least) / (row.most - row.least)
    return StartingPoint(
        parameters={
            "learningRate": row.rate,
            "nbEpochs": _within(row.epochs, share),
            "nbRepeats": _within(row.repeats, share),
        },
        reason=f"For {row.least} to {row.most} images, {_SOURCE} has learning rate {_plain(row.rate)}, "
        f"{_range(row.epochs)} epochs and {_range(row.repeats)} repeats"
        f"{'; pairs are counted as images here' if kind.dataset == 'pairs' else ''}.",
    )


def _plain(value: float) -> str:
    """As people write it: 5e-5, where Python has 5e-05."""
    mantissa, e, exponent = f"{value:g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def _within(bounds: tuple[int, int], share: float) -> int:
    low, high = bounds
    return round(high - share * (high - low))


def _range(bounds: tuple[int, int]) -> str:
    low, high = bounds
    return f"{low}" if low == high else f"{low} to {high}"
