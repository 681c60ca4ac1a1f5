"""What the service answers, as values: models, training images, jobs, assets, uploads, quotes.

Shapes follow the API contract; times are seconds since the epoch; None means the answer did not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple, NewType

from msgspec import Meta, Struct, field

from scenario_apply.model.ids import ID_OR_EMPTY_PATTERN, ID_PATTERN
from scenario_apply.model.secret import Secret

IdText = Annotated[str, Meta(pattern=ID_PATTERN)]
IdOrEmpty = Annotated[str, Meta(pattern=ID_OR_EMPTY_PATTERN)]
"""An id, or "" for one that is not known."""

ModelId = NewType("ModelId", IdText)
AssetId = NewType("AssetId", IdText)
JobId = NewType("JobId", IdText)
UploadId = NewType("UploadId", IdText)

RUNNING_STATUSES = frozenset({"training", "copying"})
ENDED_STATUSES = frozenset({"trained", "failed", "training-canceled"})
WAITING_STATUSES = RUNNING_STATUSES | {"new", "unknown"}
"""Of a model whose training was launched: it may be shown late. unknown: the answer does not say."""

RUNNING_JOB_STATUSES = frozenset({"pending", "queued", "warming-up", "in-progress", "finalizing"})
JOB_ENDED_STATUSES = frozenset({"success", "failure", "canceled"})


class TrainingImage(Struct, frozen=True, kw_only=True):
    """One image of a model. Its id is the asset's id; description is the caption training uses, "" when unset.

    Whether the service shows its own caption as the description, too, is not settled (the API contract, section 20):
    `has_own_caption` and `caption_beside` hold for both.
    """

    id: AssetId
    name: str
    description: str
    automatic_caption: str

    @property
    def has_own_caption(self) -> bool:
        """Whether the caption may be the service's own: it has no other, or the service does not tell them apart."""
        return self.description in ("", self.automatic_caption) or not self.automatic_caption

    def caption_beside(self, recorded: str) -> str:
        """The caption in the terms of a record, where "" is the service's own: `recorded` when nothing differs."""
        return "" if recorded == "" and self.has_own_caption else self.description


class RemotePair(Struct, frozen=True, kw_only=True):
    source_id: AssetId
    target_id: AssetId
    instruction: str


class RemoteConcept(Struct, frozen=True, kw_only=True):
    model_id: ModelId
    scale: float
    epoch: str | None = None


class Progress(Struct, frozen=True, kw_only=True):
    """How far a training is. progress 0..1; position: place in the queue, 1 is next."""

    stage: str
    progress: float | None = None
    position: int | None = None
    remaining_s: float | None = None


class RemoteEpoch(Struct, frozen=True, kw_only=True):
    """An epoch of a training. assets: its sample pictures."""

    name: str
    assets: tuple[AssetId, ...]


class RemoteModel(Struct, frozen=True, kw_only=True):
    """A model as read. images None: not given, or given in part (image_count says how many there are).

    epoch: the one of its training that is in use. epochs: all that can be chosen. None: not given.
    """

    id: ModelId
    type: str
    status: str | None
    name: str | None = None
    short_description: str | None = None
    tags: tuple[str, ...] | None = None
    concepts: tuple[RemoteConcept, ...] | None = None
    images: tuple[TrainingImage, ...] | None = None
    image_count: int | None = None
    pairs: tuple[RemotePair, ...] | None = None
    parameters: Mapping[str, object] | None = None
    job_id: JobId | None = None
    progress: Progress | None = None
    created_at: float | None = None
    training_started_at: float | None = None  # of the last training that ended
    owner_id: str | None = None  # of a project or a team
    privacy: str | None = None  # private or public
    epoch: str | None = None
    epochs: tuple[RemoteEpoch, ...] | None = None

    @property
    def is_running(self) -> bool:
        return self.status in RUNNING_STATUSES


class ModelPage(Struct, frozen=True, kw_only=True):
    models: tuple[RemoteModel, ...]
    next_token: str | None


class RemoteJob(Struct, frozen=True, kw_only=True):
    """A job. progress 0..1. error and hint: the service's own words when it failed. cu_cost after discounts, in CU.

    details: the parts of the cost, as the service names them. is_refunded: whether a failure gives the charge back.
    """

    id: JobId
    status: str
    progress: float | None
    error: str | None = None
    hint: str | None = None
    cu_cost: float | None = None
    discount: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    is_refunded: bool = True
    kind: str | None = None  # its type, such as "custom"
    created_at: float | None = None
    input: Mapping[str, object] = field(default_factory=dict)  # what it was asked for, where the answer says so
    asset_ids: tuple[AssetId, ...] = ()  # what it made

    @property
    def is_ended(self) -> bool:
        return self.status in JOB_ENDED_STATUSES


class BaseInputs(Struct, frozen=True, kw_only=True):
    """What a base model takes. loras, compositions: types that its inputs `loras` and `modelId` take.

    most_loras: None where it does not say.
    """

    id: ModelId
    loras: tuple[str, ...] = ()
    compositions: tuple[str, ...] = ()
    most_loras: int | None = None
    needs_reference: bool = False


class JobPage(Struct, frozen=True, kw_only=True):
    jobs: tuple[RemoteJob, ...]
    next_token: str | None


class WeightsDownload(Struct, frozen=True, kw_only=True):
    """An export of weights. address: where the file is, once the job has succeeded; signed, and therefore secret."""

    job_id: JobId
    status: str
    address: Secret | None = None


class Launch(Struct, frozen=True, kw_only=True):
    """The answer to a training launch. cu_cost: what was charged, in CU. discount, details: as in RemoteJob."""

    job_id: JobId
    cu_cost: float | None
    discount: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)


class RemoteAsset(Struct, frozen=True, kw_only=True):
    """drawn_by: the job that made it, where it says so; asked: what that was asked for, as in RemoteJob.input."""

    id: AssetId
    name: str | None
    description: str | None
    size_bytes: int | None
    status: str | None
    created_at: float | None
    drawn_by: JobId | None = None
    asked: Mapping[str, object] = field(default_factory=dict)


class AssetPage(Struct, frozen=True, kw_only=True):
    assets: tuple[RemoteAsset, ...]
    next_token: str | None


class UploadPart(Struct, frozen=True, kw_only=True):
    """One part of a multipart upload: number counts from 1, url is signed and secret."""

    number: int
    url: str


class RemoteUpload(Struct, frozen=True, kw_only=True):
    """status: pending, validating, validated, complete, imported or failed. asset_id once imported."""

    id: UploadId
    status: str
    asset_id: AssetId | None = None
    error: str | None = None
    parts: tuple[UploadPart, ...] = ()


class DatasetScore(Struct, frozen=True, kw_only=True):
    """The service's own verdict on a training set: score 0..1 and its warnings, one sentence each."""

    score: float
    status: str
    warnings: tuple[str, ...]


class AccountFacts(Struct, frozen=True, kw_only=True):
    """What the service says of the account, in CU; None where it does not say, and usage_problem, limits_problem why.

    used_in_31_days: by everything in the project, not by trainings alone. used_in_period, ceiling: of the team, in the
    billing period that ends at period_end (ISO 8601).
    """

    used_in_31_days: float | None = None
    usage_problem: str | None = None
    team: str | None = None
    plan: str | None = None
    period_end: str | None = None
    used_in_period: float | None = None
    ceiling: float | None = None
    limits_problem: str | None = None


class PictureToCaption(NamedTuple):
    """A picture that a caption is asked for: an asset of the service, or bytes of that MIME type."""

    asset_id: AssetId | None = None
    mime: str = ""
    body: bytes = b""


class GeneratedCaption(NamedTuple):
    """A caption that was written on request. cu_cost: what was charged, in CU; None where the answer does not say."""

    text: str
    cu_cost: float | None
