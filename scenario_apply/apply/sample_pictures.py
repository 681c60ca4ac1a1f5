"""Sample pictures of the epochs of trainings, looked up, downloaded within bounds and made small, for pages.

Addresses are signed and secret: none leaves this module, and only hosts of the service are asked, or what the caller
names. Whatever cannot be had is no error but a reason in its place.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from scenario_apply.apply.refresh import read_models
from scenario_apply.dataset.scan.remote_objects import RemoteFailed
from scenario_apply.dataset.scan.thumbnails import NoThumbnail, Shown, WantedPicture, make_thumbnails
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.errors import ApiError, NotFound
from scenario_apply.model.ports import PictureApi, ScenarioApi
from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel
from scenario_apply.model.remote_urls import RemoteAccess
from scenario_apply.model.secret import Secret

MOST_PICTURES = 80
"""Of a page."""
MOST_EPOCHS = 10
MOST_OF_AN_EPOCH = 4
LARGEST_BYTES = 12 << 20
MOST_BYTES = 160 << 20
"""Of all downloads of a page."""
LONGEST_S = 45.0
_AT_ONCE = 8
_READ_ALONE = 10  # models whose epochs an answer about many leaves out
_SERVICE = ".scenario.com"


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
    models = _with_samples(_with_epochs(api, model_ids))
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


def may_ask(address: str, base_url: str, access: RemoteAccess) -> bool:
    """Whether a picture may be fetched from there: the service's own host, its domain, or what the caller names."""
    try:
        host, own = urlsplit(address).hostname or "", urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    same_domain = own.endswith(_SERVICE) and host.endswith(_SERVICE)
    return bool(host) and (host == own or same_domain or access.names(address.partition("?")[0]))


def _with_epochs(api: ScenarioApi, model_ids: Sequence[ModelId]) -> list[RemoteModel]:
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
        places[min(range(most), key=lambda number: abs(places[number] - used))] = used
    return [epochs[at] for at in sorted(places)]


def downloaded_pictures(assets: Sequence[AssetId], download: Download) -> dict[AssetId, Shown]:
    """Each as a small copy, or why there is none, within the bounds of a page. Never raises."""
    try:
        known = download.pictures.get_assets(assets)
    except ApiError as error:
        return dict.fromkeys(assets, NoThumbnail(f"Scenario did not say where it is: {error}"))
    base = urlsplit(download.pictures.base_url)
    access = RemoteAccess(
        everything=True,
        prefixes=(f"{base.scheme}://{base.netloc}", *download.access.prefixes),
        allow_http=base.scheme == "http",
    )
    fetch = _Fetch(WebReader(access, is_signed=True), download.most_bytes)
    shown: dict[AssetId, Shown] = {}
    waiting: dict[AssetId, Future[Shown]] = {}
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for asset_id in assets:
            asset = known.get(asset_id)
            if asset is None:
                shown[asset_id] = NoThumbnail("it was deleted on Scenario")
            elif asset.address is None:
                shown[asset_id] = NoThumbnail("Scenario has no file of it")
            elif not may_ask(asset.address.reveal(), download.pictures.base_url, download.access):
                shown[asset_id] = NoThumbnail(_other_host(asset.address))
            else:
                waiting[asset_id] = pool.submit(fetch, asset.address)
        wait(waiting.values(), timeout=LONGEST_S)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    for asset_id, future in waiting.items():
        shown[asset_id] = future.result() if future.done() else NoThumbnail("it took too long")
    return shown


def _other_host(address: Secret) -> str:
    host = urlsplit(address.reveal()).hostname
    return f"it lies on {host}; SCENARIO_APPLY_ALLOW_REMOTE=https://{host}/ allows to read it"


class _Fetch:
    """Downloads a picture and makes it small. Any thread may use it."""

    def __init__(self, reader: WebReader, most_bytes: int) -> None:
        self._reader = reader
        self._most_bytes = most_bytes
        self._until = time.monotonic() + LONGEST_S
        self._read = 0

    def __call__(self, address: Secret) -> Shown:
        out = _Sink(self._take)
        try:
            self._reader.fetch(address.reveal(), "", out, LARGEST_BYTES)
        except RemoteFailed as error:
            return NoThumbnail(error.message)
        except FileNotFoundError:
            return NoThumbnail("Scenario has no file of it")
        except OSError as error:
            return NoThumbnail(f"it cannot be read: {error.strerror or 'the connection broke'}")
        data = out.getvalue()
        digest = sha256(data).hexdigest()
        made = make_thumbnails([WantedPicture(digest, "sample")], lambda _: data, most_bytes=self._most_bytes)
        return made[digest]

    def _take(self, size: int) -> None:
        """Raises RemoteFailed when a bound of the page is reached."""
        self._read += size
        if self._read > MOST_BYTES:
            raise RemoteFailed(f"more than {MOST_BYTES >> 20} MB of samples were read")
        if time.monotonic() > self._until:
            raise RemoteFailed("it took too long")


class _Sink(io.BytesIO):
    def __init__(self, take: Callable[[int], None]) -> None:
        super().__init__()
        self._take = take

    def write(self, piece: object, /) -> int:
        assert isinstance(piece, bytes | bytearray | memoryview)
        self._take(len(piece))
        return super().write(piece)
