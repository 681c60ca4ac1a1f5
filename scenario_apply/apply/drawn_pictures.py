"""Looks at drawn sample pictures: downloads each, hashes it, and keeps a small copy beside the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from scenario_apply.apply.signed_pictures import DownloadBounds, SignedSource, fetch_pictures
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.pillow_images import DamagedPicture, NotDecoded, read_pixels
from scenario_apply.dataset.scan.sample_thumbnails import MOST_BYTES, MOST_SIDE
from scenario_apply.dataset.scan.thumbnails import NoThumbnail, Thumbnail, WantedPicture, make_thumbnails
from scenario_apply.errors import ApplyError
from scenario_apply.model.remote import AssetId
from scenario_apply.state.state import DrawnPicture
from scenario_apply.state.stores.sample_store import SampleStore

HASH_DIGITS = 32
"""Of the picture as it is; the lint rules know the hash of its mirror image beside it."""

_AT_A_TIME = 64
_BOUNDS = DownloadBounds(most_bytes=384 << 20, longest_s=120.0)


class LookedAt(NamedTuple):
    """What the bytes of a picture say. sha256: of them; dhash: its perceptual hash; copy: small, in WebP."""

    sha256: str
    dhash: str
    copy: bytes

    def as_drawn(self, asset_id: AssetId) -> DrawnPicture:
        """As it is recorded."""
        digest = sha256(self.copy).hexdigest()
        return DrawnPicture(asset_id=asset_id, sha256=self.sha256, thumbnail=digest, dhash=self.dhash)


class SampleLooker:
    """Any thread may use it, one call at a time."""

    def __init__(self, source: SignedSource, store: SampleStore) -> None:
        self._source = source
        self._store = store

    def __call__(self, assets: Sequence[AssetId]) -> Mapping[AssetId, DrawnPicture]:
        """Pictures with the digests of their bytes and of their small copies, which are in the store.

        One that cannot be had is left out. Raises ApplyError where none can be had, or the disk takes no copy, and
        Interrupted.
        """
        seen: dict[AssetId, DrawnPicture] = {}
        failed: dict[AssetId, NoThumbnail] = {}
        for asset_id, found in self._looked_at(assets):
            if isinstance(found, NoThumbnail):
                failed[asset_id] = found
                continue
            self._keep(found.copy)
            seen[asset_id] = found.as_drawn(asset_id)
        if failed and not seen:
            raise ApplyError(f"{next(iter(failed))}: {next(iter(failed.values())).why}")
        return seen

    def restore(self, pictures: Iterable[DrawnPicture]) -> dict[AssetId, NoThumbnail]:
        """Put small copies that are missing back into the store; those that cannot be had, and why.

        A picture whose bytes are not those that were recorded is none of them. Raises ApplyError where the disk takes
        no copy, and Interrupted.
        """
        wanted = {one.asset_id: one for one in pictures if one.thumbnail and not self._store.has(one.thumbnail)}
        failed: dict[AssetId, NoThumbnail] = {}
        for asset_id, found in self._looked_at([*wanted]):
            if isinstance(found, NoThumbnail):
                failed[asset_id] = found
            elif wanted[asset_id].sha256 not in (None, found.sha256):
                failed[asset_id] = NoThumbnail("Scenario has other bytes now than those that were drawn")
            elif found.as_drawn(asset_id).thumbnail != wanted[asset_id].thumbnail:
                failed[asset_id] = NoThumbnail("this version of Pillow makes another small copy of it")
            else:
                self._keep(found.copy)
        return failed

    def _looked_at(self, assets: Sequence[AssetId]) -> Iterable[tuple[AssetId, LookedAt | NoThumbnail]]:
        allowance = DecodingAllowance()
        for start in range(0, len(assets), _AT_A_TIME):
            part = assets[start : start + _AT_A_TIME]
            found = fetch_pictures(part, self._source, lambda data: look_at(data, allowance), _BOUNDS)
            yield from found.items()

    def _keep(self, copy: bytes) -> None:
        try:
            self._store.keep(copy)
        except OSError as error:
            raise ApplyError(f"{self._store.path} cannot be written: {error.strerror or error}") from error


def look_at(data: bytes, allowance: DecodingAllowance) -> LookedAt | NoThumbnail:
    """The digest, the hash and the small copy of a picture's bytes; or why they cannot be had."""
    digest = sha256(data).hexdigest()
    allowance.earn(len(data))
    try:
        hashes = read_pixels(data, allowance).hashes
    except NotDecoded:
        return NoThumbnail("the limit on decoding was reached")
    except DamagedPicture as error:
        return NoThumbnail(f"it cannot be decoded: {error}")
    wanted = [WantedPicture(digest, "sample")]
    small = make_thumbnails(wanted, lambda _: data, most_bytes=MOST_BYTES, most_side=MOST_SIDE)[digest]
    return LookedAt(digest, hashes[:HASH_DIGITS], small.data) if isinstance(small, Thumbnail) else small
