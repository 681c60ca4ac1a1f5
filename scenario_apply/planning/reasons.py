"""Why a resource is changed, or is not: data with stable codes. review/reason_words.py turns them into words.

The same values serve as reasons of a change and as notes on it. In JSON `code` tells them apart; a code never changes.
"""

from __future__ import annotations

from typing import Literal

from scenario_apply.model.address import Address
from scenario_apply.model.codec import Count
from scenario_apply.model.remote import IdText, ModelId
from scenario_apply.planning.coded_reason import Coded
from scenario_apply.planning.sample_reasons import SampleReason

# -- whether it exists


class NotCreated(Coded, frozen=True, tag="not-created"):
    pass


class RemotelyDeleted(Coded, frozen=True, tag="remotely-deleted"):
    """The current model was deleted on the service; a new one is made."""

    model_id: ModelId


class NoLongerDeclared(Coded, frozen=True, tag="no-longer-declared"):
    pass


class DestroyAskedFor(Coded, frozen=True, tag="destroy"):
    pass


class AlreadyDeleted(Coded, frozen=True, tag="already-deleted"):
    """Nothing is left to delete on the service."""


class RemovedBlock(Coded, frozen=True, tag="removed-block"):
    """A `removed:` block: the record goes, the model stays."""


class Imported(Coded, frozen=True, tag="imported"):
    model_id: ModelId


class MovedFrom(Coded, frozen=True, tag="moved"):
    source: Address


# -- what differs


class AskedFor(Coded, frozen=True, tag="asked-for"):
    """option: of the command line, such as --replace."""

    option: str


class TypeChanged(Coded, frozen=True, tag="type-changed"):
    old: str
    new: str


class ParameterChanged(Coded, frozen=True, tag="parameter-changed"):
    """old, new: None is the service's default. Never of a secret."""

    name: str
    old: object
    new: object


class ImagesChanged(Coded, frozen=True, tag="images-changed"):
    """How many images come, have other bytes, go."""

    added: Count
    changed: Count
    removed: Count


class CaptionsChanged(Coded, frozen=True, tag="captions-changed"):
    """How many captions replace the service's own, change, or are given back to the service."""

    added: Count
    changed: Count
    removed: Count


class PairsChanged(Coded, frozen=True, tag="pairs-changed"):
    """How many edit pairs come, have another instruction or picture, go."""

    added: Count = 0
    changed: Count = 0
    removed: Count = 0


class TrainedOnOther(Coded, frozen=True, tag="trained-on-other"):
    """The fingerprint differs and nothing else shows why."""


class ConceptAdded(Coded, frozen=True, tag="concept-added"):
    model_id: IdText


class ConceptRemoved(Coded, frozen=True, tag="concept-removed"):
    model_id: IdText


class ConceptChanged(Coded, frozen=True, tag="concept-changed"):
    model_id: IdText
    attribute: Literal["scale", "epoch"]
    old: float | str | None
    new: float | str | None


class PartChanged(Coded, frozen=True, tag="part-changed"):
    """What this plan does to a part of a composition, or what was done to it since: how. version: its current one."""

    part: Address
    how: Literal["created", "replaced", "retrained", "retrained-before", "other-version"]
    version: Count | None = None


class NameChanged(Coded, frozen=True, tag="name-changed"):
    old: str
    new: str


class DescriptionChanged(Coded, frozen=True, tag="description-changed"):
    pass


class TagsChanged(Coded, frozen=True, tag="tags-changed"):
    added: tuple[str, ...]
    removed: tuple[str, ...]


class EpochChanged(Coded, frozen=True, tag="epoch-changed"):
    """Another epoch of the training is to be used. old: None where it is not known.

    drifted: old was chosen on the service.
    """

    old: str | None
    new: str
    drifted: bool = False

    @property
    def is_in_use(self) -> bool:
        """Whether the service uses it already, so that it only has to be recorded."""
        return self.old == self.new


class LabelDrift(Coded, frozen=True, tag="label-drift"):
    """A label that was changed on the service, and is set back by this plan. observed: what it holds; tags: missing."""

    label: Literal["name", "description", "tags"]
    observed: str


class DriftFound(Coded, frozen=True, tag="drift-found"):
    """Changed on the service, and set back by this plan."""

    what: Literal["caption-changed", "image-added", "image-removed", "pair-changed", "pair-added", "pair-removed"]
    path: str


# -- its training


class NotTrained(Coded, frozen=True, tag="not-trained"):
    """Created by an earlier run that did not get to its training."""


class TrainingEnded(Coded, frozen=True, tag="training-ended"):
    """phase: failed or canceled. reason: as recorded; None where there is none."""

    phase: str
    reason: str | None


class TrainingRunning(Coded, frozen=True, tag="training-running"):
    pass


class TrainingQueued(Coded, frozen=True, tag="training-queued"):
    """since: ISO 8601, UTC; place: in the queue. None: not known."""

    since: str | None
    place: int | None


class ManifestChangedMeanwhile(Coded, frozen=True, tag="manifest-changed-meanwhile"):
    """The running training is not the one that the manifest asks for now."""


class ManualTraining(Coded, frozen=True, tag="manual-training"):
    """train: manual. changed: why it would be trained."""

    address: Address
    changed: tuple[Reason, ...] = ()


class OwnCaptionsUnknown(Coded, frozen=True, tag="own-captions-unknown"):
    """Without a refresh it is not known whether added captions match Scenario's own."""


class ChangesKept(Coded, frozen=True, tag="changes-kept"):
    """on_change: keep. changed: why it would be trained."""

    changed: tuple[Reason, ...]


# -- what only the state records


class ProtectionChanged(Coded, frozen=True, tag="protection-changed"):
    protected: bool


class RollbackEnded(Coded, frozen=True, tag="rollback-ended"):
    """The manifest entry changed since the rollback."""


class RollbackPinned(Coded, frozen=True, tag="rollback-pinned"):
    address: Address
    version: Count


class ReplacementDiscarded(Coded, frozen=True, tag="replacement-discarded"):
    pass


class ManifestReverted(Coded, frozen=True, tag="manifest-reverted"):
    """The manifest asks for the current version again, not for its unfinished replacement."""


class VersionRestored(Coded, frozen=True, tag="version-restored"):
    """A previous version was trained on exactly what is declared."""

    version: Count


class BestNotInUse(Coded, frozen=True, tag="best-not-in-use"):
    """A person found another version or epoch best than is used. by, at: as in the manifest. None: not known."""

    version: Count
    epoch: str | None
    used_version: Count
    used_epoch: str | None
    by: str | None
    at: str | None


class EpochLeft(Coded, frozen=True, tag="epoch-left"):
    """`epoch:` was removed: the epoch that was chosen stays in use."""

    epoch: str


# -- what is left alone, and why


class NotSelected(Coded, frozen=True, tag="not-selected"):
    pass


class Disabled(Coded, frozen=True, tag="disabled"):
    pass


class Protected(Coded, frozen=True, tag="protected"):
    pass


class Prevented(Coded, frozen=True, tag="prevented"):
    """A problem of the plan stops it: its diagnostic has the code `problem`."""

    problem: str
    message: str


class QuoteCovers(Coded, frozen=True, tag="quote-covers"):
    """The service quotes a model with the images it has now. It comes and goes with the quote, like the price."""

    images: Count
    images_later: Count


# -- old versions


class DeleteNeedsConsent(Coded, frozen=True, tag="delete-needs-consent"):
    pass


class OldVersionsDeleted(Coded, frozen=True, tag="old-versions-deleted"):
    count: Count
    keep_versions: Count


class OldVersionsKept(Coded, frozen=True, tag="old-versions-kept"):
    """because: what is missing for deleting them."""

    count: Count
    keep_versions: Count
    because: Literal["consent", "protected"]


class OldVersionsLost(Coded, frozen=True, tag="old-versions-lost"):
    """Old versions that were deleted on the service: they leave the record."""

    count: Count


class BestKept(Coded, frozen=True, tag="best-kept"):
    """An old version that `best:` names: it is kept beside those of keep_versions."""

    version: Count


class VersionInUse(Coded, frozen=True, tag="version-in-use"):
    """An old version that a composition is made of."""

    version: Count
    user: Address


DifferenceReason = (
    NotCreated
    | RemotelyDeleted
    | NoLongerDeclared
    | DestroyAskedFor
    | AlreadyDeleted
    | RemovedBlock
    | Imported
    | MovedFrom
    | AskedFor
    | TypeChanged
    | ParameterChanged
    | ImagesChanged
    | CaptionsChanged
    | PairsChanged
    | TrainedOnOther
    | ConceptAdded
    | ConceptRemoved
    | ConceptChanged
    | PartChanged
    | NameChanged
    | DescriptionChanged
    | TagsChanged
    | EpochChanged
    | LabelDrift
    | DriftFound
)
"""How the manifest, the state and the service differ."""

HistoryReason = (
    NotTrained
    | TrainingEnded
    | TrainingRunning
    | TrainingQueued
    | ManifestChangedMeanwhile
    | ManualTraining
    | OwnCaptionsUnknown
    | ChangesKept
    | ProtectionChanged
    | RollbackEnded
    | RollbackPinned
    | ReplacementDiscarded
    | ManifestReverted
    | VersionRestored
    | EpochLeft
    | BestNotInUse
)
"""What became of trainings, versions and rollbacks; what the manifest says about their changes."""

RestraintReason = (
    NotSelected
    | Disabled
    | Protected
    | Prevented
    | QuoteCovers
    | DeleteNeedsConsent
    | OldVersionsDeleted
    | OldVersionsKept
    | OldVersionsLost
    | VersionInUse
    | BestKept
)
"""Why a change is held back, and what happens to old versions."""

Reason = DifferenceReason | HistoryReason | RestraintReason | SampleReason
