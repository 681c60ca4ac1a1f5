"""Where the bytes of pictures are. The addresses are signed and secret: they are used, never shown and never stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from scenario_apply.model.remote import AssetId, ModelId, RemoteModel
from scenario_apply.model.secret import Secret


class ModelsWithPictures(NamedTuple):
    """models: with all their training images, those that are gone left out. addresses: of the images' bytes."""

    models: Mapping[ModelId, RemoteModel]
    addresses: Mapping[AssetId, Secret]


class PictureAsset(NamedTuple):
    """What the service says about an asset that is to be downloaded. address: None where it names none."""

    id: AssetId
    address: Secret | None
    kind: str | None = None
    status: str | None = None
