"""The steps a plan is made of: one API effect each, as data. The executor does them, the views tell them.

Steps name resources by address, never by remote id, where the state can turn one into the other. An asset that
an earlier step of the same plan makes is named by that step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scenario_apply.core.address import Address
from scenario_apply.core.remote import AssetId, ModelId

StepId = str
StepKind = Literal[
    "create", "upload", "attach", "detach", "caption", "pair", "update", "tag", "train", "wait", "delete"
]
UploadWay = Literal["data", "asset", "multipart"]
"""data: as a data URL, attached at once; asset: one request, attached by id; multipart: in parts, attached by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRef:
    """An asset: known by id, or the one that step makes. Exactly one is set."""

    id: AssetId | None = None
    step: StepId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRef:
    """A picture on disk. path: its name on the service; file: relative to the manifest's root."""

    path: str
    file: str
    sha256: str
    size_bytes: int
    mime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An asset to attach, with what the record needs to know of it. caption: what it holds at that moment."""

    asset: AssetRef
    path: str
    sha256: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptRef:
    """One part of a composition: a declared resource, whose trained id is looked up when the step runs, or an id."""

    model: Address | None = None
    model_id: ModelId | None = None
    scale: float
    epoch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModel:
    """number: which version of the resource this makes; above 1 it is a replacement.

    protected: whether a resource that was not recorded before is recorded as protected against deletes.
    """

    kind: Literal["create"] = "create"
    address: Address
    number: int
    name: str
    type: str
    description: str | None = None
    concepts: tuple[ConceptRef, ...] = ()
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadImage:
    """address: the model it is attached to at once (way data), or the first that wants it."""

    kind: Literal["upload"] = "upload"
    address: Address
    picture: PictureRef
    way: UploadWay


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachImages:
    """At most ten."""

    kind: Literal["attach"] = "attach"
    address: Address
    images: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachImage:
    kind: Literal["detach"] = "detach"
    address: Address
    asset_id: AssetId
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCaption:
    """caption "" gives the image back to the service's own caption."""

    kind: Literal["caption"] = "caption"
    address: Address
    asset: AssetRef
    path: str
    sha256: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRef:
    source: AssetRef
    target: AssetRef
    instruction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPairs:
    kind: Literal["pair"] = "pair"
    address: Address
    pairs: tuple[PairRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateModel:
    """None: left as it is."""

    kind: Literal["update"] = "update"
    address: Address
    name: str | None = None
    description: str | None = None
    concepts: tuple[ConceptRef, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTags:
    kind: Literal["tag"] = "tag"
    address: Address
    add: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTraining:
    """dataset: digest of what is trained on. fingerprint is known unless a concept's id is not yet."""

    kind: Literal["train"] = "train"
    address: Address
    parameters: Mapping[str, object] = field(default_factory=dict)
    dataset: str | None = None
    quoted: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitTraining:
    kind: Literal["wait"] = "wait"
    address: Address
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteModel:
    """One version of a resource."""

    kind: Literal["delete"] = "delete"
    address: Address
    model_id: ModelId
    number: int


Step = (
    CreateModel
    | UploadImage
    | AttachImages
    | DetachImage
    | SetCaption
    | SetPairs
    | UpdateModel
    | SetTags
    | StartTraining
    | AwaitTraining
    | DeleteModel
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step with its id, unique in its plan, and the ids of those that must be done before it."""

    id: StepId
    step: Step
    after: tuple[StepId, ...] = ()

    @property
    def address(self) -> Address:
        return self.step.address

    @property
    def kind(self) -> StepKind:
        return self.step.kind


PAID_OR_CREATING: frozenset[StepKind] = frozenset({"create", "upload", "attach", "train"})
"""Never repeated blindly: after a lost answer the world is read first."""


def requests_of(step: Step) -> int:
    """API requests the step takes when nothing goes wrong; polls of a training are not counted here.

    A multipart upload opens, closes and asks once; its parts go to signed addresses outside the API's limit.
    """
    if isinstance(step, AwaitTraining):
        return 0
    if isinstance(step, UploadImage) and step.way == "multipart":
        return 3
    return 1
