"""Sample pictures side by side, as values: what the writers of comparisons show. Texts are raw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from scenario_apply.manifest.spec import BestVersion
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import amount
from scenario_apply.model.samples import SampleRequest, SampleSettings
from scenario_apply.review.drawing_weights import Weights
from scenario_apply.state.state import State, Version

NOTES = ("best", "training", "samples")
"""In the order in which heads have them."""
NOT_DRAWN = "not drawn"
WILL_BE_DRAWN = "will be drawn"
DEFAULT = "(default)"


class DrawnView(NamedTuple):
    """A picture. thumbnail: SHA-256 of its small copy, None where that was never downloaded.

    from_previous: bits by which it differs from the picture of the same row in `previous`, words for the weights
    before; from_dataset: from the nearest picture it was trained on, at the path `nearest`. None: not known.
    """

    asset_id: str
    thumbnail: str | None
    from_previous: int | None = None
    previous: str = ""
    from_dataset: int | None = None
    nearest: str = ""


class CellView(NamedTuple):
    """pictures: those drawn. missing: why there are none, "" where there are. note: settings other than the row's."""

    pictures: tuple[DrawnView, ...] = ()
    missing: str = ""
    note: str = ""


class PromptRow(NamedTuple):
    """One prompt with its seed. seed None: not known. words: of seed and settings; base: "" where it is not known."""

    name: str
    prompt: str
    seed: int | None
    words: str
    cells: tuple[CellView, ...]
    settings: SampleSettings = SampleSettings()
    base: str = ""


class ColumnHead(NamedTuple):
    """title: what tells it from the others. place: current, previous, being made or "". facts: values that differ.

    training_cu, samples_cu: charged, in CU; None: not known. weights None: what the next apply draws. best: who found
    it best, when and why; "" where none did.
    """

    address: Address
    title: str
    place: str
    facts: tuple[tuple[str, str], ...]
    training_cu: float | None = None
    samples_cu: float | None = None
    weights: Weights | None = None
    best: str = ""

    @property
    def notes(self) -> dict[str, str]:
        """What is known beside the facts: best, training, samples."""
        charges = {"training": self.training_cu, "samples": self.samples_cu}
        known = {name: f"{amount(charge)} CU" for name, charge in charges.items() if charge is not None}
        return {"best": self.best, **known} if self.best else known


class Comparison(NamedTuple):
    """bits: of the hashes that distances are counted in; 0 where no distance is known."""

    title: str
    columns: tuple[ColumnHead, ...]
    rows: tuple[PromptRow, ...]
    bits: int = 0

    @property
    def thumbnails(self) -> list[str]:
        """The digests of all small copies, row by row."""
        cells = (cell for row in self.rows for cell in row.cells)
        return [picture.thumbnail for cell in cells for picture in cell.pictures if picture.thumbnail is not None]

    @property
    def distance_words(self) -> str:
        """What the numbers are."""
        return f"perceptual distance ({self.bits}-bit difference hash)" if self.bits else ""


class Planned(NamedTuple):
    """What the next apply draws of a resource. title: of its column."""

    requests: tuple[SampleRequest, ...]
    title: str


class SampleSources(Struct, frozen=True, kw_only=True):
    """state: what is recorded. hashes: of dataset pictures, by the SHA-256 of their file, as hex digits.

    declared: prompt and seed of the samples that each resource declares, in order, with their names. best: what a
    person found best of each.
    """

    state: State
    hashes: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[Address, Sequence[tuple[str, str, int]]] = field(default_factory=dict)
    best: Mapping[Address, BestVersion] = field(default_factory=dict)

    def version(self, weights: Weights) -> Version:
        """The version of these weights. Raises StopIteration for weights that are not recorded."""
        return next(v for v in self.state.records[weights.address].versions() if v.number == weights.number)
