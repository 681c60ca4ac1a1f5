"""What the diff decided about one resource, before anybody made steps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from scenario_apply.dataset.types import Contents
from scenario_apply.model.address import Address
from scenario_apply.planning.attributes import LabelChange, Spec
from scenario_apply.planning.changes import Action, Change
from scenario_apply.state.state import ConceptRecord, Record, State, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEdit:
    """What an apply writes into a record before its first step; it costs no request.

    protect: set or lift protection. unhold: a rollback's hold ends. discard_pending: a replacement nobody wants any
    more becomes a previous version. moved_from: the record's address so far. forget: take the record out.
    gone: the current model is gone on the service; a new one takes its place.
    record: one that an import block brings in. revive: the number of a previous version that becomes current again.
    """

    protect: bool | None = None
    unhold: bool = False
    discard_pending: bool = False
    moved_from: Address | None = None
    forget: bool = False
    gone: bool = False
    record: Record | None = None
    revive: int | None = None

    def __bool__(self) -> bool:
        return self != _NO_EDIT


_NO_EDIT = StateEdit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """fresh: a new version is made. work: images, captions, pairs and concepts are brought into line.

    train, wait: whether the version is then trained, and waited for. labels: what of them is sent.
    delete: versions to delete once nobody needs them.
    """

    change: Change
    spec: Spec | None = None
    record: Record | None = None
    contents: Contents = Contents(images=())
    dataset_digest: str | None = None
    parts: tuple[ConceptRecord, ...] = ()  # of a composition, in the manifest's order
    fresh: bool = False
    work: bool = False
    train: bool = False
    wait: bool = False
    labels: LabelChange = LabelChange()
    delete: tuple[Version, ...] = ()
    edit: StateEdit = StateEdit()

    @property
    def address(self) -> Address:
        return self.change.address

    @property
    def target(self) -> Version | None:
        """The version that work goes into; None: one that does not exist yet."""
        return None if self.fresh or self.record is None else self.record.working

    @property
    def is_protected(self) -> bool:
        """Whether the resource is protected against deletes once the edit is made."""
        if self.edit.protect is not None:
            return self.edit.protect
        return self.record is not None and self.record.protected

    @property
    def yields_new_weights(self) -> bool:
        """Whether those who use this resource will see another model, or the same one trained anew."""
        return self.train or self.wait


def edited(state: State, edits: Mapping[Address, StateEdit]) -> State:
    """The state after every edit that needs no request."""
    records = dict(state.records)
    for address, edit in edits.items():
        if edit.moved_from is not None and edit.moved_from in records:
            records[address] = records.pop(edit.moved_from)
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
        records[address] = record
    return replace(state, records=records)


def untouched(address: Address, spec: Spec | None, record: Record | None, *notes: str) -> Decision:
    """Nothing to do here; notes say why, where it is not plain."""
    change = Change(address=address, action=Action.NONE, notes=notes, place=spec.place if spec else None)
    return Decision(change=change, spec=spec, record=record)
