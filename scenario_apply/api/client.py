"""The Scenario API, one method per endpoint, typed in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from scenario_apply.api import wire
from scenario_apply.api.account import read_account
from scenario_apply.api.caption_requests import CaptionBody, caption_of
from scenario_apply.api.exchange import Safety
from scenario_apply.api.generation_requests import GenerationRequests
from scenario_apply.api.job_answers import job_of
from scenario_apply.api.request_bodies import bare_base64_body, data_url_body, json_body
from scenario_apply.api.scoped_requests import DRY_RUN, DRY_RUN_STATUS, Query, job_path, model_path, page_token
from scenario_apply.api.urls import segment
from scenario_apply.errors import NotFound
from scenario_apply.model.limits import (
    ASSETS_PER_BULK_READ,
    ASSETS_PER_PAGE,
    IDS_PER_ATTACH,
    MODELS_PER_BULK_READ,
    MODELS_PER_PAGE,
)
from scenario_apply.model.ports import Sending
from scenario_apply.model.remote import (
    AccountFacts,
    AssetId,
    AssetPage,
    DatasetScore,
    GeneratedCaption,
    JobId,
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
)

_CAPTIONS = "/generate/caption"

_NEWEST_FIRST: Query = (("sortBy", "createdAt"), ("sortDirection", "desc"))


class Client(GenerationRequests):
    """ScenarioApi over HTTP. Thread-safe."""

    # -- reads

    def get_model(self, model_id: ModelId) -> RemoteModel:
        """One model with all its training images. Raises NotFound when it is deleted or unknown."""
        request = self._request("GET", model_path(model_id), Safety.READ, f"read model {model_id}")
        return self._sender.call(request, lambda answer: wire.model_of(answer, complete=True))

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        """At most 50 models in one request; deleted ones are left out. images: with all training images.

        One that this process has just created and that the answer leaves out is read by itself.
        """
        if len(model_ids) > MODELS_PER_BULK_READ:
            raise ValueError(f"at most {MODELS_PER_BULK_READ} models in a request, got {len(model_ids)}")
        if not model_ids:
            return {}
        body: dict[str, object] = {"modelIds": list(model_ids)}
        if images:
            body["allTrainingImages"] = True
        doing = f"read {len(model_ids)} models"
        request = self._request("POST", "/models/get-bulk", Safety.READ, doing, body=json_body(body))
        asked = set(model_ids)
        found = self._sender.call(request, lambda answer: wire.models_of(answer, complete=images))
        for model_id in map(ModelId, self._sender.new_objects.among(asked - found.keys())):
            with suppress(NotFound):
                found[model_id] = self.get_model(model_id)
        return {model_id: model for model_id, model in found.items() if model_id in asked}

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        """The project's own models, newest first, 500 a page."""
        query: Query = (("privacy", "private"), *_NEWEST_FIRST, ("pageSize", str(MODELS_PER_PAGE)))
        if status is not None:
            query += (("status", status),)
        query += page_token(token)
        request = self._request("GET", "/models", Safety.READ, "list the project's models", query=query)
        return self._sender.call(request, wire.model_page_of)

    def get_job(self, job_id: JobId) -> RemoteJob:
        request = self._request("GET", job_path(job_id), Safety.READ, f"read job {job_id}")
        return self._sender.call(request, job_of)

    def list_assets(self, *, token: str | None = None) -> AssetPage:
        """The project's assets, newest first, 100 a page."""
        query: Query = (*_NEWEST_FIRST, ("pageSize", str(ASSETS_PER_PAGE)), *page_token(token))
        request = self._request("GET", "/assets", Safety.READ, "list the project's assets", query=query)
        return self._sender.call(request, wire.asset_page_of)

    def get_asset(self, asset_id: AssetId) -> RemoteAsset:
        """One asset. Raises NotFound when it is deleted or unknown."""
        request = self._request("GET", _asset_path(asset_id), Safety.READ, f"read asset {asset_id}")
        return self._sender.call(request, wire.asset_of)

    def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, RemoteAsset]:
        """At most 200 assets in one request; those that are gone are left out."""
        if len(asset_ids) > ASSETS_PER_BULK_READ:
            raise ValueError(f"at most {ASSETS_PER_BULK_READ} assets in a request, got {len(asset_ids)}")
        body = json_body({"assetIds": list(asset_ids)})
        doing = f"read {len(asset_ids)} assets"
        request = self._request("POST", "/assets/get-bulk", Safety.READ, doing, body=body)
        assets = self._sender.call(request, wire.asset_page_of).assets
        asked = set(asset_ids)
        return {asset.id: asset for asset in assets if asset.id in asked}

    def get_upload(self, upload_id: UploadId) -> RemoteUpload:
        request = self._request("GET", _upload_path(upload_id), Safety.READ, f"read upload {upload_id}")
        return self._imported(self._sender.call(request, wire.upload_of))

    def get_score(self, model_id: ModelId) -> DatasetScore:
        path = f"{model_path(model_id)}/scores/training-dataset"
        doing = f"read the dataset score of model {model_id}"
        request = self._request("GET", path, Safety.READ, doing, is_advisory=True)
        return self._sender.call(request, wire.score_of)

    def get_account(self) -> AccountFacts:
        """Usage and limits; what cannot be read is None, with the reason."""
        return read_account(self._sender, self._project_id)

    def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
        """What a training would cost, in CU, by a dry run. Starts nothing.

        images: how many to price while the model has none. Raises BadAnswer for any answer but a 269 with a price; it
        warns when the service seems to have started a training instead.
        """
        query: Query = DRY_RUN
        if images is not None:
            query += (("trainingImagesCount", str(images)),)
        request = self._request(
            "PUT",
            f"{model_path(model_id)}/train",
            Safety.READ,
            f"price the training of model {model_id}",
            query=query,
            body=json_body(wire.quoted_to_json(parameters)),
            expect=DRY_RUN_STATUS,
            is_advisory=True,
        )
        return self._sender.call(request, wire.quote_of)

    def quote_captions(self, pictures: Sequence[PictureToCaption], details: str | None = None) -> float:
        """What captions of these pictures would cost, in CU, by a dry run. Raises BadAnswer as quote_training."""
        request = self._request(
            "POST",
            _CAPTIONS,
            Safety.READ,
            f"price {len(pictures)} captions",
            query=DRY_RUN,
            body=CaptionBody(pictures, details),
            expect=DRY_RUN_STATUS,
        )
        return self._sender.call(request, wire.quote_of)

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
        """None: left unchanged."""
        body = json_body(_model_body(name, short_description, concepts) | ({} if epoch is None else {"epoch": epoch}))
        path, doing = model_path(model_id), f"update model {model_id}"
        request = self._request("PUT", path, Safety.REPEATABLE, doing, body=body, may_be_empty=True)
        return self._sender.call(request, wire.unless_empty(wire.model_of), sending) or self.get_model(model_id)

    def update_tags(
        self, model_id: ModelId, *, add: Sequence[str], delete: Sequence[str], sending: Sending | None = None
    ) -> tuple[str, ...] | None:
        """The tags that the answer says were added, as they are kept; None where it does not say."""
        body = json_body({key: list(tags) for key, tags in (("add", add), ("delete", delete)) if tags})
        path, doing = f"{model_path(model_id)}/tags", f"update the tags of model {model_id}"
        return self._write("PUT", path, doing, body, sending, wire.added_in)

    def set_caption(self, asset_id: AssetId, caption: str, *, sending: Sending | None = None) -> str | None:
        """The caption that the answer says was kept; None where it does not say."""
        path, doing = _asset_path(asset_id), f"caption asset {asset_id}"
        body = json_body({"description": caption})
        return self._write("PUT", path, doing, body, sending, wire.description_in)

    def replace_pairs(self, model_id: ModelId, pairs: Sequence[RemotePair], *, sending: Sending | None = None) -> None:
        path, doing = f"{_images_path(model_id)}/pairs", f"set the pairs of model {model_id}"
        body = json_body(wire.pairs_to_json(pairs))
        self._write("PUT", path, doing, body, sending, wire.ignored)

    def detach_image(self, model_id: ModelId, image_id: AssetId, *, sending: Sending | None = None) -> None:
        """Succeeds, too, when the image is not attached."""
        path = f"{_images_path(model_id)}/{segment('an image', image_id)}"
        with suppress(NotFound):
            self._write("DELETE", path, f"take image {image_id} from model {model_id}", None, sending, wire.ignored)

    def delete_model(self, model_id: ModelId, *, sending: Sending | None = None) -> None:
        """Succeeds, too, when the model does not exist."""
        with suppress(NotFound):
            self._write("DELETE", model_path(model_id), f"delete model {model_id}", None, sending, wire.ignored)
        self._sender.new_objects.deleted(model_id)

    def put_part(self, url: str, body: bytes | memoryview) -> None:
        """The bytes of one part; sent without credentials and outside the request budget."""
        self._sender.put_part(url, body, "send a part of an upload")

    def complete_upload(self, upload_id: UploadId, *, sending: Sending | None = None) -> RemoteUpload:
        path, doing = f"{_upload_path(upload_id)}/action", f"complete upload {upload_id}"
        body = json_body({"action": "complete"})
        request = self._request("POST", path, Safety.REPEATABLE, doing, body=body, may_be_empty=True)
        upload = self._sender.call(request, wire.unless_empty(wire.upload_of), sending) or self.get_upload(upload_id)
        return self._imported(upload)

    # -- writes that must happen once

    def create_model(
        self,
        *,
        name: str,
        type: str,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel:
        body = json_body({"type": type, **_model_body(name, short_description, concepts)})
        request = self._request("POST", "/models", Safety.ONCE, f"create model {name!r}", body=body)
        model = self._sender.call(request, wire.model_of, sending)
        self._sender.new_objects.created(model.id)
        return model

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
        content = data_url_body(name=name, mime=mime, picture=body)
        request = self._request("POST", _images_path(model_id), Safety.ONCE, f"add image {name!r}", body=content)
        image = self._sender.call(request, wire.training_image_of, sending)
        self._sender.new_objects.created(image.id)
        return image

    def attach_assets(self, model_id: ModelId, asset_ids: Sequence[AssetId], *, sending: Sending | None = None) -> None:
        """At most ten ids. The answer is not documented, so only its status and form are checked."""
        if not 1 <= len(asset_ids) <= IDS_PER_ATTACH:
            raise ValueError(f"one to {IDS_PER_ATTACH} assets in a request, got {len(asset_ids)}")
        doing = f"attach {len(asset_ids)} images to model {model_id}"
        body = json_body({"assetIds": list(asset_ids)})
        path = _images_path(model_id)
        request = self._request("POST", path, Safety.ONCE, doing, body=body, may_be_empty=True, about=asset_ids)
        self._sender.call(request, wire.ignored, sending)

    def upload_asset(self, *, name: str, body: bytes | memoryview, sending: Sending | None = None) -> RemoteAsset:
        content = bare_base64_body(name=name, picture=body)
        request = self._request("POST", "/assets", Safety.ONCE, f"upload {name!r}", body=content)
        asset = self._sender.call(request, wire.asset_of, sending)
        self._sender.new_objects.created(asset.id)
        return asset

    def create_upload(
        self, *, file_name: str, mime: str, size_bytes: int, parts: int, sending: Sending | None = None
    ) -> RemoteUpload:
        body = {"fileName": file_name, "contentType": mime, "kind": "image", "parts": parts, "fileSize": size_bytes}
        doing = f"open the upload of {file_name!r}"
        request = self._request("POST", "/uploads", Safety.ONCE, doing, body=json_body(body))
        upload = self._sender.call(request, wire.upload_of, sending)
        self._sender.new_objects.created(upload.id)
        return upload

    def train(self, model_id: ModelId, parameters: Mapping[str, object], *, sending: Sending | None = None) -> Launch:
        path, doing = f"{model_path(model_id)}/train", f"launch the training of model {model_id}"
        body = json_body(wire.training_to_json(parameters))
        return self._sender.call(self._request("PUT", path, Safety.ONCE, doing, body=body), wire.launch_of, sending)

    def generate_caption(
        self, picture: PictureToCaption, details: str | None = None, *, sending: Sending | None = None
    ) -> GeneratedCaption:
        """A caption by a model of the service, which is charged."""
        body = CaptionBody([picture], details)
        request = self._request("POST", _CAPTIONS, Safety.ONCE, "have a caption written", body=body)
        return self._sender.call(request, caption_of, sending)

    def _imported(self, upload: RemoteUpload) -> RemoteUpload:
        if upload.asset_id is not None:
            self._sender.new_objects.created(upload.asset_id)
        return upload


def _asset_path(asset_id: AssetId) -> str:
    return f"/assets/{segment('an asset', asset_id)}"


def _images_path(model_id: ModelId) -> str:
    return f"{model_path(model_id)}/training-images"


def _upload_path(upload_id: UploadId) -> str:
    return f"/uploads/{segment('an upload', upload_id)}"


def _model_body(
    name: str | None, short_description: str | None, concepts: Sequence[RemoteConcept] | None
) -> dict[str, object]:
    body: dict[str, object] = {}
    if name is not None:
        body["name"] = name
    if short_description is not None:
        body["shortDescription"] = short_description
    if concepts is not None:
        body["concepts"] = wire.concepts_to_json(concepts)
    return body
