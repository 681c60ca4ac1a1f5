"""The service's answers as types, in the service's own names. Fields we do not use are not here and are ignored.

Whatever the contract calls optional may be missing or null, and an empty list may be null. Counts are plain numbers
there, so 3.0 is one; numbers may come as text. What only decorates is an object here: loose.py reads it, or leaves it
out where it has another form, since no training may end over a progress bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from scenario_apply.model.remote import AssetId, IdOrEmpty, JobId, ModelId, UploadId

Word = Annotated[str, Meta(min_length=1)]
WholeNumber = Annotated[float, Meta(ge=0, le=2**53, multiple_of=1)] | Annotated[str, Meta(pattern=r"\A[0-9]{1,15}\Z")]
Number = float | Annotated[str, Meta(pattern=r"\A-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,2})?\Z")]
Nothing = Annotated[tuple[object, ...], Meta(max_length=0)]
"""An empty list: how some services write an empty object."""

Cursor = Annotated[str, Meta(pattern=r"\A[!-~]{0,8192}\Z")]
"""Opaque, sent back percent-encoded: visible ASCII."""


class Answer(Struct, frozen=True, kw_only=True, rename="camel"):
    """An object of an answer."""


class TrainingImageAnswer(Answer, frozen=True, kw_only=True):
    id: AssetId
    name: str | None = None
    description: str | None = None
    automatic_captioning: str | None = None


class ConceptAnswer(Answer, frozen=True, kw_only=True):
    model_id: ModelId
    scale: Number | None = None
    model_epoch: str | None = None


class PairAnswer(Answer, frozen=True, kw_only=True):
    source_id: AssetId
    target_id: AssetId
    instruction: str | None = None


class ProgressAnswer(Answer, frozen=True, kw_only=True):
    """Only decorates, whole and in parts."""

    stage: object = None
    progress: object = None
    position: object = None
    remaining_time_ms: object = None


class TrainingStatsAnswer(Answer, frozen=True, kw_only=True):
    started_at: object = None


class SampleAnswer(Answer, frozen=True, kw_only=True):
    """A picture of an epoch; its address is left where it is."""

    asset_id: AssetId


class EpochAnswer(Answer, frozen=True, kw_only=True):
    """epoch: what a choice names it by. assets only decorate."""

    epoch: Annotated[str, Meta(min_length=1, max_length=64)] | int
    assets: object = None


class ModelAnswer(Answer, frozen=True, kw_only=True):
    """Either id or modelId is there. Times are of any kind: see wire.py."""

    id: ModelId | None = None
    model_id: ModelId | None = None
    type: str | None = None
    status: str | None = None
    name: str | None = None
    short_description: str | None = None
    tags: tuple[str, ...] | None = None
    concepts: tuple[ConceptAnswer, ...] | None = None
    training_images: tuple[TrainingImageAnswer, ...] | None = None
    training_images_number: WholeNumber | None = None
    training_image_pairs: tuple[PairAnswer, ...] | None = None
    parameters: Mapping[str, object] | Nothing | None = None
    job_id: IdOrEmpty | None = None
    training_progress: object = None
    created_at: object = None
    training_stats: object = None
    owner_id: IdOrEmpty | None = None
    privacy: str | None = None
    epoch: object = None
    epochs: object = None


class ModelsAnswer(Answer, frozen=True, kw_only=True):
    """models: each read by itself."""

    models: tuple[object, ...] | None
    next_pagination_token: Cursor | None = None


class JobMetadataAnswer(Answer, frozen=True, kw_only=True):
    error: object = None
    hint: object = None
    input: object = None
    asset_ids: object = None
    output: object = None


class BillingAnswer(Answer, frozen=True, kw_only=True):
    cu_cost: object = None
    cu_discount: object = None
    cu_cost_details: object = None
    disable_refund: object = None


class JobAnswer(Answer, frozen=True, kw_only=True):
    """Either jobId or id is there."""

    job_id: JobId | None = None
    id: JobId | None = None
    status: Word
    job_type: object = None
    created_at: object = None
    progress: object = None
    metadata: object = None
    billing: object = None


class JobsAnswer(Answer, frozen=True, kw_only=True):
    """jobs: each read by itself."""

    jobs: tuple[object, ...] | None
    next_pagination_token: Cursor | None = None


class LaunchedJobAnswer(Answer, frozen=True, kw_only=True):
    """The job in the answer to a launch: only its id matters, and what it costs."""

    job_id: IdOrEmpty | None = None
    id: IdOrEmpty | None = None
    billing: object = None


class LaunchAnswer(Answer, frozen=True, kw_only=True):
    """Also the answer to a dry run, which names a price and neither job nor model."""

    job: LaunchedJobAnswer | None = None
    model: LaunchedJobAnswer | None = None
    job_id: IdOrEmpty | None = None
    creative_units_cost: object = None
    creative_units_discount: object = None
    cost_details: object = None


class PriceAnswer(Answer, frozen=True, kw_only=True):
    job: object = None
    model: object = None
    creative_units_cost: float | None = None


class AssetMetadataAnswer(Answer, frozen=True, kw_only=True):
    name: str | None = None
    file_name: str | None = None
    parent_job_id: object = None
    prompt: object = None
    seed: object = None
    model_id: object = None


class AssetPropertiesAnswer(Answer, frozen=True, kw_only=True):
    size: object = None


class AssetAnswer(Answer, frozen=True, kw_only=True):
    """Either id or assetId is there."""

    id: AssetId | None = None
    asset_id: AssetId | None = None
    name: str | None = None
    description: str | None = None
    status: str | None = None
    metadata: object = None
    properties: object = None
    created_at: object = None


class AssetsAnswer(Answer, frozen=True, kw_only=True):
    """assets: each read by itself."""

    assets: tuple[object, ...] | None
    next_pagination_token: Cursor | None = None


class PartAnswer(Answer, frozen=True, kw_only=True):
    number: WholeNumber | None = None
    url: Word


class UploadAnswer(Answer, frozen=True, kw_only=True):
    """Either id or uploadId is there."""

    id: UploadId | None = None
    upload_id: UploadId | None = None
    status: Word
    entity_id: IdOrEmpty | None = None
    error_message: str | None = None
    parts: tuple[PartAnswer, ...] | None = None


class AssetWarningAnswer(Answer, frozen=True, kw_only=True):
    asset_id: Word
    message: tuple[str, ...] | None = None


class CoupleWarningAnswer(Answer, frozen=True, kw_only=True):
    couple: tuple[str, ...] | None = None
    message: tuple[str, ...] | None = None


class ScoreAnswer(Answer, frozen=True, kw_only=True):
    score: Number
    status: str | None = None
    assets_warnings: tuple[AssetWarningAnswer, ...] | None = None
    asset_couples_warnings: tuple[CoupleWarningAnswer, ...] | None = None
