"""What is decided about one resource: one value of a closed union, before any step or request is thought of."""

from __future__ import annotations

from typing import assert_never

from msgspec import Struct

from scenario_apply.dataset.types import Contents
from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.planning.attributes import LabelChange, Spec
from scenario_apply.planning.changes import Action, Drift
from scenario_apply.planning.content_diff import ContentDiff
from scenario_apply.planning.reasons import Reason
from scenario_apply.planning.state_edit import StateEdit
from scenario_apply.state.state import ConceptRecord, Record, Version


class Resource(Struct, frozen=True, kw_only=True):
    """One resource: as declared (None: no longer), as recorded (None: not yet), and what was found out about it.

    spec: what ignore_changes leaves alone is as recorded. record: as it will be after the edit, but for its address.
    """

    address: Address
    spec: Spec | None = None
    record: Record | None = None
    edit: StateEdit = StateEdit()
    parts: tuple[ConceptRecord, ...] = ()  # of a composition, in the order of the manifest
    drift: tuple[Drift, ...] = ()
    problems: tuple[Diagnostic, ...] = ()

    @property
    def is_protected(self) -> bool:
        """Whether it is protected against deletes once the edit is made."""
        if self.edit.protect is not None:
            return self.edit.protect
        return self.record is not None and self.record.protected


class Decided(Struct, frozen=True, kw_only=True):
    """What all decisions have. delete: versions that go once they are not needed any more (retention.py)."""

    resource: Resource
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    delete: tuple[Version, ...] = ()

    @property
    def address(self) -> Address:
        return self.resource.address

    @property
    def spec(self) -> Spec | None:
        return self.resource.spec

    @property
    def record(self) -> Record | None:
        return self.resource.record

    @property
    def edit(self) -> StateEdit:
        return self.resource.edit


class Keep(Decided, frozen=True, kw_only=True):
    """Nothing is asked of the service. version: the one that was compared; None: it was not looked into."""

    version: Version | None = None


class Relabel(Decided, frozen=True, kw_only=True):
    """Name, description, tags, or only what the state records: nothing is trained."""

    version: Version
    labels: LabelChange


class ContentWork(Decided, frozen=True, kw_only=True):
    """The content of a version is brought into line and, unless training is manual, trained.

    picture_options: as text; see Version.
    """

    declared: Spec
    contents: Contents
    content: ContentDiff
    dataset_digest: str | None
    trains: bool
    labels: LabelChange = LabelChange()
    picture_options: str = ""

    @property
    def target(self) -> Version | None:
        """The version that work goes into; None: one that does not exist yet."""
        return None if self.record is None else self.record.working


class Create(ContentWork, frozen=True, kw_only=True):
    """There is no model: never made, or deleted on the service."""

    @property
    def target(self) -> None:
        return None


class Complete(ContentWork, frozen=True, kw_only=True):
    """A version that was never trained, or whose training failed, is completed in place."""


class Retrain(ContentWork, frozen=True, kw_only=True):
    """The current version is changed and trained again, in place."""


class Replace(ContentWork, frozen=True, kw_only=True):
    """A new version is made beside the current one, and takes its place once it is trained."""

    @property
    def target(self) -> None:
        return None


class Wait(Decided, frozen=True, kw_only=True):
    """A training is running. labels: what is sent meanwhile."""

    declared: Spec
    version: Version
    labels: LabelChange = LabelChange()


class Delete(Decided, frozen=True, kw_only=True):
    """Every version of a resource is deleted. consented: False: the steps are left out until there is consent."""

    consented: bool = True


class Forget(Decided, frozen=True, kw_only=True):
    """The record is removed. gone: its models no longer exist; else they stay on the service."""

    gone: bool = False


Decision = Keep | Relabel | Create | Complete | Retrain | Replace | Wait | Delete | Forget


def yields_new_weights(decision: Decision) -> bool:
    """Whether compositions of this resource will see another model, or the same one retrained."""
    return isinstance(decision, Wait) or (isinstance(decision, ContentWork) and decision.trains)


def action_of(decision: Decision) -> Action:
    """What a plan calls the decision."""
    match decision:
        case Keep():
            if decision.edit.moved_from is not None:
                return Action.MOVE
            if decision.edit.record is not None:
                return Action.IMPORT
            return Action.UPDATE if decision.delete or decision.edit.lost else Action.NONE
        case Relabel():
            return Action.UPDATE
        case Create():
            return Action.CREATE
        case Complete():
            return _completed(decision)
        case Retrain():
            return Action.RETRAIN
        case Replace():
            return Action.REPLACE
        case Wait():
            return Action.WAIT
        case Delete():
            return Action.DELETE
        case Forget():
            return Action.FORGET
        case _:
            assert_never(decision)


def _completed(decision: Complete) -> Action:
    record = decision.record
    if record is not None and record.pending is not None:
        return Action.REPLACE
    if not decision.trains:
        return Action.UPDATE
    is_again = record is not None and record.current.phase in ("failed", "canceled")
    return Action.RETRAIN if is_again else Action.CREATE
