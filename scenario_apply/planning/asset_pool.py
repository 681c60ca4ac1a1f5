"""Which asset serves which image: what the service holds already, what may be re-captioned, what must be uploaded.

An asset carries one caption for every model it is attached to. So the same bytes with two captions need two assets,
and a caption may be changed in place only where no other live resource wants the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenario_apply.dataset.types import Image
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId
from scenario_apply.planning.decision import Decision
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import AssetRecord, State

Key = tuple[str, str]
"""(SHA-256 of the bytes, caption as sent, "" for the service's own)."""


def key_of(image: Image) -> Key:
    return image.sha256, image.caption or ""


class AssetPool:
    """Assets by what they hold, as a plan grows: every choice is seen by the later ones."""

    def __init__(self, state: State, observed: Observed, verdicts: Iterable[Decision]) -> None:
        verdicts = list(verdicts)
        self.known: dict[AssetId, AssetRecord] = state.assets() if verdicts else {}
        for verdict in verdicts:
            if verdict.edit.record is not None:  # an import brings its images along
                for brought in verdict.edit.record.current.images:
                    self.known[brought.asset_id] = AssetRecord(brought.sha256, brought.caption)
        self.held: dict[AssetId, str] = {asset_id: asset.caption for asset_id, asset in self.known.items()}
        gone: set[AssetId] = set()
        for remote in observed.models.values():
            for image in remote.images or ():
                if image.id in self.held:
                    self.held[image.id] = image.description
        for record in state.records.values() if verdicts else ():
            for version in record.versions():
                remote_model = observed.models.get(version.id)
                if remote_model is not None and remote_model.images is not None:
                    there = {image.id for image in remote_model.images}
                    gone.update(i.asset_id for i in version.images if i.asset_id not in there)
        # an image that vanished from a model may be a deleted asset: never counted on again
        self.ids: dict[Key, list[AssetId]] = {}
        for asset_id, asset in self.known.items():
            if asset_id not in gone:
                self.ids.setdefault((asset.sha256, self.held[asset_id]), []).append(asset_id)
        self.by_bytes: dict[str, list[AssetId]] = {}
        for asset_id, asset in self.known.items():
            if asset_id not in gone:
                self.by_bytes.setdefault(asset.sha256, []).append(asset_id)
        self.wanted = _wanted(state, verdicts) if verdicts else {}
        self.claimed: set[AssetId] = set()

    def find(self, key: Key, attached: Mapping[AssetId, object]) -> tuple[AssetId, bool] | None:
        """An asset for that key and whether its caption is to be set; None: it must be uploaded.

        attached: what hangs on the model already, preferred where several fit.
        """
        exact = self.ids.get(key, [])
        for asset_id in sorted(exact, key=lambda a: a not in attached):
            self.claimed.add(asset_id)
            # a caption the service holds and no record knows of was set by a run that died: set again, it is recorded
            is_recorded = self.known[asset_id].caption == key[1]
            self.known[asset_id] = AssetRecord(*key)
            return asset_id, not is_recorded
        for asset_id in sorted(self.by_bytes.get(key[0], []), key=lambda a: a not in attached):
            sha256, caption = key[0], self.held[asset_id]
            if asset_id in self.claimed or self.wanted.get((sha256, caption), 0):
                continue
            self.recaption(asset_id, key[1])
            return asset_id, True
        return None

    def recaption(self, asset_id: AssetId, caption: str) -> None:
        sha256 = self.known[asset_id].sha256
        self.ids[sha256, self.held[asset_id]].remove(asset_id)
        self.held[asset_id] = caption
        self.known[asset_id] = AssetRecord(sha256, caption)
        self.ids.setdefault((sha256, caption), []).append(asset_id)
        self.claimed.add(asset_id)


def _wanted(state: State, verdicts: Iterable[Decision]) -> dict[Key, int]:
    """How many live resources want an asset with those bytes and that caption."""
    wanted: dict[Key, int] = {}
    seen: set[Address] = set()
    for verdict in verdicts:
        seen.add(verdict.address)
        if verdict.edit.moved_from is not None:
            seen.add(verdict.edit.moved_from)
        if verdict.work:
            keys = {key_of(image) for image in verdict.contents.images}
        elif verdict.record is not None and not verdict.delete:
            keys = {(image.sha256, image.caption) for image in verdict.record.working.images}
        else:
            continue
        for key in keys:
            wanted[key] = wanted.get(key, 0) + 1
    for address, record in state.records.items():
        if address not in seen:
            for image in record.working.images:
                wanted[image.sha256, image.caption] = wanted.get((image.sha256, image.caption), 0) + 1
    return wanted
