"""Which asset serves which image: what exists on the service, what may be re-captioned, what must be uploaded. Pure.

An asset carries one caption for every model it is attached to. So the same bytes with two captions need two assets. A
caption may be changed in place only where no other resource wants the old one and no trained version was made with it
(docs/adr/0010-trained-versions-are-artifacts.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.types import Image
from scenario_apply.model.address import Address
from scenario_apply.model.limits import SINGLE_UPLOAD_BYTES
from scenario_apply.model.remote import AssetId
from scenario_apply.model.steps import UploadWay
from scenario_apply.planning.decision import ContentWork, Decision, Delete
from scenario_apply.planning.observed import Observed
from scenario_apply.state.state import AssetRecord, Record, State, Version

Key = tuple[str, str]
"""(content, caption as sent, "" for the service's own). content: see content_id."""


def key_of(image: Image) -> Key:
    return image.content, image.caption or ""


class KnownAsset(Struct, frozen=True):
    """An asset that the service holds. recaption: its caption is to be set.

    is_attached: to this model, and recorded so. What an interrupted run attached unrecorded is attached again: the
    service says that it is, and it is recorded.
    """

    id: AssetId
    recaption: bool
    is_attached: bool


class NewAsset(Struct, frozen=True):
    """The image is uploaded for this resource."""

    way: UploadWay


class EarlierUpload(Struct, frozen=True):
    """The image is uploaded by an earlier resource of the same plan."""


Place = KnownAsset | NewAsset | EarlierUpload


class ImagePlacement(Struct, frozen=True, kw_only=True):
    """One resource's images. places: the image of each key in the order of the dataset. detach: id and name."""

    places: tuple[tuple[Image, Place], ...] = ()
    detach: tuple[tuple[AssetId, str], ...] = ()


def place_images(
    decisions: Mapping[Address, Decision], state: State, observed: Observed
) -> dict[Address, ImagePlacement]:
    """Where the images of each resource come from. decisions: in the order of their steps."""
    working = [d for d in decisions.values() if isinstance(d, ContentWork) and d.contents.images]
    if not working:  # thousands of unchanged resources cost nothing here
        return {}
    pool = _AssetPool(state, observed, decisions.values())
    shared, uploaded = _shared(working), set[Key]()
    return {work.address: _placed(work, observed, pool, shared, uploaded) for work in working}


def reused_assets(decisions: Mapping[Address, Decision], state: State, observed: Observed) -> list[AssetId]:
    """The assets that a plan would attach, or whose caption it would change, in its order; others are left out."""
    placements = place_images(decisions, state, observed).values()
    places = (place for placement in placements for _, place in placement.places)
    return list(dict.fromkeys(p.id for p in places if isinstance(p, KnownAsset) and (p.recaption or not p.is_attached)))


def assets_by_content(
    state: State, observed: Observed, decisions: Collection[Decision]
) -> Mapping[str, Sequence[AssetId]]:
    """The known assets that are not gone, by what they hold."""
    return _AssetPool(state, observed, decisions).by_content


def _placed(
    work: ContentWork, observed: Observed, pool: _AssetPool, shared: set[Key], uploaded: set[Key]
) -> ImagePlacement:
    attached = _attached(work, observed)
    recorded = {image.asset_id for image in work.target.images} if work.target is not None else set()
    places: dict[Key, tuple[Image, Place]] = {}
    for image in work.contents.images:
        key = key_of(image)
        if key in places:
            continue
        place: Place
        if (found := pool.find(key, attached)) is not None:
            asset_id, recaption = found
            place = KnownAsset(asset_id, recaption, asset_id in attached and asset_id in recorded)
        elif key in uploaded:
            place = EarlierUpload()
        else:
            uploaded.add(key)
            is_large = image.bytes_to_send > SINGLE_UPLOAD_BYTES
            place = NewAsset("multipart" if is_large else "asset" if key in shared else "data")
        places[key] = image, place
    kept = {place.id for _, place in places.values() if isinstance(place, KnownAsset)}
    detach = tuple((asset_id, name) for asset_id, name in attached.items() if asset_id not in kept)
    return ImagePlacement(places=tuple(places.values()), detach=detach)


def _attached(work: ContentWork, observed: Observed) -> dict[AssetId, str]:
    """What is attached to the target now, by id, with its name: as observed, else as recorded."""
    version = work.target
    if version is None:
        return {}
    recorded = {image.asset_id: image.path for image in version.images}
    remote = observed.models.get(version.id)
    if remote is None or remote.images is None:
        return recorded
    # by id, not in the order of the answer: the same inputs give the same plan, step by step
    images = sorted(remote.images, key=lambda image: image.id)
    return {image.id: recorded.get(image.id, image.name or image.id) for image in images}


def _shared(working: Iterable[ContentWork]) -> set[Key]:
    """Keys that several resources of this plan want: uploaded once as an asset, attached by id."""
    counts: Counter[Key] = Counter()
    for work in working:
        counts.update({key_of(image) for image in work.contents.images})
    return {key for key, count in counts.items() if count > 1}


class _AssetPool:
    """Assets by what they hold, as a plan grows: every choice is seen by the later ones."""

    def __init__(self, state: State, observed: Observed, decisions: Collection[Decision]) -> None:
        self.known: dict[AssetId, AssetRecord] = state.assets()
        for decision in decisions:
            if decision.edit.record is not None:  # an import brings its images along
                for brought in decision.edit.record.current.images:
                    self.known[brought.asset_id] = replace(brought.asset, kept=None, silent=False)
        self.held: dict[AssetId, str] = {asset_id: asset.caption for asset_id, asset in self.known.items()}
        for remote in observed.models.values():
            for image in remote.images or ():
                if image.id in self.held:
                    self.held[image.id] = image.caption_beside(self.held[image.id])
        self.held.update((i, caption) for i, caption in observed.other_captions.items() if i in self.held)
        self.ids: dict[Key, list[AssetId]] = {}
        for asset_id, asset in self.known.items():
            if asset_id not in observed.gone_assets:
                self.ids.setdefault((asset.content, self.held[asset_id]), []).append(asset_id)
        self.by_content: dict[str, list[AssetId]] = {}
        for asset_id, asset in self.known.items():
            if asset_id not in observed.gone_assets:
                self.by_content.setdefault(asset.content, []).append(asset_id)
        self.wanted = _wanted(state, decisions)
        self.trained_with = _trained_with(state, observed, decisions)
        self.claimed: set[AssetId] = set()

    def find(self, key: Key, attached: Mapping[AssetId, object]) -> tuple[AssetId, bool] | None:
        """An asset for that key and whether its caption is to be set; None: it must be uploaded.

        attached: what the model has already, preferred where several fit.
        """
        exact = [asset_id for asset_id in self.ids.get(key, []) if self._may_hold(asset_id, key[1])]
        for asset_id in sorted(exact, key=lambda a: a not in attached):
            self.claimed.add(asset_id)
            # a caption the service holds and no record knows of was set by a run that died: set again, it is recorded
            is_recorded = self.known[asset_id].caption == key[1]
            self._set_caption(asset_id, key[1])
            return asset_id, not is_recorded
        for asset_id in sorted(self.by_content.get(key[0], []), key=lambda a: a not in attached):
            if asset_id in self.claimed or self.wanted.get((key[0], self.held[asset_id]), 0):
                continue
            if not self._may_hold(asset_id, key[1]):
                continue
            self.recaption(asset_id, key[1])
            return asset_id, True
        return None

    def _may_hold(self, asset_id: AssetId, caption: str) -> bool:
        """Whether the asset may have that caption without changing what a trained version was made with."""
        return self.trained_with.get(asset_id, {caption}) == {caption}

    def recaption(self, asset_id: AssetId, caption: str) -> None:
        content = self.known[asset_id].content
        self.ids[content, self.held[asset_id]].remove(asset_id)
        self.held[asset_id] = caption
        self._set_caption(asset_id, caption)
        self.ids.setdefault((content, caption), []).append(asset_id)
        self.claimed.add(asset_id)

    def _set_caption(self, asset_id: AssetId, caption: str) -> None:
        self.known[asset_id] = replace(self.known[asset_id], caption=caption, kept=None, silent=False)


def _trained_with(state: State, observed: Observed, decisions: Collection[Decision]) -> dict[AssetId, set[str]]:
    """The captions that each asset has as part of a trained version that this plan does not train again or delete."""
    held: dict[AssetId, set[str]] = {}
    for record, target in _records(state, decisions):
        for version in record.versions():
            was_trained = version.phase in ("trained", "training")
            if was_trained and version is not target and not observed.is_gone(version.id):
                for image in version.images:
                    held.setdefault(image.asset_id, set()).add(image.caption)
    return held


def _records(state: State, decisions: Collection[Decision]) -> Iterator[tuple[Record, Version | None]]:
    """Every record that stays, and which of its versions is worked on in place."""
    seen: set[Address] = set()
    for decision in decisions:
        seen |= {decision.address, decision.edit.moved_from or decision.address}
        is_deleted = isinstance(decision, Delete) and decision.consented
        if decision.record is not None and not is_deleted:
            yield decision.record, decision.target if isinstance(decision, ContentWork) else None
    for address, record in state.records.items():
        if address not in seen:
            yield record, None


def _wanted(state: State, decisions: Iterable[Decision]) -> Counter[Key]:
    """How many live resources want an asset with that content and caption."""
    wanted: Counter[Key] = Counter()
    seen: set[Address] = set()
    for decision in decisions:
        seen.add(decision.address)
        if decision.edit.moved_from is not None:
            seen.add(decision.edit.moved_from)
        if isinstance(decision, ContentWork):
            wanted.update({key_of(image) for image in decision.contents.images})
        elif decision.record is not None and not isinstance(decision, Delete):
            wanted.update({(image.content, image.caption) for image in decision.record.working.images})
    for address, record in state.records.items():
        if address not in seen:
            wanted.update((image.content, image.caption) for image in record.working.images)
    return wanted
