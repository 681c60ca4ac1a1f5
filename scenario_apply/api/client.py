"""The Scenario API, one method per endpoint, typed in and out: the writes, on top of the reads of reads.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from scenario_apply.api import wire
from scenario_apply.api.exchange import Body, Method, Safety
from scenario_apply.api.read_calls import Reads, Value
from scenario_apply.api.request_bodies import bare_base64_body, data_url_body, json_body
from scenario_apply.api.urls import segment
from scenario_apply.errors import AnswerLost, BadAnswer, NotFound
from scenario_apply.model.ports import Sending
from scenario_apply.model.remote import (
    AssetId,
    Launch,
    ModelId,
    RemoteAsset,
    RemoteConcept,
    RemoteModel,
    RemotePair,
    RemoteUpload,
    TrainingImage,
    UploadId,
)

ASSETS_AN_ATTACH = 10


class Client(Reads):
    """ScenarioApi over HTTP. Thread-safe."""

    # -- writes that may be repeated

    def update_model(
        self,
        model_id: ModelId,
        *,
        name: str | None = None,
        short_description: str | None = None,
        concepts: Sequence[RemoteConcept] | None = None,
        sending: Sending | None = None,
    ) -> RemoteModel:
        """None: left as it is."""
        body = _model_body(name, short_description, concepts)
        path = f"/models/{segment('a model', model_id)}"
        request = self._request("PUT", path, Safety.REPEATABLE, f"update model {model_id}", body=json_body(body))
        return self._answer(request, lambda answer: wire.model_of(answer, complete=False), sending)

    def update_tags(
        self, model_id: ModelId, *, add: Sequence[str], delete: Sequence[str], sending: Sending | None = None
    ) -> None:
        body = {key: list(tags) for key, tags in (("add", add), ("delete", delete)) if tags}
        path = f"/models/{segment('a model', model_id)}/tags"
        self._write("PUT", path, f"update the tags of model {model_id}", json_body(body), sending)

    def set_caption(self, asset_id: AssetId, caption: str, *, sending: Sending | None = None) -> None:
        path = f"/assets/{segment('an asset', asset_id)}"
        self._write("PUT", path, f"caption asset {asset_id}", json_body({"description": caption}), sending)

    def replace_pairs(self, model_id: ModelId, pairs: Sequence[RemotePair], *, sending: Sending | None = None) -> None:
        path = f"/models/{segment('a model', model_id)}/training-images/pairs"
        self._write("PUT", path, f"set the pairs of model {model_id}", json_body(wire.pairs_to_json(pairs)), sending)

    def detach_image(self, model_id: ModelId, image_id: AssetId, *, sending: Sending | None = None) -> None:
        """Done, too, when the image is not there."""
        path = f"/models/{segment('a model', model_id)}/training-images/{segment('an image', image_id)}"
        self._delete(path, f"take image {image_id} from model {model_id}", sending)

    def delete_model(self, model_id: ModelId, *, sending: Sending | None = None) -> None:
        """Done, too, when the model is gone."""
        self._delete(f"/models/{segment('a model', model_id)}", f"delete model {model_id}", sending)

    def put_part(self, url: str, body: bytes | memoryview) -> None:
        """The bytes of one part; sent without credentials and outside the request budget."""
        self._sender.put_part(url, body, "send a part of an upload")

    def complete_upload(self, upload_id: UploadId, *, sending: Sending | None = None) -> RemoteUpload:
        path = f"/uploads/{segment('an upload', upload_id)}/action"
        body = json_body({"action": "complete"})
        request = self._request("POST", path, Safety.REPEATABLE, f"complete upload {upload_id}", body=body)
        return self._answer(request, wire.upload_of, sending)

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
        body = {"type": type, **_model_body(name, short_description, concepts)}
        doing = f"create model {name!r}"
        return self._once(
            "POST", "/models", doing, json_body(body), sending, lambda answer: wire.model_of(answer, complete=False)
        )

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
        path = f"/models/{segment('a model', model_id)}/training-images"
        content = data_url_body(name=name, mime=mime, picture=body)
        return self._once("POST", path, f"add image {name!r}", content, sending, wire.training_image_of)

    def attach_assets(self, model_id: ModelId, asset_ids: Sequence[AssetId], *, sending: Sending | None = None) -> None:
        """At most ten ids."""
        if not 1 <= len(asset_ids) <= ASSETS_AN_ATTACH:
            raise ValueError(f"one to {ASSETS_AN_ATTACH} assets in a request, got {len(asset_ids)}")
        path = f"/models/{segment('a model', model_id)}/training-images"
        doing = f"attach {len(asset_ids)} images to model {model_id}"
        self._once("POST", path, doing, json_body({"assetIds": list(asset_ids)}), sending, _any_answer)

    def upload_asset(self, *, name: str, body: bytes | memoryview, sending: Sending | None = None) -> RemoteAsset:
        content = bare_base64_body(name=name, picture=body)
        return self._once("POST", "/assets", f"upload {name!r}", content, sending, wire.asset_of)

    def create_upload(
        self, *, file_name: str, mime: str, size_bytes: int, parts: int, sending: Sending | None = None
    ) -> RemoteUpload:
        body = {"fileName": file_name, "contentType": mime, "kind": "image", "parts": parts, "fileSize": size_bytes}
        return self._once(
            "POST", "/uploads", f"open the upload of {file_name!r}", json_body(body), sending, wire.upload_of
        )

    def train(self, model_id: ModelId, parameters: Mapping[str, object], *, sending: Sending | None = None) -> Launch:
        path = f"/models/{segment('a model', model_id)}/train"
        body = json_body(wire.training_to_json(parameters))
        return self._once("PUT", path, f"launch the training of model {model_id}", body, sending, wire.launch_of)

    # -- how they are sent

    def _write(self, method: Method, path: str, doing: str, body: Body, sending: Sending | None) -> None:
        self._sender.call(self._request(method, path, Safety.REPEATABLE, doing, body=body), sending)

    def _delete(self, path: str, doing: str, sending: Sending | None) -> None:
        with suppress(NotFound):  # what was to be gone is gone
            self._sender.call(self._request("DELETE", path, Safety.REPEATABLE, doing), sending)

    def _once(
        self,
        method: Method,
        path: str,
        doing: str,
        body: Body,
        sending: Sending | None,
        read: Callable[[object], Value],
    ) -> Value:
        """A success that cannot be understood is an answer lost: the write was carried out, its result is unknown."""
        answer = self._sender.call(self._request(method, path, Safety.ONCE, doing, body=body), sending)
        try:
            return read(answer)
        except BadAnswer as error:
            raise AnswerLost(self._sender.mask(f"{doing} ({method} {path}): {error.message}")) from None


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


def _any_answer(answer: object) -> None:
    """The answer to a batch attach is not documented: that it is JSON must do."""
