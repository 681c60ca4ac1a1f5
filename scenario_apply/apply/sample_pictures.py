"""Sample pictures of the epochs of trainings, looked up, downloaded within bounds and made small, for pages.

Whatever cannot be had is no error but a reason in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple

from msgspec.structs import replace

from scenario_apply.apply.refresh import read_models
from scenario_apply.apply.signed_pictures import SignedSource, fetch_pictures
from scenario_apply.dataset.scan.thumbnails import Shown, WantedPicture, make_thumbnails
from scenario_apply.errors import NotFound
from scenario_apply.model.ports import PictureApi, ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel
from scenario_apply.model.remote_urls import RemoteAccess

MOST_PICTURES = 80
"""Of a page."""
MOST_EPOCHS = 10
MOST_OF_AN_EPOCH = 4
_READ_ALONE = 10  # models whose epochs an answer about many leaves out


class EpochPictures(NamedTuple):
    """An epoch with its samples, each as a small copy or the reason why there is none."""

    epoch: str
    pictures: tuple[Shown, ...]


class Samples(NamedTuple):
    """The samples of a model. total: epochs that it has. left_out: whether there was no room for its pictures.

    in_use: the epoch that is, where the service says so.
    """

    epochs: tuple[EpochPictures, ...]
    total: int
    left_out: bool = False
    in_use: str | None = None


class Download(NamedTuple):
    """most_bytes: of a small copy. access: what the caller consents to read."""

    pictures: PictureApi
    access: RemoteAccess
    most_bytes: int


def sampled_models(api: ScenarioApi, model_ids: Sequence[ModelId], download: Download) -> dict[ModelId, Samples]:
    """Of the models that have samples, in the order asked. Raises ApiError where models cannot be read."""
    chosen: dict[ModelId, tuple[RemoteEpoch, ...]] = {}
    left_out: set[ModelId] = set()
    models = _with_samples(models_with_epochs(api, model_ids))
    most = _epochs_each(models.values())
    room = MOST_PICTURES
    for model in models.values():
        some = _spread(model.epochs or (), most, model.epoch)
        count = sum(len(epoch.assets) for epoch in some)
        if count > room:
            left_out.add(model.id)
            continue
        room -= count
        chosen[model.id] = tuple(some)
    assets = dict.fromkeys(asset for epochs in chosen.values() for epoch in epochs for asset in epoch.assets)
    shown = downloaded_pictures([*assets], download) if assets else {}
    return {
        model.id: Samples(
            tuple(EpochPictures(e.name, tuple(shown[asset] for asset in e.assets)) for e in chosen.get(model.id, ())),
            len(model.epochs or ()),
            model.id in left_out,
            model.epoch,
        )
        for model in models.values()
    }


def _with_samples(models: Iterable[RemoteModel]) -> dict[ModelId, RemoteModel]:
    """Those that have samples, with as many of an epoch as a page shows."""
    found: dict[ModelId, RemoteModel] = {}
    for model in models:
        cut = tuple(
            RemoteEpoch(name=epoch.name, assets=epoch.assets[:MOST_OF_AN_EPOCH]) for epoch in model.epochs or ()
        )
        if any(epoch.assets for epoch in cut):
            found[model.id] = replace(model, epochs=cut)
    return found


def _epochs_each(models: Iterable[RemoteModel]) -> int:
    """How many epochs of each model there is room for, so that each has some."""
    of_one = sum(max(len(epoch.assets) for epoch in model.epochs or ()) for model in models)
    return max(1, min(MOST_EPOCHS, MOST_PICTURES // max(of_one, 1)))


def models_with_epochs(api: ScenarioApi, model_ids: Sequence[ModelId]) -> list[RemoteModel]:
    """Models in the order asked, with their epochs: the first trained ones are read alone where many say nothing of
    them. Raises ApiError."""
    models = read_models(api, model_ids, images=False)
    alone = [m.id for m in models.values() if m.epochs is None and m.status == "trained" and not m.concepts]
    for model_id in alone[:_READ_ALONE]:
        with suppress(NotFound):
            models[model_id] = api.get_model(model_id)
    return [models[model_id] for model_id in dict.fromkeys(model_ids) if model_id in models]


def _spread(epochs: Sequence[RemoteEpoch], most: int, in_use: str | None) -> list[RemoteEpoch]:
    """At most so many, evenly over the training, the last one among them; that in use takes the place next to it."""
    if len(epochs) <= most:
        return [*epochs]
    places = [round((number + 1) * len(epochs) / most) - 1 for number in range(most)]
    used = next((at for at, epoch in enumerate(epochs) if epoch.name == in_use), None)
    if used is not None and used not in places:
        places[min(range(max(1, most - 1)), key=lambda number: abs(places[number] - used))] = used
    return [epochs[at] for at in sorted(places)]


def downloaded_pictures(assets: Sequence[AssetId], download: Download) -> dict[AssetId, Shown]:
    """Each as a small copy, or why there is none, within the bounds of a page. Never raises."""

    def small(data: bytes) -> Shown:
        digest = sha256(data).hexdigest()
        made = make_thumbnails([WantedPicture(digest, "sample")], lambda _: data, most_bytes=download.most_bytes)
        return made[digest]

    return fetch_pictures(assets, SignedSource(download.pictures, download.access), small)
