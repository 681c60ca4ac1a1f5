"""Downloads pictures that are assets of the service, within bounds, from its hosts or those that the caller names.

Addresses are signed and secret: none leaves this module. Whatever cannot be had is no error but a reason in its place.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

from scenario_apply.dataset.scan.remote_objects import RemoteFailed
from scenario_apply.dataset.scan.thumbnails import NoThumbnail
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.errors import ApiError
from scenario_apply.model.limits import ASSETS_PER_BULK_READ
from scenario_apply.model.ports import PictureApi
from scenario_apply.model.remote import AssetId
from scenario_apply.model.remote_pictures import PictureAsset
from scenario_apply.model.remote_urls import RemoteAccess
from scenario_apply.model.secret import Secret

LARGEST_BYTES = 12 << 20
_AT_ONCE = 8
_LOOK_EVERY_S = 0.25
_SERVICE = ".scenario.com"

Made = TypeVar("Made")


class DownloadBounds(NamedTuple):
    """Of all downloads together. longest_s: seconds; what is not there by then is left out."""

    most_bytes: int
    longest_s: float


PAGE_BOUNDS = DownloadBounds(most_bytes=160 << 20, longest_s=45.0)


class SignedSource(NamedTuple):
    """access: what the caller consents to read. check: called while it is waited; what it raises ends the downloads."""

    pictures: PictureApi
    access: RemoteAccess
    check: Callable[[], None] = lambda: None


def fetch_pictures(
    assets: Sequence[AssetId],
    source: SignedSource,
    make: Callable[[bytes], Made | NoThumbnail],
    bounds: DownloadBounds = PAGE_BOUNDS,
) -> dict[AssetId, Made | NoThumbnail]:
    """By asset: what make makes of its bytes, or why there is nothing. make is called by several threads at once.

    Raises nothing but what the check of the source raises.
    """
    known, failed = _addressed(assets, source.pictures)
    if failed is not None:
        return dict.fromkeys(assets, failed)
    fetch = _Fetch(_reader(source), make, bounds)
    found: dict[AssetId, Made | NoThumbnail] = {}
    waiting: dict[AssetId, Future[Made | NoThumbnail]] = {}
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for asset_id in assets:
            address = _address_of(known.get(asset_id), source)
            if isinstance(address, NoThumbnail):
                found[asset_id] = address
            else:
                waiting[asset_id] = pool.submit(fetch, address)
        _wait(list(waiting.values()), fetch, source.check)
    finally:
        fetch.give_up()
        pool.shutdown(wait=False, cancel_futures=True)
    for asset_id, future in waiting.items():
        is_there = future.done() and not future.cancelled()
        found[asset_id] = future.result() if is_there else NoThumbnail("it took too long")
    return found


def may_ask(address: str, base_url: str, access: RemoteAccess) -> bool:
    """Whether a picture may be fetched from there: the service's own host, its domain, or what the caller names."""
    try:
        host, own = urlsplit(address).hostname or "", urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    same_domain = own.endswith(_SERVICE) and host.endswith(_SERVICE)
    return bool(host) and (host == own or same_domain or access.names(address.partition("?")[0]))


def _addressed(
    assets: Sequence[AssetId], pictures: PictureApi
) -> tuple[dict[AssetId, PictureAsset], NoThumbnail | None]:
    known: dict[AssetId, PictureAsset] = {}
    try:
        for start in range(0, len(assets), ASSETS_PER_BULK_READ):
            known.update(pictures.get_assets(assets[start : start + ASSETS_PER_BULK_READ]))
    except ApiError as error:
        return {}, NoThumbnail(f"Scenario did not say where it is: {error}")
    return known, None


def _reader(source: SignedSource) -> WebReader:
    base = urlsplit(source.pictures.base_url)
    access = RemoteAccess(
        everything=True,
        prefixes=(f"{base.scheme}://{base.netloc}", *source.access.prefixes),
        allow_http=base.scheme == "http",
    )
    return WebReader(access, is_signed=True, may_ask=partial(_may_ask, source))


def _may_ask(source: SignedSource, address: str) -> bool:
    return may_ask(address, source.pictures.base_url, source.access)


def _address_of(asset: PictureAsset | None, source: SignedSource) -> Secret | NoThumbnail:
    if asset is None:
        return NoThumbnail("it was deleted on Scenario")
    if asset.address is None:
        return NoThumbnail("Scenario has no file of it")
    if _may_ask(source, asset.address.reveal()):
        return asset.address
    host = urlsplit(asset.address.reveal()).hostname
    return NoThumbnail(f"it lies on {host}; SCENARIO_APPLY_ALLOW_REMOTE=https://{host}/ allows to read it")


def _wait(futures: Sequence[Future[Made]], fetch: _Fetch[Any], check: Callable[[], None]) -> None:
    """Until all are done, or the time is over."""
    open_ones: set[Future[Made]] = set(futures)
    while open_ones and (left := fetch.seconds_left) > 0:
        check()
        open_ones = wait(open_ones, timeout=min(left, _LOOK_EVERY_S)).not_done


class _Fetch(Generic[Made]):
    """Downloads a picture and makes something of it. Any thread may use it."""

    def __init__(self, reader: WebReader, make: Callable[[bytes], Made | NoThumbnail], bounds: DownloadBounds) -> None:
        self._reader = reader
        self._make = make
        self._bounds = bounds
        self._until = time.monotonic() + bounds.longest_s
        self._read = 0

    @property
    def seconds_left(self) -> float:
        return self._until - time.monotonic()

    def give_up(self) -> None:
        """What is still read ends at its next piece."""
        self._until = 0.0

    def __call__(self, address: Secret) -> Made | NoThumbnail:
        out = _Pieces(self._take)
        try:
            self._reader.fetch(address.reveal(), "", out, LARGEST_BYTES)
        except RemoteFailed as error:
            return NoThumbnail(error.message)
        except FileNotFoundError:
            return NoThumbnail("Scenario has no file of it")
        except OSError as error:
            return NoThumbnail(f"it cannot be read: {error.strerror or 'the connection broke'}")
        return self._make(out.getvalue())

    def _take(self, size: int) -> None:
        """Raises RemoteFailed when a bound is reached."""
        self._read += size
        if self._read > self._bounds.most_bytes:
            raise RemoteFailed(f"more than {self._bounds.most_bytes >> 20} MB of samples were read")
        if time.monotonic() > self._until:
            raise RemoteFailed("it took too long")


class _Pieces(io.BytesIO):
    def __init__(self, take: Callable[[int], None]) -> None:
        super().__init__()
        self._take = take

    def write(self, piece: object, /) -> int:
        assert isinstance(piece, bytes | bytearray | memoryview)
        self._take(len(piece))
        return super().write(piece)
