"""Reads models and assets with the addresses of their pictures' bytes, as they were uploaded.

The addresses are signed: to have one is to have the picture. They leave this module as secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from scenario_apply.api import wire
from scenario_apply.api.envelopes import is_deleted
from scenario_apply.api.exchange import Body
from scenario_apply.api.request_bodies import json_body
from scenario_apply.api.scoped_requests import ScopedRequests
from scenario_apply.api.urls import segment
from scenario_apply.errors import BadAnswer
from scenario_apply.model.ids import is_id
from scenario_apply.model.limits import ASSETS_PER_BULK_READ, MODELS_PER_BULK_READ
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.remote_pictures import ModelsWithPictures, PictureAsset
from scenario_apply.model.secret import Secret

ORIGINALS = (("originalAssets", "true"),)
"""Addresses of what was uploaded, not of what a CDN makes of it. Source: the API contract, OriginalAssets."""

_LONGEST_ADDRESS = 8192

Said = TypeVar("Said")


class PictureRequests:
    """PictureApi over HTTP."""

    def __init__(self, client: ScopedRequests, base_url: str) -> None:
        self._client = client
        self.base_url = base_url

    def get_models(self, model_ids: Sequence[ModelId]) -> ModelsWithPictures:
        """At most 50 models in one request."""
        if len(model_ids) > MODELS_PER_BULK_READ:
            raise ValueError(f"at most {MODELS_PER_BULK_READ} models in a request, got {len(model_ids)}")
        body = json_body({"modelIds": list(model_ids), "allTrainingImages": True})
        return self._read("/models/get-bulk", f"read {len(model_ids)} models", _models_of, body)

    def get_model(self, model_id: ModelId) -> ModelsWithPictures:
        """One model. Raises NotFound when it is deleted or unknown."""
        return self._read(f"/models/{segment('a model', model_id)}", f"read model {model_id}", _model_of)

    def get_assets(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, PictureAsset]:
        """At most 200 assets in one request; those that are gone are left out."""
        if len(asset_ids) > ASSETS_PER_BULK_READ:
            raise ValueError(f"at most {ASSETS_PER_BULK_READ} assets in a request, got {len(asset_ids)}")
        body = json_body({"assetIds": list(asset_ids)})
        doing = f"read {len(asset_ids)} assets"
        found = self._client.read("/assets/get-bulk", doing, addressed_assets_of, query=ORIGINALS, body=body)
        asked = set(asset_ids)
        return {asset.id: asset for asset in found if asset.id in asked}

    def _read(self, path: str, doing: str, read: Callable[[object], Said], body: Body | None = None) -> Said:
        return self._client.read(path, doing, read, query=ORIGINALS, body=body)


def _models_of(answer: object) -> ModelsWithPictures:
    models = wire.models_of(answer, complete=True)
    listed = answer.get("models") if isinstance(answer, dict) else None
    return ModelsWithPictures(models, _addresses(listed if isinstance(listed, list) else ()))


def _model_of(answer: object) -> ModelsWithPictures:
    model = wire.model_of(answer, complete=True)
    inner = answer.get("model", answer) if isinstance(answer, dict) else None
    return ModelsWithPictures({model.id: model}, _addresses([inner]))


def _addresses(models: Iterable[object]) -> dict[AssetId, Secret]:
    """Of the training images of models in an answer that is known to be one."""
    images = (i for model in models if isinstance(model, dict) for i in model.get("trainingImages") or ())
    found = ((image.get("id"), signed_address(image.get("downloadUrl"))) for image in images if isinstance(image, dict))
    return {AssetId(str(one)): address for one, address in found if _is_id(one) and address is not None}


def addressed_assets_of(answer: object) -> list[PictureAsset]:
    """The assets of a bulk answer with their addresses. Raises BadAnswer."""
    listed = answer.get("assets") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise BadAnswer("the service's answer is not what its contract says: assets: expected a list")
    assets = [one for one in listed if isinstance(one, dict) and _is_id(one.get("id"))]
    assets = [one for one in assets if not is_deleted(one)]
    return [
        PictureAsset(
            AssetId(one["id"]), signed_address(one.get("originalFileUrl")) or signed_address(one.get("url")),
            kind=_word(one.get("kind")), status=_word(one.get("status")),
        )
        for one in assets
    ]  # fmt: skip


def _is_id(value: object) -> bool:
    return isinstance(value, str) and is_id(value)


def signed_address(value: object) -> Secret | None:
    """An address in an answer; None for anything else."""
    is_one = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= _LONGEST_ADDRESS
    return Secret(str(value)) if is_one else None


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None
