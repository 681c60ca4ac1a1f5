"""API JSON to our values and back. JSON enters as object and leaves as a dataclass of model/remote.py.

Both shapes the sources show are read: {"model": {...}} and the bare object, id and modelId, jobId and id, draft for
new, cancelled for canceled. Source: the contract, sections 3 and 16.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from scenario_apply.api.answers import (
    AssetAnswer,
    AssetsAnswer,
    JobAnswer,
    LaunchAnswer,
    ModelAnswer,
    ModelsAnswer,
    PriceAnswer,
    ProgressAnswer,
    ScoreAnswer,
    TrainingImageAnswer,
    UploadAnswer,
)
from scenario_apply.errors import BadAnswer
from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.model.remote import (
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
    UploadPart,
)
from scenario_apply.model.secret import MASK, Secret
from scenario_apply.model.training_types import SECRET_PARAMETERS

_STATUS_ALIASES = {"draft": "new", "training-cancelled": "training-canceled", "cancelled": "canceled"}

_MILLISECONDS_ABOVE: Final = 1e11
"""A time larger than this is in milliseconds: as seconds it would lie in the year 5138."""

Value = TypeVar("Value")


# -- answers


def model_of(value: object, *, complete: bool = False) -> RemoteModel:
    """A model from its envelope. complete: this view shows all training images, not a preview of them."""
    return _model(_unwrapped(value, "model", ModelAnswer), complete=complete, at=_at(value, "model"))


def models_of(value: object, *, complete: bool) -> dict[ModelId, RemoteModel]:
    """The answer to get-bulk, by id: its order and its gaps mean nothing."""
    return {model.id: model for model in _models(_read(value, ModelsAnswer), complete=complete)}


def model_page_of(value: object) -> ModelPage:
    answer = _read(value, ModelsAnswer)
    return ModelPage(models=_models(answer, complete=False), next_token=answer.next_pagination_token or None)


def training_image_of(value: object) -> TrainingImage:
    """The answer to adding one image."""
    return _training_image(_unwrapped(value, "trainingImage", TrainingImageAnswer))


def job_of(value: object) -> RemoteJob:
    job = _unwrapped(value, "job", JobAnswer)
    return RemoteJob(
        id=_either(job.job_id, job.id, f"{_at(value, 'job')}jobId"),
        status=_status(job.status),
        progress=job.progress or 0.0,
        error=None if job.metadata is None else job.metadata.error,
        hint=None if job.metadata is None else job.metadata.hint,
        cu_cost=None if job.billing is None else job.billing.cu_cost,
    )


def launch_of(value: object) -> Launch:
    """The answer to a training launch: its job, else the job its model names."""
    answer = _read(value, LaunchAnswer)
    job = answer.job
    job_id = None if job is None else job.job_id or job.id
    if job_id is None:
        job_id = answer.job_id if answer.model is None else answer.model.job_id
    if not job_id:
        raise BadAnswer("the service's answer has no job.jobId")
    cost = answer.creative_units_cost
    if cost is None and job is not None and job.billing is not None:
        cost = job.billing.cu_cost
    return Launch(job_id=JobId(job_id), cu_cost=cost)


def quote_of(value: object) -> float:
    """What a dry run says a training costs, in CU."""
    answer = _read(value, PriceAnswer)
    if answer.job is not None or answer.model is not None:
        raise BadAnswer(
            "A PRICE WAS ASKED AND A TRAINING MAY HAVE STARTED: the answer names a job; look at the project"
        )
    cost = answer.creative_units_cost
    if cost is None or cost < 0:
        raise BadAnswer("the service's answer has no creativeUnitsCost")
    return cost


def asset_of(value: object) -> RemoteAsset:
    return _asset(_unwrapped(value, "asset", AssetAnswer), at=_at(value, "asset"))


def asset_page_of(value: object) -> AssetPage:
    answer = _read(value, AssetsAnswer)
    assets = tuple(_asset(asset, at=f"assets[{n}].") for n, asset in enumerate(answer.assets))
    return AssetPage(assets=assets, next_token=answer.next_pagination_token or None)


def upload_of(value: object) -> RemoteUpload:
    upload = _unwrapped(value, "upload", UploadAnswer)
    parts = (UploadPart(number=int(part.number or i), url=part.url) for i, part in enumerate(upload.parts or (), 1))
    return RemoteUpload(
        id=_either(upload.id, upload.upload_id, f"{_at(value, 'upload')}id"),
        status=upload.status,
        asset_id=AssetId(upload.entity_id) if upload.entity_id else None,
        error=upload.error_message,
        parts=tuple(sorted(parts, key=lambda part: part.number)),
    )


def score_of(value: object) -> DatasetScore:
    """The dataset score: not wrapped. A warning reads like "asset_1: Missing caption"."""
    answer = _read(value, ScoreAnswer)
    warned = [(warning.asset_id, warning.message) for warning in answer.assets_warnings or ()]
    warned += [(" and ".join(w.couple or ()), w.message) for w in answer.asset_couples_warnings or ()]
    warnings = tuple(f"{who}: {message}" for who, messages in warned for message in messages or ())
    return DatasetScore(score=answer.score, status=answer.status or "unknown", warnings=warnings)


def ignored(answer: object) -> None:
    """An answer of which nothing is needed but that it is JSON."""


# -- bodies


def concepts_to_json(concepts: Iterable[RemoteConcept]) -> list[dict[str, object]]:
    return [
        {"modelId": c.model_id, "scale": c.scale} | ({} if c.epoch is None else {"modelEpoch": c.epoch})
        for c in concepts
    ]


def pairs_to_json(pairs: Sequence[RemotePair]) -> list[dict[str, object]]:
    return [{"sourceId": p.source_id, "targetId": p.target_id, "instruction": p.instruction} for p in pairs]


def training_to_json(parameters: Mapping[str, object]) -> dict[str, object]:
    """The body of a launch. Raises ValueError for dryRun in it, which the service ignores there, and for a mask."""
    if "dryRun" in parameters:
        raise ValueError("dryRun is no training parameter: in a body it is ignored, and the run is paid")
    for name in SECRET_PARAMETERS & parameters.keys():
        if not isinstance(parameters[name], Secret):
            raise ValueError(f"{name} is known by its mask only: it comes from the manifest, never from a record")
    return {"parameters": dict(parameters)} if parameters else {}


def quoted_to_json(parameters: Mapping[str, object]) -> dict[str, object]:
    """The body of a dry run: without secrets, which change no price. A plan sends none."""
    return training_to_json({key: value for key, value in parameters.items() if key not in SECRET_PARAMETERS})


# -- parts of answers


def _without_secrets(parameters: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """The parameters of a training with secrets masked: they would get into plans and states."""
    if parameters is None:
        return None
    return {key: MASK if key in SECRET_PARAMETERS else value for key, value in parameters.items()}


def _models(answer: ModelsAnswer, *, complete: bool) -> tuple[RemoteModel, ...]:
    return tuple(_model(model, complete=complete, at=f"models[{n}].") for n, model in enumerate(answer.models))


def _model(model: ModelAnswer, *, complete: bool, at: str) -> RemoteModel:
    stats, progress = model.training_stats, model.training_progress
    images, count = _images(model, complete=complete)
    return RemoteModel(
        id=_either(model.id, model.model_id, f"{at}id"),
        type=model.type or "",
        status=None if model.status is None else _status(model.status),
        name=model.name,
        short_description=model.short_description,
        tags=model.tags,
        concepts=None
        if model.concepts is None
        else tuple(
            RemoteConcept(model_id=c.model_id, scale=1.0 if c.scale is None else c.scale, epoch=c.model_epoch)
            for c in model.concepts
        ),
        images=images,
        image_count=count,
        pairs=None
        if model.training_image_pairs is None
        else tuple(
            RemotePair(source_id=p.source_id, target_id=p.target_id, instruction=p.instruction or "")
            for p in model.training_image_pairs
        ),
        parameters=_without_secrets(model.parameters),
        job_id=JobId(model.job_id) if model.job_id else None,
        progress=None if progress is None else _progress(progress),
        created_at=_time(model.created_at),
        training_started_at=None if stats is None else _time(stats.started_at),
        owner_id=model.owner_id or None,
        privacy=model.privacy,
    )


def _images(model: ModelAnswer, *, complete: bool) -> tuple[tuple[TrainingImage, ...] | None, int | None]:
    """The images, when all are shown, and how many there are, when that is known."""
    given = model.training_images or ()
    count = None if model.training_images_number is None else int(model.training_images_number)
    if count is None and complete and model.training_images is not None:
        count = len(given)
    if count is None or len(given) < count:
        return None, count
    return tuple(_training_image(image) for image in given), count


def _training_image(image: TrainingImageAnswer) -> TrainingImage:
    return TrainingImage(
        id=image.id,
        name=image.name or "",
        description=image.description or "",
        automatic_caption=image.automatic_captioning or "",
    )


def _progress(progress: ProgressAnswer) -> Progress | None:
    """None for an empty object, which the service sends where nothing is being trained."""
    if progress == ProgressAnswer():
        return None
    remaining_ms = progress.remaining_time_ms
    return Progress(
        stage=progress.stage or "",
        progress=progress.progress,
        position=None if progress.position is None else int(progress.position),
        remaining_s=None if remaining_ms is None else remaining_ms / 1000,
    )


def _asset(asset: AssetAnswer, at: str) -> RemoteAsset:
    metadata = asset.metadata
    name = asset.name
    if name is None and metadata is not None:  # the contract puts an asset's name there
        name = metadata.file_name if metadata.name is None else metadata.name
    size = None if asset.properties is None else asset.properties.size
    return RemoteAsset(
        id=_either(asset.id, asset.asset_id, f"{at}id"),
        name=name,
        description=asset.description,
        size_bytes=None if size is None else int(size),
        status=asset.status,
        created_at=_time(asset.created_at),
    )


def _status(status: str) -> str:
    return _STATUS_ALIASES.get(status, status)


def _time(value: object) -> float | None:
    """Seconds since the epoch of an ISO 8601 text, or of a number of seconds or milliseconds; None for all else.

    Times only help to recognise things: one in another form is no reason to refuse an answer.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value) / 1000 if value > _MILLISECONDS_ABOVE else float(value)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value)
            seconds = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= _MILLISECONDS_ABOVE else None


# -- reading


def _read(value: object, type_: type[Value], at: str = "") -> Value:
    try:
        return codec.fitted(value, type_, at)
    except Misfit as misfit:
        raise BadAnswer(f"the service's answer is not what its contract says: {misfit}") from None


def _unwrapped(value: object, name: str, type_: type[Value]) -> Value:
    """The resource in an answer, wrapped ({"model": {...}}) as the API does, or bare as the older guides show it."""
    if isinstance(value, dict) and value.get(name) is not None:
        return _read(value[name], type_, name)
    return _read(value, type_)


def _at(value: object, name: str) -> str:
    """The path of what _unwrapped read."""
    return f"{name}." if isinstance(value, dict) and value.get(name) is not None else ""


def _either(one: Value | None, other: Value | None, at: str) -> Value:
    """The id under the one name or the other."""
    found = other if one is None else one
    if found is None:
        raise BadAnswer(f"the service's answer has no {at}")
    return found
