"""API JSON to our values and back. JSON enters as object and leaves as a dataclass of model/remote.py.

Both shapes the sources show are read: {"model": {...}} and the bare object, id and modelId, jobId and id, draft for
new, cancelled for canceled. Source: the contract, sections 3 and 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from scenario_apply.api import loose
from scenario_apply.api.answers import (
    AssetAnswer,
    AssetMetadataAnswer,
    AssetPropertiesAnswer,
    AssetsAnswer,
    EpochAnswer,
    LaunchAnswer,
    ModelAnswer,
    ModelsAnswer,
    PriceAnswer,
    ProgressAnswer,
    SampleAnswer,
    ScoreAnswer,
    TrainingImageAnswer,
    TrainingStatsAnswer,
    UploadAnswer,
)
from scenario_apply.api.drawn_assets import drawn
from scenario_apply.api.envelopes import Value, each_of, either, place_of, read_as, unwrapped
from scenario_apply.api.prices import billed
from scenario_apply.errors import BadAnswer
from scenario_apply.model import codec
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
    RemoteEpoch,
    RemoteModel,
    RemotePair,
    RemoteUpload,
    TrainingImage,
    UploadPart,
)
from scenario_apply.model.secret import MASK, Secret
from scenario_apply.model.training_types import SECRET_PARAMETERS

_STATUS_ALIASES = {"draft": "new", "training-cancelled": "training-canceled", "cancelled": "canceled"}

_ID_KEYS = (
    *("id", "modelId", "assetId", "jobId", "ownerId"),
    *("concepts", "trainingImages", "trainingImagePairs"),
)


# -- answers


def model_of(value: object, *, complete: bool = False) -> RemoteModel:
    """A model from its envelope. complete: this view shows all training images, not a preview of them."""
    return _model(unwrapped(value, "model", ModelAnswer), complete=complete, at=place_of(value, "model"))


def models_of(value: object, *, complete: bool) -> dict[ModelId, RemoteModel]:
    """The answer to get-bulk, by id: its order and its gaps mean nothing."""
    items = read_as(value, ModelsAnswer).models or ()
    models = [
        _model(read_as(item, ModelAnswer, at), complete=complete, at=f"{at}.") for at, item in each_of(items, "models")
    ]
    return {model.id: model for model in models}


def model_page_of(value: object) -> ModelPage:
    """A page of the project's models, also where one of them cannot be read: of that one, only its id is known."""
    answer = read_as(value, ModelsAnswer)
    models = tuple(_listed_model(item, at) for at, item in each_of(answer.models or (), "models"))
    return ModelPage(models=models, next_token=answer.next_pagination_token or None)


def training_image_of(value: object) -> TrainingImage:
    """The answer to adding one image."""
    return _training_image(unwrapped(value, "trainingImage", TrainingImageAnswer))


def launch_of(value: object) -> Launch:
    """The answer to a training launch: its job, else the job its model names."""
    answer = read_as(value, LaunchAnswer)
    job = answer.job
    job_id = None if job is None else job.job_id or job.id
    if job_id is None:
        job_id = answer.job_id if answer.model is None else answer.model.job_id
    if not job_id:
        raise BadAnswer("the service's answer has no job.jobId")
    price = {} if job is None else billed(job.billing)
    price.pop("is_refunded", None)
    told = {
        "cu_cost": loose.price(answer.creative_units_cost),
        "discount": loose.price(answer.creative_units_discount),
        "details": loose.cost_details(answer.cost_details),
    }
    price |= {name: value for name, value in told.items() if value is not None}
    return Launch(job_id=JobId(job_id), **{"cu_cost": None, **price})


def quote_of(value: object) -> float:
    """What a dry run says a training costs, in CU."""
    answer = read_as(value, PriceAnswer)
    if answer.job is not None or answer.model is not None:
        raise BadAnswer(
            "A PRICE WAS ASKED AND A TRAINING MAY HAVE STARTED: the answer names a job; look at the project"
        )
    cost = loose.price(answer.creative_units_cost)
    if cost is None:
        raise BadAnswer("the service's answer has no creativeUnitsCost")
    return cost


def asset_of(value: object) -> RemoteAsset:
    return _asset(unwrapped(value, "asset", AssetAnswer), at=place_of(value, "asset"))


def asset_page_of(value: object) -> AssetPage:
    """As model_page_of."""
    answer = read_as(value, AssetsAnswer)
    assets = tuple(_listed_asset(item, at) for at, item in each_of(answer.assets or (), "assets"))
    return AssetPage(assets=assets, next_token=answer.next_pagination_token or None)


def upload_of(value: object) -> RemoteUpload:
    upload = unwrapped(value, "upload", UploadAnswer)
    parts = (
        UploadPart(number=int(float(part.number or i)), url=part.url) for i, part in enumerate(upload.parts or (), 1)
    )
    return RemoteUpload(
        id=either(upload.id, upload.upload_id, f"{place_of(value, 'upload')}id"),
        status=upload.status,
        asset_id=AssetId(upload.entity_id) if upload.entity_id else None,
        error=upload.error_message,
        parts=tuple(sorted(parts, key=lambda part: part.number)),
    )


def score_of(value: object) -> DatasetScore:
    """The dataset score: not wrapped. A warning reads like "asset_1: Missing caption"."""
    answer = read_as(value, ScoreAnswer)
    warned = [(warning.asset_id, warning.message) for warning in answer.assets_warnings or ()]
    warned += [(" and ".join(w.couple or ()), w.message) for w in answer.asset_couples_warnings or ()]
    warnings = tuple(f"{who}: {message}" for who, messages in warned for message in messages or ())
    return DatasetScore(score=float(answer.score), status=answer.status or "unknown", warnings=warnings)


def unless_empty(read: Callable[[object], Value]) -> Callable[[object], Value | None]:
    """read, or None for an answer without a body."""
    return lambda answer: None if answer is None else read(answer)


def description_in(answer: object) -> str | None:
    """The caption in the answer to a caption; None where it has none. Only of use, so no form of it is refused."""
    inner = answer.get("asset", answer) if isinstance(answer, dict) else None
    description = inner.get("description") if isinstance(inner, dict) else None
    return description if isinstance(description, str) else None


def added_in(answer: object) -> tuple[str, ...] | None:
    """The tags that the answer to a change of tags says were added; None where it does not say."""
    added = answer.get("added") if isinstance(answer, dict) else None
    return tuple(tag for tag in added if isinstance(tag, str)) if isinstance(added, list) else None


def ignored(answer: object) -> None:
    """An answer of which nothing is needed but that it is JSON, or empty."""


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


def _parameters(parameters: object) -> Mapping[str, object] | None:
    """The parameters of a training with secrets masked: they would get into plans and states.

    Without nulls, which say nothing, and what a state cannot hold, such as an integer of more than 64 bits.
    """
    if parameters is None:
        return None
    if not isinstance(parameters, Mapping):
        return {}
    masked = {key: MASK if key in SECRET_PARAMETERS else value for key, value in parameters.items()}
    return {key: value for key, value in masked.items() if value is not None and codec.is_free_form(value)}


def _listed_model(item: object, at: str) -> RemoteModel:
    try:
        return _model(read_as(item, ModelAnswer, at), complete=False, at=f"{at}.")
    except BadAnswer:
        known = _model(read_as(_ids_of(item), ModelAnswer, at), complete=False, at=f"{at}.")
        return RemoteModel(id=known.id, type="", status=None)


def _listed_asset(item: object, at: str) -> RemoteAsset:
    try:
        return _asset(read_as(item, AssetAnswer, at), at=f"{at}.")
    except BadAnswer:
        return _asset(read_as(_ids_of(item), AssetAnswer, at), at=f"{at}.")


def _ids_of(item: object) -> object:
    """What holds ids in one item of a list: those are never odd, whatever else is."""
    return {key: item[key] for key in _ID_KEYS if key in item} if isinstance(item, dict) else item


def _model(model: ModelAnswer, *, complete: bool, at: str) -> RemoteModel:
    stats = loose.fitted(model.training_stats, TrainingStatsAnswer)
    progress = loose.fitted(model.training_progress, ProgressAnswer)
    images, count = _images(model, complete=complete)
    return RemoteModel(
        id=either(model.id, model.model_id, f"{at}id"),
        type=model.type or "",
        status=None if model.status is None else status_of(model.status),
        name=model.name,
        short_description=model.short_description,
        tags=model.tags,
        concepts=None
        if model.concepts is None
        else tuple(
            RemoteConcept(model_id=c.model_id, scale=1.0 if c.scale is None else float(c.scale), epoch=c.model_epoch)
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
        parameters=_parameters(model.parameters),
        job_id=JobId(model.job_id) if model.job_id else None,
        progress=None if progress is None else _progress(progress),
        created_at=loose.time_s(model.created_at),
        training_started_at=None if stats is None else loose.time_s(stats.started_at),
        owner_id=model.owner_id or None,
        privacy=model.privacy,
        epoch=loose.label(model.epoch),
        epochs=_epochs(model.epochs),
    )


def _epochs(epochs: object) -> tuple[RemoteEpoch, ...] | None:
    """Those that have a name; None where one has none, so that no choice is refused for it."""
    if not isinstance(epochs, list | tuple):
        return None
    found = []
    for item in epochs:
        epoch = loose.fitted(item, EpochAnswer)
        if epoch is None:
            return None
        samples = loose.fitted(epoch.assets, tuple[SampleAnswer, ...]) or ()
        found.append(RemoteEpoch(name=str(epoch.epoch), assets=tuple(sample.asset_id for sample in samples)))
    return tuple(found)


def _images(model: ModelAnswer, *, complete: bool) -> tuple[tuple[TrainingImage, ...] | None, int | None]:
    """The images, when all are shown, and how many there are, when that is known."""
    given = model.training_images or ()
    count = None if model.training_images_number is None else int(float(model.training_images_number))
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
    remaining_ms = loose.amount(progress.remaining_time_ms)
    return Progress(
        stage=progress.stage if isinstance(progress.stage, str) else "",
        progress=loose.share(progress.progress),
        position=loose.count(progress.position),
        remaining_s=None if remaining_ms is None else remaining_ms / 1000,
    )


def _asset(asset: AssetAnswer, at: str) -> RemoteAsset:
    metadata = loose.fitted(asset.metadata, AssetMetadataAnswer)
    properties = loose.fitted(asset.properties, AssetPropertiesAnswer)
    name = asset.name
    if name is None and metadata is not None:  # the contract puts an asset's name there
        name = metadata.file_name if metadata.name is None else metadata.name
    return RemoteAsset(
        id=either(asset.id, asset.asset_id, f"{at}id"),
        name=name,
        description=asset.description,
        size_bytes=None if properties is None else loose.count(properties.size),
        status=asset.status,
        created_at=loose.time_s(asset.created_at),
        **drawn(metadata),
    )


def status_of(status: str) -> str:
    """A status in the API's own spelling, also where it comes in capitals or with underscores."""
    status = "-".join(status.lower().replace("_", " ").split())
    return _STATUS_ALIASES.get(status, status)
