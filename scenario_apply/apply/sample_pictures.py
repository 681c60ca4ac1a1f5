"""Sample pictures of the epochs of trainings, looked up, downloaded within bounds and made small, for pages.

Whatever cannot be had is no error but a reason in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

from scenario_apply.apply.refresh import read_models
from scenario_apply.apply.signed_pictures import SignedSource, fetch_pictures
from scenario_apply.dataset.scan.thumbnails import Shown, WantedPicture, make_thumbnails
from scenario_apply.errors import NotFound
from scenario_apply.model.ports import PictureApi, ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel
from scenario_apply.model.remote_urls import RemoteAccess

MOST_PICTURES = 48
"""Of a page."""
MOST_EPOCHS = 4
MOST_OF_AN_EPOCH = 3
_READ_ALONE = 10  # models whose epochs an answer about many leaves out


class EpochPictures(NamedTuple):
    """An epoch with its samples, each as a small copy or the reason why there is none."""

    epoch: str
    pictures: tuple[Shown, ...]


class Samples(NamedTuple):
    """The samples of a model. total: epochs that it has. left_out: whether there was no room for its pictures."""

    epochs: tuple[EpochPictures, ...]
    total: int
    left_out: bool = False


class Download(NamedTuple):
    """most_bytes: of a small copy. access: what the caller consents to read."""

    pictures: PictureApi
    access: RemoteAccess
    most_bytes: int


def sampled_models(api: ScenarioApi, model_ids: Sequence[ModelId], download: Download) -> dict[ModelId, Samples]:
    """Of the models that have samples, in the order asked. Raises ApiError where models cannot be read."""
    chosen: dict[ModelId, tuple[RemoteEpoch, ...]] = {}
    left_out: set[ModelId] = set()
    totals: dict[ModelId, int] = {}
    room = MOST_PICTURES
    for model_id, epochs in _with_epochs(api, model_ids).items():
        some = tuple(e_cut for epoch in _spread(epochs, MOST_EPOCHS) if (e_cut := _cut(epoch)).assets)
        if not some:
            continue
        totals[model_id] = len(epochs)
        count = sum(len(epoch.assets) for epoch in some)
        if count > room:
            left_out.add(model_id)
            continue
        room -= count
        chosen[model_id] = some
    assets = dict.fromkeys(asset for epochs in chosen.values() for epoch in epochs for asset in epoch.assets)
    shown = downloaded_pictures([*assets], download) if assets else {}
    return {
        model_id: Samples(
            tuple(EpochPictures(e.name, tuple(shown[asset] for asset in e.assets)) for e in chosen.get(model_id, ())),
            totals[model_id],
            model_id in left_out,
        )
        for model_id in totals
    }


def _with_epochs(api: ScenarioApi, model_ids: Sequence[ModelId]) -> Mapping[ModelId, tuple[RemoteEpoch, ...]]:
    models = read_models(api, model_ids, images=False)
    alone = [m.id for m in models.values() if m.epochs is None and m.status == "trained" and not m.concepts]
    for model_id in alone[:_READ_ALONE]:
        with suppress(NotFound):
            models[model_id] = api.get_model(model_id)
    known: Iterable[RemoteModel] = (models[model_id] for model_id in dict.fromkeys(model_ids) if model_id in models)
    return {model.id: model.epochs for model in known if model.epochs}


def _spread(epochs: Sequence[RemoteEpoch], most: int) -> list[RemoteEpoch]:
    """At most so many, evenly over the training, with the last one."""
    if len(epochs) <= most:
        return [*epochs]
    return [epochs[round((number + 1) * len(epochs) / most) - 1] for number in range(most)]


def _cut(epoch: RemoteEpoch) -> RemoteEpoch:
    return RemoteEpoch(name=epoch.name, assets=epoch.assets[:MOST_OF_AN_EPOCH])


def downloaded_pictures(assets: Sequence[AssetId], download: Download) -> dict[AssetId, Shown]:
    """Each as a small copy, or why there is none, within the bounds of a page. Never raises."""

    def small(data: bytes) -> Shown:
        digest = sha256(data).hexdigest()
        made = make_thumbnails([WantedPicture(digest, "sample")], lambda _: data, most_bytes=download.most_bytes)
        return made[digest]

    return fetch_pictures(assets, SignedSource(download.pictures, download.access), small)
