"""The calls that change nothing, one method each: half of the ScenarioApi."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from scenario_apply.api import wire
from scenario_apply.api.exchange import Body, Method, Request, Safety
from scenario_apply.api.request_bodies import json_body
from scenario_apply.api.sender import Sender
from scenario_apply.api.urls import segment
from scenario_apply.errors import BadAnswer
from scenario_apply.model.remote import (
    AssetPage,
    DatasetScore,
    JobId,
    ModelId,
    ModelPage,
    RemoteJob,
    RemoteModel,
    RemoteUpload,
    UploadId,
)

if TYPE_CHECKING:
    from scenario_apply.model.ports import Sending

Value = TypeVar("Value")

MODELS_A_READ = 50
MODELS_A_PAGE = 500
ASSETS_A_PAGE = 100
DRY_RUN_STATUS = 269

Query = tuple[tuple[str, str], ...]


class Reads:
    """What every call needs, and the reads."""

    def __init__(self, sender: Sender, project_id: str | None) -> None:
        self._sender = sender
        self._scope: Query = () if not project_id else (("projectId", project_id),)

    def _request(
        self,
        method: Method,
        path: str,
        safety: Safety,
        doing: str,
        *,
        query: Query = (),
        body: Body | None = None,
        expect: int | None = None,
    ) -> Request:
        """A request in the project's scope."""
        return Request(
            method=method,
            path=path,
            safety=safety,
            doing=doing,
            query=(*query, *self._scope),
            body=body,
            expect=expect,
        )

    def _get(self, path: str, doing: str, read: Callable[[object], Value], query: Query = ()) -> Value:
        return self._answer(self._request("GET", path, Safety.READ, doing, query=query), read)

    def _answer(self, request: Request, read: Callable[[object], Value], sending: Sending | None = None) -> Value:
        """The answer to a request, read. Raises BadAnswer, which names the call, for one that does not fit."""
        value = self._sender.call(request, sending)
        try:
            return read(value)
        except BadAnswer as error:
            raise BadAnswer(
                self._sender.mask(f"{request.doing} ({request.method} {request.path}): {error.message}")
            ) from None

    def get_model(self, model_id: ModelId) -> RemoteModel:
        """One model with all its training images. NotFound when it is deleted or unknown."""
        path = f"/models/{segment('a model', model_id)}"
        return self._get(path, f"read model {model_id}", lambda answer: wire.model_of(answer, complete=True))

    def get_models(self, model_ids: Sequence[ModelId], *, images: bool) -> Mapping[ModelId, RemoteModel]:
        """At most 50 models in one request; those that are gone are left out. images: with all training images."""
        if len(model_ids) > MODELS_A_READ:
            raise ValueError(f"at most {MODELS_A_READ} models in a request, got {len(model_ids)}")
        if not model_ids:
            return {}
        body: dict[str, object] = {"modelIds": list(model_ids)}
        if images:
            body["allTrainingImages"] = True
        doing = f"read {len(model_ids)} models"
        request = self._request("POST", "/models/get-bulk", Safety.READ, doing, body=json_body(body))
        asked = set(model_ids)
        found = self._answer(request, lambda answer: wire.models_of(answer, complete=images))
        return {model_id: model for model_id, model in found.items() if model_id in asked}

    def list_models(self, *, token: str | None = None, status: str | None = None) -> ModelPage:
        """The project's own models, newest first, 500 a page."""
        query: Query = (
            ("privacy", "private"),
            ("sortBy", "createdAt"),
            ("sortDirection", "desc"),
            ("pageSize", str(MODELS_A_PAGE)),
        )
        if status is not None:
            query += (("status", status),)
        return self._get("/models", "list the project's models", wire.model_page_of, query + _token(token))

    def get_job(self, job_id: JobId) -> RemoteJob:
        return self._get(f"/jobs/{segment('a job', job_id)}", f"read job {job_id}", wire.job_of)

    def list_assets(self, *, token: str | None = None) -> AssetPage:
        """The project's assets, newest first, 100 a page."""
        query: Query = (("sortBy", "createdAt"), ("sortDirection", "desc"), ("pageSize", str(ASSETS_A_PAGE)))
        return self._get("/assets", "list the project's assets", wire.asset_page_of, query + _token(token))

    def get_upload(self, upload_id: UploadId) -> RemoteUpload:
        return self._get(f"/uploads/{segment('an upload', upload_id)}", f"read upload {upload_id}", wire.upload_of)

    def get_score(self, model_id: ModelId) -> DatasetScore:
        path = f"/models/{segment('a model', model_id)}/scores/training-dataset"
        return self._get(path, f"read the dataset score of model {model_id}", wire.score_of)

    def quote_training(self, model_id: ModelId, parameters: Mapping[str, object], images: int | None) -> float:
        """What a training would cost, in CU: the dry run. Starts nothing.

        images: how many to price while the model has none. Only a 269 that names a price is an answer. Raises
        BadAnswer for any other, loudly when the service seems to have started a training all the same.
        """
        query: Query = (("dryRun", "true"),)
        if images is not None:
            query += (("trainingImagesCount", str(images)),)
        request = self._request(
            "PUT",
            f"/models/{segment('a model', model_id)}/train",
            Safety.READ,
            f"price the training of model {model_id}",
            query=query,
            body=json_body(wire.quoted_to_json(parameters)),
            expect=DRY_RUN_STATUS,
        )
        return self._answer(request, wire.quote_of)


def _token(token: str | None) -> Query:
    return () if token is None else (("paginationToken", token),)
