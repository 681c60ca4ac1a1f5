"""What is recorded: State, Record, Version. Values only.

A resource has one current version (what others use), perhaps a pending one (a replacement being made), and
previous ones. An asset is known by the SHA-256 of its bytes and the caption it holds on the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.codec import Count, check_free_form
from scenario_apply.model.picture_options import content_id
from scenario_apply.model.remote import AssetId, JobId, ModelId
from scenario_apply.model.samples import SampleRequest

FORMAT_VERSION = "1.0"
FINGERPRINT_VERSION = 2

Phase = Literal["building", "training", "trained", "failed", "canceled"]

SamplePhase = Literal["drawing", "drawn", "failed"]

Fingerprint = Annotated[str, Meta(pattern=r"\A[0-9]{1,6}:[0-9A-Za-z]+\Z")]


class KeptCaption(Struct, frozen=True, omit_defaults=True):
    """What the answer to a caption said that the service kept: kept None: what was sent; silent: it did not say."""

    kept: str | None = None
    silent: bool = False


class ImageRecord(Struct, frozen=True, omit_defaults=True):
    """One training image as recorded. caption is what the service was told; "" for its own.

    kept, silent: see KeptCaption. sha256: of the bytes that were sent. source_sha256, recipe: of the file they were
    made of, and how, where it was altered before it was sent.
    """

    path: str
    sha256: str
    asset_id: AssetId
    caption: str
    kept: str | None = None
    silent: bool = False
    source_sha256: str | None = None
    recipe: str = ""

    @property
    def source(self) -> str:
        """The digest of its file."""
        return self.source_sha256 or self.sha256

    @property
    def content(self) -> str:
        """What it is compared by: see content_id."""
        return content_id(self.source, self.recipe)

    @property
    def asset(self) -> AssetRecord:
        return AssetRecord(self.sha256, self.caption, self.kept, self.silent, self.source_sha256, self.recipe)


class PairRecord(Struct, frozen=True):
    source_id: AssetId
    target_id: AssetId
    instruction: str


class ConceptRecord(Struct, frozen=True, omit_defaults=True):
    """trained_from: the fingerprint of a declared part when it was composed; None for a part made elsewhere."""

    model_id: ModelId
    scale: float
    epoch: str | None = None
    trained_from: Fingerprint | None = None


class AssetRecord(Struct, frozen=True, omit_defaults=True):
    """An asset as recorded. The other fields: as in ImageRecord."""

    sha256: str
    caption: str
    kept: str | None = None
    silent: bool = False
    source_sha256: str | None = None
    recipe: str = ""

    @property
    def content(self) -> str:
        """What it is compared by: see content_id."""
        return content_id(self.source_sha256 or self.sha256, self.recipe)


class KeptLabels(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Labels that the service keeps in a form of its own. None: it keeps what was sent. tags: as sent -> as kept."""

    name: str | None = None
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Quote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the service said a training would cost, in CU. terms: of what training (state/spending.py); at: ISO 8601."""

    cu: float
    terms: str | None = None
    at: str | None = None


class DrawnPicture(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One drawn picture. sha256: of its bytes; thumbnail: SHA-256 of the small copy in `.scenario/samples/`.

    None: it was not downloaded (yet). dhash: its perceptual hash, in hex digits.
    """

    asset_id: AssetId
    sha256: str | None = None
    thumbnail: str | None = None
    dhash: str | None = None


class SampleRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sample of a version. training: launched_at of the training whose weights drew it; epoch: chosen then.

    at: of the launch; charged: CU, after discount. reason: the service's words when it failed.
    """

    request: SampleRequest
    phase: SamplePhase
    at: str
    training: str | None = None
    epoch: str | None = None
    job_id: JobId | None = None
    pictures: tuple[DrawnPicture, ...] = ()
    reason: str | None = None
    charged: float | None = None
    discount: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    ended_at: str | None = None

    @property
    def key(self) -> str:
        return self.request.key


class Version(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model on the service. fingerprint: of what was sent to train, None before the first launch.

    charged: in CU, after discount; cost_details: its parts, as the service names them; quote: the last one of its
    training. Times are ISO 8601, UTC. reason: the service's words when it failed. kept: None where the service
    keeps every label as it was sent. picture_options: the text of those that its images were sent with, "" for the
    defaults and for versions of releases that sent every picture as it was. samples: in the order they were
    drawn, those of earlier trainings of the same model included. epoch: the one in use, where it was chosen.
    """

    number: Count
    id: ModelId
    phase: Phase
    name: str
    type: str
    description: str | None = None
    tags: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    concepts: tuple[ConceptRecord, ...] = ()
    images: tuple[ImageRecord, ...] = ()
    pairs: tuple[PairRecord, ...] = ()
    fingerprint: Fingerprint | None = None
    job_id: JobId | None = None
    reason: str | None = None
    charged: float | None = None
    discount: float | None = None
    cost_details: Mapping[str, float] = field(default_factory=dict)
    quote: Quote | None = None
    created_at: str | None = None
    launched_at: str | None = None
    ended_at: str | None = None
    kept: KeptLabels | None = None
    picture_options: str = ""
    epoch: str | None = None
    samples: tuple[SampleRecord, ...] = ()

    def __post_init__(self) -> None:
        check_free_form(self.parameters)

    @property
    def is_usable(self) -> bool:
        return self.phase == "trained"

    @property
    def current_samples(self) -> tuple[SampleRecord, ...]:
        """Those that were drawn with the weights in use: of the last training, and of the chosen epoch."""
        return tuple(s for s in self.samples if (s.training, s.epoch) == (self.launched_at, self.epoch))


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one resource. held: the fingerprint a rollback holds it against, None when it follows."""

    current: Version
    pending: Version | None = None
    previous: tuple[Version, ...] = ()
    protected: bool = False
    held: Fingerprint | None = None

    @property
    def working(self) -> Version:
        """The version that steps act on: the replacement while there is one."""
        return self.pending or self.current

    @property
    def next_number(self) -> int:
        return 1 + max(version.number for version in self.versions())

    def versions(self) -> Iterator[Version]:
        yield self.current
        if self.pending is not None:
            yield self.pending
        yield from self.previous

    def with_working(self, version: Version) -> Record:
        return replace(self, pending=version) if self.pending is not None else replace(self, current=version)

    def revived(self, number: int) -> Record:
        """A previous version becomes current, the current one the newest previous."""
        back = next(version for version in self.previous if version.number == number)
        others = tuple(version for version in self.previous if version is not back)
        return replace(self, current=back, previous=(self.current, *others))

    def without_pending(self) -> Record:
        """The pending version is given up: it becomes the newest previous."""
        return self if self.pending is None else replace(self, pending=None, previous=(self.pending, *self.previous))

    def promoted(self) -> Record:
        """The pending version becomes current, the current one the newest previous."""
        if self.pending is None:
            return self
        return replace(self, current=self.pending, pending=None, previous=(self.current, *self.previous))


class HistoryEntry(Struct, frozen=True, omit_defaults=True):
    """One line of a state's history: which serial came to be, when, by whom, from what, and what was done.

    manifest: its digest; commit: of the Git checkout it lay in; both None where there was none.
    """

    serial: Count
    at: str
    who: str
    command: str
    what: str
    manifest: str | None = None
    commit: str | None = None


HISTORY_KEPT = 100


class TrainingEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One training that was launched, for the account of what was spent: kept when its model is replaced or deleted.

    at: of the launch. images: that it was trained on, or pairs. steps: that it took, where known. quoted, charged,
    discount: CU; charged 0: refunded.
    """

    at: str
    address: Address
    version: Count
    model_id: ModelId
    type: str
    phase: Phase
    job_id: JobId | None = None
    ended_at: str | None = None
    images: Count | None = None
    steps: Count | None = None
    quoted: float | None = None
    charged: float | None = None
    discount: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)


TRAININGS_KEPT = 1000


class SampleEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One sample that was launched, for the account: kept when its version, or its record, is gone.

    at: of the launch. name: of the sample in the manifest then; pictures: that were asked for. The rest as in
    TrainingEntry.
    """

    at: str
    address: Address
    version: Count
    model_id: ModelId
    name: str
    phase: SamplePhase
    pictures: Count = 1
    job_id: JobId | None = None
    ended_at: str | None = None
    quoted: float | None = None
    charged: float | None = None
    discount: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)


SAMPLES_KEPT = 2000


class State(Struct, frozen=True, kw_only=True):
    """A whole state. serial 0 and lineage None: nothing was ever written. loose: assets no model holds (yet).

    history: what was done to it, oldest first, the last HISTORY_KEPT. trainings: those that were launched, by time, the
    last TRAININGS_KEPT; samples: the same of samples, the last SAMPLES_KEPT.
    """

    lineage: str | None = None
    serial: int = 0
    endpoint: str | None = None
    project: str | None = None
    records: Mapping[Address, Record] = field(default_factory=dict)
    loose: Mapping[AssetId, AssetRecord] = field(default_factory=dict)
    history: tuple[HistoryEntry, ...] = ()
    trainings: tuple[TrainingEntry, ...] = ()
    samples: tuple[SampleEntry, ...] = ()

    def noting(self, entry: HistoryEntry) -> State:
        """The same with one more line of history."""
        return replace(self, history=(*self.history, entry)[-HISTORY_KEPT:])

    def with_record(self, address: Address, record: Record | None) -> State:
        """The same with one record set, or taken out."""
        records = dict(self.records)
        if record is None:
            records.pop(address, None)
        else:
            records[address] = record
        return replace(self, records=records)

    def assets(self) -> dict[AssetId, AssetRecord]:
        """Every known asset with the caption it holds now: what was recorded last wins."""
        known = dict(self.loose)
        for record in self.records.values():
            # oldest first: a newer version's caption replaced the older one's on the same asset
            for version in (*reversed(record.previous), record.current, record.pending):
                if version is not None:
                    for image in version.images:
                        known[image.asset_id] = image.asset
        return known

    def model_ids(self) -> frozenset[ModelId]:
        """Every id of every version."""
        return frozenset(version.id for record in self.records.values() for version in record.versions())
