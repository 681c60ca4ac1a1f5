"""Downloads the pictures of an export: several at a time, each once, and again where another try may help."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct, field

from scenario_apply.apply.export.picture_files import NotPlaced, PictureFiles, PictureSource, PictureTarget
from scenario_apply.model.limits import ASSETS_PER_BULK_READ
from scenario_apply.model.remote import AssetId
from scenario_apply.model.secret import Secret

if TYPE_CHECKING:
    from scenario_apply.model.ports import Clock, PictureApi

MOST_AT_ONCE = 16
"""Downloads; each holds a piece of a megabyte in memory."""

_PAUSES_S = (0.0, 0.5, 2.0)
"""Before each round. What fails in one is asked for again, with a fresh address."""

Told = Callable[[int, int, int], None]
"""Called with how many of how many pictures are done, and how many bytes were read."""


class Downloaded(Struct):
    """failed: picture -> why. kept: how many were there already. fetched: how many were downloaded."""

    failed: dict[AssetId, str] = field(default_factory=dict)
    kept: int = 0
    fetched: int = 0
    size_bytes: int = 0


class Downloads(Struct, frozen=True, kw_only=True):
    """Pictures and where they come from."""

    api: PictureApi
    source: PictureSource
    files: PictureFiles
    clock: Clock
    stop: threading.Event
    at_once: int
    told: Told

    def run(self, targets: Sequence[PictureTarget], addresses: Mapping[AssetId, Secret]) -> Downloaded:
        """Places every picture that can be had. Raises OSError where the disk takes no more, ApiError, Interrupted."""
        out = Downloaded()
        self.files.clear(targets)
        left = [target for target in targets if not self._is_held(target, out, len(targets))]
        known = dict(addresses)
        for pause_s in _PAUSES_S:
            if not left:
                break
            if pause_s:
                self.clock.wait(pause_s, self.stop)
            known = self._with_addresses(left, known if not pause_s else {}, out)
            left = self._round([target for target in left if target.asset in known], known, out, len(targets))
        return out

    def _is_held(self, target: PictureTarget, out: Downloaded, total: int) -> bool:
        try:
            is_held = self.files.held(target)
        except NotPlaced as refused:
            out.failed[target.asset] = str(refused)
            is_held = True
        else:
            out.kept += is_held
        if is_held:
            self.told(out.kept + out.fetched, total, out.size_bytes)
        return is_held

    def _with_addresses(
        self, left: Sequence[PictureTarget], known: dict[AssetId, Secret], out: Downloaded
    ) -> dict[AssetId, Secret]:
        """Addresses of the pictures, those that are not known read from the service, 200 in a request."""
        lacking = [target.asset for target in left if target.asset not in known]
        for start in range(0, len(lacking), ASSETS_PER_BULK_READ):
            some = lacking[start : start + ASSETS_PER_BULK_READ]
            assets = self.api.get_assets(some)
            for asset_id in some:
                asset = assets.get(asset_id)
                if asset is None:
                    out.failed[asset_id] = "it was deleted on the service"
                elif asset.kind not in (None, "image"):
                    out.failed[asset_id] = f"it is no image: {asset.kind}"
                elif asset.address is None:
                    out.failed[asset_id] = "the service has no bytes of it"
                else:
                    known[asset_id] = asset.address
        return known

    def _round(
        self, targets: Sequence[PictureTarget], addresses: Mapping[AssetId, Secret], out: Downloaded, total: int
    ) -> list[PictureTarget]:
        """Tries each once; those that may be tried again. At most twice as many as run at once are waiting."""
        again: list[PictureTarget] = []
        waiting = iter(targets)
        with ThreadPoolExecutor(self.at_once) as threads:
            running: dict[Future[int], PictureTarget] = {}
            try:
                while True:
                    for target in islice(waiting, 2 * self.at_once - len(running)):
                        future = threads.submit(self.files.download, target, addresses[target.asset], self.source)
                        running[future] = target
                    if not running:
                        return again
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._note(running.pop(future), future, again, out)
                    self.told(out.kept + out.fetched, total, out.size_bytes)
            except BaseException:
                self.stop.set()
                threads.shutdown(wait=False, cancel_futures=True)
                raise

    def _note(self, target: PictureTarget, future: Future[int], again: list[PictureTarget], out: Downloaded) -> None:
        try:
            out.size_bytes += future.result()
        except NotPlaced as refused:
            out.failed[target.asset] = str(refused)
            if refused.may_pass:
                again.append(target)
        else:
            out.failed.pop(target.asset, None)
            out.fetched += 1
