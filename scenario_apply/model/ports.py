"""The seams as Protocols: what planning and apply need of service, clock and request counter.

The real ones are built in cli/wiring.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from scenario_apply.model.remote import (
    AccountFacts,
    AssetId,
    AssetPage,
    BaseInputs,
    DatasetScore,
    GeneratedCaption,
    JobId,
    JobPage,
    Launch,
    ModelId,
    ModelPage,
    PictureToCaption,
    RemoteAsset,
    RemoteConcept,
    RemoteJob,
    RemoteModel,
    RemotePair,
    RemoteUpload,
    TrainingImage,
    UploadId,
    WeightsDownload,
)
from scenario_apply.model.remote_pictures import ModelsWithPictures, PictureAsset
from scenario_apply.model.samples import Generation, GenerationPrice

Sending = Callable[[], None]
"""Called when a slot of the request budget is taken and the bytes are about to leave; once per attempt."""


class WakeUp(Protocol):
    """What ends a wait early, such as a threading.Event."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class Clock(Protocol):
    """Time. now: seconds since the epoch; monotonic: seconds that only grow."""

    def now(self) -> float: ...
    def monotonic(self) -> float: ...
    def wait(self, seconds: float, wake: WakeUp | None = None) -> bool:
        """Sleep, at most seconds; True when wake was set before they were over."""
        ...


class GenerationApi(Protocol):
    """What samples, epochs, weights and cards need of the API. Retries and errors are those of ScenarioApi."""

    # -- reads
    def get_base(self, base: ModelId) -> BaseInputs:
        """What a base model takes, by `inputs` of `GET /models/{id}`. NotFound when it is unknown."""
        ...

    def list_jobs(self, *, types: Sequence[str] = ("custom",), token: str | None = None) -> JobPage:
        """The project's jobs of these types, newest first, 100 a page, with their inputs and what they made.

        types (): of every type. Exports of weights, model-download, are only listed so.
        """
        ...

    def quote_generation(self, base: ModelId, generation: Generation) -> GenerationPrice:
        """What a generation would cost, in CU: the dry run. Draws nothing."""
        ...

    def quote_weights(self, model_id: ModelId, epoch: str | None = None) -> float:
        """What an export of weights would cost, in CU: the dry run. Exports nothing."""
        ...

    def get_weights(self, job_id: JobId) -> WeightsDownload:
        """How an export of weights is doing: by `GET /assets/download/{jobId}`, else by its job."""
        ...

    def get_card(self, model_id: ModelId) -> str | None:
        """The Markdown description of a model; None where it has none."""
        ...

    # -- writes that may be repeated
    def set_card(self, model_id: ModelId, text: str, *, sending: Sending | None = None) -> None:
        """The Markdown description of a model."""
        ...

    # -- writes that must happen once
    def generate(self, base: ModelId, generation: Generation, *, sending: Sending | None = None) -> Launch:
        """Pictures from a base model, which are charged."""
        ...

    def export_weights(
        self, model_id: ModelId, epoch: str | None = None, *, sending: Sending | None = None
    ) -> JobId: ...


class ScenarioApi(GenerationApi, Protocol):
    """The Scenario API, typed in and out.

    Reads and idempotent writes are retried inside (408, 429 rate, 5xx, broken connections). A write marked
    «once» is never repeated blindly: it raises AnswerLost when it may have been carried out; it is tried again
    inside only where the service surely did not (connection refused, 429 rate). All raise the ApiError family.
    """

    # -- reads
    def get_model(self, model_id: ModelId) -> RemoteModel:
        """One model with all its training images. NotFound when it is deleted or unknown."""
        ...

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        """At most 50 models in one request; those that are gone are left out. images: with all training images."""
        ...

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        """The project's own models, newest first, 500 a page."""
        ...

    def get_job(self, job_id: JobId) -> RemoteJob: ...
    def list_assets(self, *, token: str | None = None) -> AssetPage:
        """The project's assets, newest first, 100 a page."""
        ...

    def get_asset(self, asset_id: AssetId) -> RemoteAsset:
        """One asset. NotFound when it is deleted or unknown."""
        ...

    def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, RemoteAsset]:
        """At most 200 assets in one request; those that are gone are left out."""
        ...

    def get_upload(self, upload_id: UploadId) -> RemoteUpload: ...
    def get_score(self, model_id: ModelId) -> DatasetScore: ...
    def get_account(self) -> AccountFacts:
        """Usage and limits; what cannot be read is None, with the reason."""
        ...

    def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
        """What a training would cost, in CU: the dry run. Starts nothing."""
        ...

    def quote_captions(self, pictures: Sequence[PictureToCaption], details: str | None = None) -> float:
        """What captions of these pictures would cost, in CU: the dry run. Writes none."""
        ...

    # -- writes that may be repeated
    def update_model(
        self,
        model_id: ModelId,
        *,
        name: str | None = None,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        epoch: str | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel:
        """None: left as it is. epoch: of the training, free; a trained model has them where its type does."""
        ...

    def update_tags(
        self, model_id: ModelId, *, add: Sequence[str], delete: Sequence[str], sending: Sending | None = None
    ) -> tuple[str, ...] | None:
        """The tags that the answer says were added, as they are kept; None where it does not say."""
        ...

    def set_caption(self, asset_id: AssetId, caption: str, *, sending: Sending | None = None) -> str | None:
        """The caption that the answer says was kept; None where it does not say."""
        ...

    def replace_pairs(
        self, model_id: ModelId, pairs: Sequence[RemotePair], *, sending: Sending | None = None
    ) -> None: ...
    def detach_image(self, model_id: ModelId, image_id: AssetId, *, sending: Sending | None = None) -> None:
        """Done, too, when the image is not there."""
        ...

    def delete_model(self, model_id: ModelId, *, sending: Sending | None = None) -> None:
        """Done, too, when the model is gone."""
        ...

    def put_part(self, url: str, body: bytes | memoryview) -> None:
        """The bytes of one part; sent without credentials and outside the request budget."""
        ...

    def complete_upload(self, upload_id: UploadId, *, sending: Sending | None = None) -> RemoteUpload: ...

    # -- writes that must happen once
    def create_model(
        self,
        *,
        name: str,
        type: str,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel: ...
    def add_image(
        self,
        model_id: ModelId,
        *,
        name: str,
        mime: str,
        body: bytes | memoryview,
        sending: Sending | None = None,
    ) -> TrainingImage:
        """Upload and attach in one request, as a data URL."""
        ...

    def attach_assets(self, model_id: ModelId, asset_ids: Sequence[AssetId], *, sending: Sending | None = None) -> None:
        """At most ten ids."""
        ...

    def upload_asset(self, *, name: str, body: bytes | memoryview, sending: Sending | None = None) -> RemoteAsset: ...
    def create_upload(
        self, *, file_name: str, mime: str, size_bytes: int, parts: int, sending: Sending | None = None
    ) -> RemoteUpload: ...
    def train(
        self, model_id: ModelId, parameters: Mapping[str, object], *, sending: Sending | None = None
    ) -> Launch: ...
    def generate_caption(
        self, picture: PictureToCaption, details: str | None = None, *, sending: Sending | None = None
    ) -> GeneratedCaption:
        """A caption by a model of the service, which is charged."""
        ...


class PictureApi(Protocol):
    """Models and assets with where the bytes of their pictures are: what an export reads. Retried as other reads."""

    @property
    def base_url(self) -> str:
        """Of the service, without credentials."""
        ...

    def get_models(self, model_ids: Sequence[ModelId]) -> ModelsWithPictures:
        """At most 50 models in one request; those that are gone are left out."""
        ...

    def get_model(self, model_id: ModelId) -> ModelsWithPictures:
        """One model. NotFound when it is deleted or unknown."""
        ...

    def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, PictureAsset]:
        """At most 200 assets in one request; those that are gone are left out."""
        ...


class RequestCounter(Protocol):
    """What the request budget knows, for plans, progress and the ledger."""

    @property
    def sent(self) -> int:
        """Requests that left, retries included."""
        ...

    @property
    def refused(self) -> int:
        """Of those, answered 429 for their rate."""
        ...

    @property
    def paused_for_s(self) -> float:
        """Seconds for which all requests still pause because the service refused one; 0 without a pause."""
        ...

    def seconds_for(self, requests: int) -> float:
        """About how many seconds it takes until so many more requests have left, if nothing else slows them."""
        ...
