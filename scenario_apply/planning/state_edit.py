"""What an apply writes into records before its first step; it costs no request."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.model.address import Address
from scenario_apply.model.codec import Count
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.state.outcome import without_version
from scenario_apply.state.sample_records import with_epoch_in_use
from scenario_apply.state.spending import renamed
from scenario_apply.state.state import Record, State


class StateEdit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The edit of one record.

    protect: set or lift protection. unhold: a rollback ends. discard_pending: a replacement that is no longer wanted
    becomes a previous version. moved_from: the record's address so far. forget: take the record out.
    gone: the current model was deleted on the service; a new one takes its place.
    record: one that an import block brings in. revive: the number of a previous version that becomes current again.
    detached: images of the working version that are no longer attached on the service. lost: versions that were deleted
    there, of a resource whose others this plan deletes. epoch: of the current version, which uses it already.
    """

    protect: bool | None = None
    unhold: bool = False
    discard_pending: bool = False
    moved_from: Address | None = None
    forget: bool = False
    gone: bool = False
    record: Record | None = None
    revive: Count | None = None
    detached: tuple[AssetId, ...] = ()
    lost: tuple[ModelId, ...] = ()
    epoch: str | None = None

    def __bool__(self) -> bool:
        return self != _NO_EDIT


_NO_EDIT = StateEdit()


def edited(state: State, edits: Mapping[Address, StateEdit]) -> State:
    """The state after every edit that needs no request."""
    records = dict(state.records)
    # all leave before any arrives: one may take the place of another
    moved = {
        address: records.pop(edit.moved_from)
        for address, edit in edits.items()
        if edit.moved_from is not None and edit.moved_from in records
    }
    names: dict[Address, Address] = {}
    for address, arrived in moved.items():
        stays = address in records  # its own record was to leave, and did not: nothing is written over
        source = edits[address].moved_from or address
        records[source if stays else address] = arrived
        names |= {} if stays else {source: address}
    for address, edit in edits.items():
        record = records.get(address) or edit.record
        if record is None:
            continue
        if edit.forget:
            del records[address]
            continue
        if edit.protect is not None:
            record = replace(record, protected=edit.protect)
        if edit.unhold:
            record = replace(record, held=None)
        if edit.revive is not None:
            record = record.revived(edit.revive)
        if edit.discard_pending and record.pending is not None:
            record = record.without_pending()
        if edit.epoch is not None:
            record = replace(record, current=with_epoch_in_use(record.current, edit.epoch))
        if edit.detached:
            record = without_images(record, edit.detached)
        records[address] = without_versions(record, edit.lost)
    return renamed(replace(state, records=records), names)


def without_versions(record: Record, model_ids: Collection[ModelId]) -> Record:
    """The record without versions that no longer exist; at least one is left."""
    for model_id in model_ids:
        record = without_version(record, model_id) or record
    return record


def without_images(record: Record, asset_ids: Collection[AssetId]) -> Record:
    """The record without images that the service no longer holds.

    A version that was trained on them no longer holds what its fingerprint says: a run that ends before its training is
    planned again.
    """
    version = record.working
    images = tuple(image for image in version.images if image.asset_id not in asset_ids)
    return record.with_working(replace(version, images=images, fingerprint=None))
