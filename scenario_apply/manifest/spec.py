"""A manifest once everything is resolved: templates rendered, defaults merged, matrix expanded.

The loader creates these values; all other subjects read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic, Location
from scenario_apply.model.address import Address
from scenario_apply.model.picture_options import PictureOptions
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.samples import SampleEvent, SampleSettings
from scenario_apply.model.secret import Secret

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

OnChange = Literal["replace", "retrain", "keep"]
CaptionKind = Literal["recognise", "sidecar", "auto", "file", "map", "filename"]
CaptionLines = Literal["join", "comma", "space", "first"]
MissingCaption = Literal["error", "warn", "auto"]


class CaptionSource(Struct, frozen=True, kw_only=True):
    """Where a dataset's captions come from. recognise: any source found in the folder."""

    kind: CaptionKind = "recognise"
    path: str | None = None  # kind file: as written, relative to the root
    entries: Mapping[str, str] = field(default_factory=dict)  # kind map: written in place
    suffix: str | None = None  # kind sidecar: ".txt", with the dot; None: .txt and .caption
    lines: CaptionLines = "join"  # join: with commas if most lines are short, as tags are, else with spaces


class PairSpec(Struct, frozen=True, kw_only=True):
    """Edit pairs that are not two folders: a folder with suffixes, a table, or a list."""

    folder: str | None = None
    suffixes: tuple[str, str] | None = None
    table: str | None = None
    entries: tuple[Mapping[str, str], ...] = ()  # before, after, instruction


class DatasetSpec(Struct, frozen=True, kw_only=True):
    """One dataset as declared. name is its key; one written in place or given as a path is named after its model."""

    name: str
    images: tuple[str, ...] = ()  # folders, globs or files, relative to the root
    captions: CaptionSource = CaptionSource()
    caption: str | None = None  # one for all that have no other
    trigger: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    caption_template: str | None = None  # Jinja2: trigger, caption, stem, path
    missing: MissingCaption = "error"
    recursive: bool = False
    exclude: tuple[str, ...] = ()
    encoding: str = "utf-8"
    before: str | None = None
    after: str | None = None
    instruction: str | None = None
    pairs: PairSpec | None = None
    lint: Mapping[str, Json] = field(default_factory=dict)  # code or rule name -> off, warning, error, or a threshold
    pictures: PictureOptions = PictureOptions()
    allow_outside_root: bool = False
    place: Location
    own: frozenset[str] = frozenset()  # keys that the dataset itself has, not the defaults
    has_repeats: bool = False  # each model that uses it sets nbRepeats
    places: Mapping[str, Location] = field(default_factory=dict)
    """The position of each value: "images", "images.1" for the second of a list, "captions.file" ..."""

    def place_of(self, key: str | None) -> Location:
        """The position of a value of this dataset, or of the block it is in; of the dataset when it has neither."""
        while key:
            if key in self.places:
                return self.places[key]
            key = key.rpartition(".")[0]
        return self.place

    @property
    def is_pairs(self) -> bool:
        return self.before is not None or self.after is not None or self.pairs is not None


class Lifecycle(Struct, frozen=True, kw_only=True):
    """on_change None: the default of the kind (model replace, composition retrain).

    prevent_destroy None: not set, so the recorded value stays; False removes it.
    """

    on_change: OnChange | None = None
    keep_versions: int = 1
    train: Literal["auto", "manual"] = "auto"
    prevent_destroy: bool | None = None
    ignore_changes: tuple[str, ...] = ()


class SampleSpec(Struct, frozen=True, kw_only=True):
    """One sample as declared. prompt: rendered. seed: as given, or derived from the address and the prompt.

    base None: that of the type. reference: the picture that an edit starts from, a file relative to the root.
    """

    name: str
    prompt: str
    seed: int
    settings: SampleSettings = SampleSettings()
    base: str | None = None
    reference: str | None = None
    reference_place: Location | None = None
    place: Location


class SamplesSpec(Struct, frozen=True, kw_only=True):
    """on: when they are drawn; with `manual` alone only by `samples draw`."""

    samples: tuple[SampleSpec, ...] = ()
    on: tuple[SampleEvent, ...] = ("trained", "manual")


class BestVersion(Struct, frozen=True, kw_only=True):
    """Which version a person found best, of which epoch, who said so, when (a date or time of ISO 8601), and why."""

    version: int
    epoch: str | None = None
    by: str | None = None
    at: str | None = None
    why: str | None = None


class ModelSpec(Struct, frozen=True, kw_only=True):
    address: Address
    name: str
    type: str
    dataset: str  # a key of Manifest.datasets
    parameters: Mapping[str, Json | Secret]
    inherited: frozenset[str] = frozenset()  # names of parameters that come from defaults.models
    samples: SamplesSpec = SamplesSpec()
    epoch: str | None = None  # which one of the training is used; None: the service's choice
    best: BestVersion | None = None
    description: str | None = None  # the service's shortDescription, at most 256 characters
    license: str | None = None  # of the weights, for their card; not sent
    tags: tuple[str, ...] = ()
    lifecycle: Lifecycle = Lifecycle()
    enabled: bool = True
    place: Location
    places: Mapping[str, Location] = field(default_factory=dict)  # "type", "parameters.rank" ... -> its position


class Concept(Struct, frozen=True, kw_only=True):
    """One part of a composition: exactly one of model (declared), model_id, or find (name and type) is set."""

    model: Address | None = None
    model_id: str | None = None
    find: tuple[str, str] | None = None
    scale: float
    epoch: str | None = None
    place: Location


class CompositionSpec(Struct, frozen=True, kw_only=True):
    address: Address
    name: str
    type: str
    concepts: tuple[Concept, ...]
    samples: SamplesSpec = SamplesSpec()
    description: str | None = None
    license: str | None = None
    tags: tuple[str, ...] = ()
    lifecycle: Lifecycle = Lifecycle()
    enabled: bool = True
    place: Location
    places: Mapping[str, Location] = field(default_factory=dict)


class Moved(Struct, frozen=True, kw_only=True):
    source: Address
    target: Address
    place: Location


class Import(Struct, frozen=True, kw_only=True):
    target: Address
    model_id: str
    place: Location


class Removed(Struct, frozen=True, kw_only=True):
    """Removes the record from the state and leaves the model on Scenario."""

    source: Address
    place: Location


class Manifest(Struct, frozen=True, kw_only=True):
    """A complete manifest. root: absolute folder that paths are relative to. path: as the user named it."""

    path: str
    root: str
    name: str  # of the file or folder: names the state
    is_folder: bool
    digest: str  # "sha256:<hex>" over the files read, variables given and environment values used
    files: tuple[str, ...]  # read for it, as the user would name them
    project: str | None = None
    state: str | None = None  # the state file, as written
    state_place: Location | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    datasets: Mapping[str, DatasetSpec] = field(default_factory=dict)
    models: Mapping[Address, ModelSpec] = field(default_factory=dict)
    compositions: Mapping[Address, CompositionSpec] = field(default_factory=dict)
    limits: Limits = Limits()
    moved: tuple[Moved, ...] = ()
    imports: tuple[Import, ...] = ()
    removed: tuple[Removed, ...] = ()
    expanded: Mapping[str, Json] = field(default_factory=dict)  # for `config`: the same as plain YAML values
    problems: tuple[Diagnostic, ...] = ()  # warnings and notes; errors are raised
