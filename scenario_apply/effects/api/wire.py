"""API JSON to our values and back. JSON enters as object and leaves as a dataclass of core/remote.py.

Both shapes the sources show are read: {"model": {...}} and the bare object, id and modelId, jobId and id, draft for
new, cancelled for canceled. Source: the contract, sections 3 and 16.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scenario_apply.core.remote import (
    AssetId,
    AssetPage,
    DatasetScore,
    JobId,
    Launch,
    ModelId,
    ModelPage,
    Progress,
    RemoteAsset,
    RemoteConcept,
    RemoteJob,
    RemoteModel,
    RemotePair,
    RemoteUpload,
    TrainingImage,
    UploadId,
    UploadPart,
)
from scenario_apply.effects.api.fields import Fields, unwrap
from scenario_apply.errors import BadAnswer

_STATUS_ALIASES = {"draft": "new", "training-cancelled": "training-canceled", "cancelled": "canceled"}


# -- answers


def model_of(value: object, *, complete: bool) -> RemoteModel:
    """A model from its envelope. complete: this view shows all training images, not a preview of them."""
    return _model(unwrap(value, "model"), complete=complete)


def models_of(value: object, *, complete: bool) -> dict[ModelId, RemoteModel]:
    """The answer to get-bulk, by id: its order and its gaps mean nothing."""
    models = (_model(fields, complete=complete) for fields in _listed(value, "models"))
    return {model.id: model for model in models}


def model_page_of(value: object) -> ModelPage:
    models = tuple(_model(fields, complete=False) for fields in _listed(value, "models"))
    return ModelPage(models=models, next_token=_next_token(value))


def training_image_of(value: object) -> TrainingImage:
    """The answer to adding one image."""
    return _training_image(unwrap(value, "trainingImage"))


def job_of(value: object) -> RemoteJob:
    job = unwrap(value, "job")
    metadata = job.object_or_none("metadata")
    billing = job.object_or_none("billing")
    return RemoteJob(
        id=JobId(job.text("jobId", "id")),
        status=_status(job.text("status")),
        progress=job.number_or_none("progress") or 0.0,
        error=None if metadata is None else metadata.text_or_none("error"),
        hint=None if metadata is None else metadata.text_or_none("hint"),
        cu_cost=None if billing is None else billing.number_or_none("cuCost"),
    )


def launch_of(value: object) -> Launch:
    """The answer to a training launch: its job, else the job its model names."""
    answer = Fields(value, "")
    job = answer.object_or_none("job")
    model = answer.object_or_none("model")
    job_id = None if job is None else job.text_or_none("jobId", "id")
    if job_id is None:
        job_id = answer.text_or_none("jobId") if model is None else model.text_or_none("jobId")
    if not job_id:
        raise BadAnswer("the service's answer has no job.jobId")
    cost = answer.number_or_none("creativeUnitsCost")
    billing = None if job is None else job.object_or_none("billing")
    if cost is None and billing is not None:
        cost = billing.number_or_none("cuCost")
    return Launch(job_id=JobId(job_id), cu_cost=cost)


def quote_of(value: object) -> float:
    """What a dry run says a training costs, in CU."""
    answer = Fields(value, "")
    if "job" in answer or "model" in answer:
        raise BadAnswer(
            "A PRICE WAS ASKED AND A TRAINING MAY HAVE STARTED: the answer names a job; look at the project"
        )
    cost = answer.number_or_none("creativeUnitsCost")
    if cost is None or cost < 0:
        raise BadAnswer("the service's answer has no creativeUnitsCost")
    return cost


def asset_of(value: object) -> RemoteAsset:
    return _asset(unwrap(value, "asset"))


def asset_page_of(value: object) -> AssetPage:
    return AssetPage(assets=tuple(_asset(fields) for fields in _listed(value, "assets")), next_token=_next_token(value))


def upload_of(value: object) -> RemoteUpload:
    upload = unwrap(value, "upload")
    asset_id = upload.text_or_none("entityId")
    parts = (
        UploadPart(number=part.count_or_none("number") or i, url=part.text("url"))
        for i, part in enumerate(upload.objects("parts"), start=1)
    )
    return RemoteUpload(
        id=UploadId(upload.text("id", "uploadId")),
        status=upload.text("status"),
        asset_id=None if not asset_id else AssetId(asset_id),
        error=upload.text_or_none("errorMessage"),
        parts=tuple(sorted(parts, key=lambda part: part.number)),
    )


def score_of(value: object) -> DatasetScore:
    """The dataset score: not wrapped. A warning reads like "asset_1: Missing caption"."""
    answer = Fields(value, "")
    score = answer.number_or_none("score")
    if score is None:
        raise BadAnswer("the service's answer has no score")
    warnings = [
        f"{warning.text('assetId')}: {message}"
        for warning in answer.objects("assetsWarnings")
        for message in warning.texts("message")
    ]
    for warning in answer.objects("assetCouplesWarnings"):
        couple = " and ".join(warning.texts("couple"))
        warnings += [f"{couple}: {message}" for message in warning.texts("message")]
    return DatasetScore(score=score, status=answer.text_or_none("status") or "unknown", warnings=tuple(warnings))


# -- bodies


def concepts_to_json(concepts: Iterable[RemoteConcept]) -> list[dict[str, object]]:
    return [
        {"modelId": c.model_id, "scale": c.scale} | ({} if c.epoch is None else {"modelEpoch": c.epoch})
        for c in concepts
    ]


def pairs_to_json(pairs: Sequence[RemotePair]) -> list[dict[str, object]]:
    return [{"sourceId": p.source_id, "targetId": p.target_id, "instruction": p.instruction} for p in pairs]


def training_to_json(parameters: Mapping[str, object]) -> dict[str, object]:
    """The body of a launch and of its dry run. Raises ValueError for dryRun in it, where the service ignores it."""
    if "dryRun" in parameters:
        raise ValueError("dryRun is no training parameter: in a body it is ignored, and the run is paid")
    return {"parameters": dict(parameters)} if parameters else {}


# -- parts of answers


def _model(model: Fields, *, complete: bool) -> RemoteModel:
    count = model.count_or_none("trainingImagesNumber")
    images: tuple[TrainingImage, ...] | None = tuple(_training_image(f) for f in model.objects("trainingImages"))
    if images is not None and count is None:
        if complete and "trainingImages" in model:
            count = len(images)
        else:
            images = None
    elif images is not None and count is not None and len(images) < count:
        images = None
    status = model.text_or_none("status")
    stats = model.object_or_none("trainingStats")
    job_id = model.text_or_none("jobId")
    return RemoteModel(
        id=ModelId(model.text("id", "modelId")),
        type=model.text_or_none("type") or "",
        status=None if status is None else _status(status),
        name=model.text_or_none("name"),
        short_description=model.text_or_none("shortDescription"),
        tags=tuple(model.texts("tags")) if "tags" in model else None,
        concepts=tuple(_concept(f) for f in model.objects("concepts")) if "concepts" in model else None,
        images=images,
        image_count=count,
        pairs=tuple(_pair(f) for f in model.objects("trainingImagePairs")) if "trainingImagePairs" in model else None,
        parameters=model.mapping_or_none("parameters"),
        job_id=None if not job_id else JobId(job_id),
        progress=_progress(model.object_or_none("trainingProgress")),
        created_at=model.time_or_none("createdAt"),
        training_started_at=None if stats is None else stats.time_or_none("startedAt"),
        owner_id=model.text_or_none("ownerId") or None,
        privacy=model.text_or_none("privacy"),
    )


def _training_image(image: Fields) -> TrainingImage:
    return TrainingImage(
        id=AssetId(image.text("id")),
        name=image.text_or_none("name") or "",
        description=image.text_or_none("description") or "",
        automatic_caption=image.text_or_none("automaticCaptioning") or "",
    )


def _concept(concept: Fields) -> RemoteConcept:
    scale = concept.number_or_none("scale")
    return RemoteConcept(
        model_id=ModelId(concept.text("modelId")),
        scale=1.0 if scale is None else scale,
        epoch=concept.text_or_none("modelEpoch"),
    )


def _pair(pair: Fields) -> RemotePair:
    return RemotePair(
        source_id=AssetId(pair.text("sourceId")),
        target_id=AssetId(pair.text("targetId")),
        instruction=pair.text_or_none("instruction") or "",
    )


def _progress(progress: Fields | None) -> Progress | None:
    if progress is None:
        return None
    remaining_ms = progress.number_or_none("remainingTimeMs")
    position = progress.number_or_none("position")
    return Progress(
        stage=progress.text_or_none("stage") or "",
        progress=progress.number_or_none("progress"),
        position=None if position is None else int(position),
        remaining_s=None if remaining_ms is None else remaining_ms / 1000,
    )


def _asset(asset: Fields) -> RemoteAsset:
    metadata = asset.object_or_none("metadata")
    properties = asset.object_or_none("properties")
    name = asset.text_or_none("name")
    if name is None and metadata is not None:  # the contract puts an asset's name there
        name = metadata.text_or_none("name", "fileName")
    return RemoteAsset(
        id=AssetId(asset.text("id", "assetId")),
        name=name,
        description=asset.text_or_none("description"),
        size_bytes=None if properties is None else properties.count_or_none("size"),
        status=asset.text_or_none("status"),
        created_at=asset.time_or_none("createdAt"),
    )


def _listed(value: object, name: str) -> Iterable[Fields]:
    answer = Fields(value, "")
    if name not in answer:
        raise BadAnswer(f"the service's answer has no {name}")
    return answer.objects(name)


def _next_token(value: object) -> str | None:
    return Fields(value, "").text_or_none("nextPaginationToken") or None


def _status(status: str) -> str:
    return _STATUS_ALIASES.get(status, status)
