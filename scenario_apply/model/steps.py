"""The steps a plan is made of: one request each, as data. Apply carries them out, the views show them.

Steps name resources by address, never by remote id, where the state can turn one into the other. An asset that
an earlier step of the same plan makes is named by that step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from msgspec import UNSET, Struct, UnsetType, field

from scenario_apply.model.address import Address
from scenario_apply.model.codec import Count, check_free_form
from scenario_apply.model.remote import AssetId, IdOrEmpty, IdText, ModelId
from scenario_apply.model.samples import SampleRequest

StepId = IdText
StepKind = Literal[
    "create",
    "upload",
    "attach",
    "detach",
    "caption",
    "pair",
    "update",
    "tag",
    "train",
    "wait",
    "delete",
    "sample",
    "sample-wait",
]
UploadWay = Literal["data", "asset", "multipart"]
"""data: as a data URL, attached at once; asset: one request, attached by id; multipart: in parts, attached by id."""


class AssetRef(Struct, frozen=True, kw_only=True):
    """An asset: known by id, or the one that step makes. Exactly one is set."""

    id: AssetId | None = None
    step: StepId | None = None

    def __post_init__(self) -> None:
        if (self.id is None) == (self.step is None):
            raise ValueError("expected an id or the step that makes the asset, and not both")


class PictureRef(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture on disk. path: its name on the service; file: relative to the manifest's root.

    sha256, size_bytes: of the file; mime: of what the recipe makes of it, which is what is sent and hardly has more
    than most_bytes.
    """

    path: str
    file: str
    sha256: str
    size_bytes: Count
    mime: str
    recipe: str = ""
    most_bytes: Count = 0


class Attachment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An asset to attach, with what the record needs to know of it. caption: what it holds at that moment.

    sha256: of its file; recipe: what is made of it.
    """

    asset: AssetRef
    path: str
    sha256: str
    caption: str
    recipe: str = ""


class ConceptRef(Struct, frozen=True, kw_only=True):
    """One part of a composition: a declared resource, whose trained id is looked up when the step runs, or an id."""

    model: Address | None = None
    model_id: IdOrEmpty | None = None
    scale: float
    epoch: str | None = None


class StepOnAddress(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all steps have: the resource they act on. In JSON `kind` tells them apart."""

    address: Address

    @property
    def kind(self) -> StepKind:
        return cast(StepKind, self.__struct_config__.tag)


class CreateModel(StepOnAddress, frozen=True, kw_only=True, tag="create"):
    """number: which version of the resource this makes; above 1 it is a replacement. picture_options: see Version.

    protected: whether a resource that was not recorded before is recorded as protected against deletes.
    """

    number: Count
    name: str
    type: str
    description: str | None = None
    concepts: tuple[ConceptRef, ...] = ()
    protected: bool = False
    picture_options: str | UnsetType = UNSET


class UploadImage(StepOnAddress, frozen=True, kw_only=True, tag="upload"):
    """address: the model it is attached to at once (way data), or the first that wants it."""

    picture: PictureRef
    way: UploadWay


class AttachImages(StepOnAddress, frozen=True, kw_only=True, tag="attach"):
    """At most ten."""

    images: tuple[Attachment, ...]


class DetachImage(StepOnAddress, frozen=True, kw_only=True, tag="detach"):
    asset_id: AssetId
    path: str


class SetCaption(StepOnAddress, frozen=True, kw_only=True, tag="caption"):
    """caption "" gives the image back to the service's own caption."""

    asset: AssetRef
    path: str
    sha256: str
    caption: str


class PairRef(Struct, frozen=True, kw_only=True):
    source: AssetRef
    target: AssetRef
    instruction: str


class SetPairs(StepOnAddress, frozen=True, kw_only=True, tag="pair"):
    pairs: tuple[PairRef, ...]


class UpdateModel(StepOnAddress, frozen=True, kw_only=True, tag="update"):
    """None, unset: left as it is. epoch: which one of its training a trained model is to use."""

    name: str | None = None
    description: str | None = None
    concepts: tuple[ConceptRef, ...] | None = None
    epoch: str | UnsetType = UNSET


class SetTags(StepOnAddress, frozen=True, kw_only=True, tag="tag"):
    add: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()


class StartTraining(StepOnAddress, frozen=True, kw_only=True, tag="train"):
    """dataset: digest of what is trained on. fingerprint is known unless a concept's id is not yet.

    picture_options: as text; see Version.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    dataset: str | None = None
    picture_options: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        check_free_form(self.parameters)


class AwaitTraining(StepOnAddress, frozen=True, kw_only=True, tag="wait"):
    type: str


class DeleteModel(StepOnAddress, frozen=True, kw_only=True, tag="delete"):
    """One version of a resource."""

    model_id: ModelId
    number: Count


class DrawSample(StepOnAddress, frozen=True, kw_only=True, tag="sample"):
    """number: the version that is drawn with, which is trained by then. reference: the asset of the picture to edit."""

    number: Count
    sample: SampleRequest
    reference: AssetRef | None = None


class AwaitSample(StepOnAddress, frozen=True, kw_only=True, tag="sample-wait"):
    """key: of the sample of that version that is being drawn; name: of it, for people."""

    number: Count
    key: str
    name: str


CallStep = (
    CreateModel
    | UploadImage
    | AttachImages
    | DetachImage
    | SetCaption
    | SetPairs
    | UpdateModel
    | SetTags
    | StartTraining
    | DeleteModel
    | DrawSample
)
"""What is carried out by a call. Trainings and samples are waited for by polling, all of them together."""

Step = CallStep | AwaitTraining | AwaitSample


class PlannedStep(Struct, frozen=True, kw_only=True):
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


def requests_of(step: Step) -> int:
    """API requests the step takes when nothing goes wrong; polls are not counted here.

    A multipart upload opens, closes and asks once; its parts go to signed addresses outside the API's limit.
    """
    if isinstance(step, AwaitTraining | AwaitSample):
        return 0
    if isinstance(step, UploadImage) and step.way == "multipart":
        return 3
    return 1
