"""The shape of a plan file, typed: what a reader takes from it. A file that does not fit is refused with its path.

A plan file is not trusted. Types, ids and addresses are checked here; plan_comparison.py checks what they say.
Fields that are not named here are ignored, as the format asks of its readers.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert, field

from scenario_apply.errors import Severity
from scenario_apply.model.address import ADDRESS_PATTERN, parse_address
from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.remote import AssetId, ModelId
from scenario_apply.model.steps import (
    AssetRef,
    AttachImages,
    Attachment,
    AwaitTraining,
    ConceptRef,
    CreateModel,
    DeleteModel,
    DetachImage,
    PairRef,
    PictureRef,
    SetCaption,
    SetPairs,
    SetTags,
    StartTraining,
    Step,
    UpdateModel,
    UploadImage,
    UploadWay,
)
from scenario_apply.planning.changes import Action, ChangeClass, CostSource, DriftSide

_ID = r"\A[A-Za-z0-9_.-]{1,128}\Z"
_ID_OR_NONE = r"\A[A-Za-z0-9_.-]{0,128}\Z"
_ADDRESS = rf"\A{ADDRESS_PATTERN}\Z"
_MOMENT = r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z"
_LARGEST_NUMBER = 2**53  # what every reader of JSON holds exactly

IdText = Annotated[str, Meta(pattern=_ID)]
AddressText = Annotated[str, Meta(pattern=_ADDRESS)]
Count = Annotated[int, Meta(ge=0, le=_LARGEST_NUMBER)]
Amount = Annotated[float, Meta(ge=0)]
Plain = dict[str, object]


class BadDocument(ValueError):
    """A value of a plan file that is not what the format says. The text names its path and what was expected."""


# -- steps


class AssetDocument(Struct):
    id: IdText | None = None
    step: IdText | None = None

    def ref(self) -> AssetRef:
        return AssetRef(id=None if self.id is None else AssetId(self.id), step=self.step)


class ConceptDocument(Struct, kw_only=True):
    """model_id: empty where the part is looked up by name, and the service was not asked."""

    model: AddressText | None = None
    model_id: Annotated[str, Meta(pattern=_ID_OR_NONE)] | None = None
    scale: float
    epoch: str | None = None

    def ref(self) -> ConceptRef:
        return ConceptRef(
            model=None if self.model is None else parse_address(self.model),
            model_id=None if self.model_id is None else ModelId(self.model_id),
            scale=self.scale,
            epoch=self.epoch,
        )


class PictureDocument(Struct, kw_only=True):
    path: str
    file: str
    sha256: str
    size_bytes: Count
    mime: str


class AttachmentDocument(Struct, kw_only=True):
    asset: AssetDocument
    path: str
    sha256: str
    caption: str


class PairDocument(Struct, kw_only=True):
    source: AssetDocument
    target: AssetDocument
    instruction: str


class StepDocument(Struct, kw_only=True, tag_field="kind"):
    """What every step has. A subclass for each kind knows the rest, and the step that it describes."""

    id: IdText
    address: AddressText
    after: list[IdText]


class CreateDocument(StepDocument, kw_only=True, tag="create"):
    number: Count
    name: str
    type: str
    description: str | None = None
    concepts: list[ConceptDocument] = field(default_factory=list)
    protected: bool = False

    def step(self) -> Step:
        return CreateModel(
            address=parse_address(self.address),
            number=self.number,
            name=self.name,
            type=self.type,
            description=self.description,
            concepts=tuple(concept.ref() for concept in self.concepts),
            protected=self.protected,
        )


class UploadDocument(StepDocument, kw_only=True, tag="upload"):
    picture: PictureDocument
    way: UploadWay

    def step(self) -> Step:
        picture = PictureRef(
            path=self.picture.path,
            file=self.picture.file,
            sha256=self.picture.sha256,
            size_bytes=self.picture.size_bytes,
            mime=self.picture.mime,
        )
        return UploadImage(address=parse_address(self.address), picture=picture, way=self.way)


class AttachDocument(StepDocument, kw_only=True, tag="attach"):
    images: list[AttachmentDocument]

    def step(self) -> Step:
        images = tuple(
            Attachment(asset=image.asset.ref(), path=image.path, sha256=image.sha256, caption=image.caption)
            for image in self.images
        )
        return AttachImages(address=parse_address(self.address), images=images)


class DetachDocument(StepDocument, kw_only=True, tag="detach"):
    asset_id: IdText
    path: str

    def step(self) -> Step:
        return DetachImage(address=parse_address(self.address), asset_id=AssetId(self.asset_id), path=self.path)


class CaptionStepDocument(StepDocument, kw_only=True, tag="caption"):
    asset: AssetDocument
    path: str
    sha256: str
    caption: str

    def step(self) -> Step:
        return SetCaption(
            address=parse_address(self.address),
            asset=self.asset.ref(),
            path=self.path,
            sha256=self.sha256,
            caption=self.caption,
        )


class PairStepDocument(StepDocument, kw_only=True, tag="pair"):
    pairs: list[PairDocument]

    def step(self) -> Step:
        pairs = tuple(
            PairRef(source=pair.source.ref(), target=pair.target.ref(), instruction=pair.instruction)
            for pair in self.pairs
        )
        return SetPairs(address=parse_address(self.address), pairs=pairs)


class UpdateDocument(StepDocument, kw_only=True, tag="update"):
    name: str | None = None
    description: str | None = None
    concepts: list[ConceptDocument] | None = None

    def step(self) -> Step:
        return UpdateModel(
            address=parse_address(self.address),
            name=self.name,
            description=self.description,
            concepts=None if self.concepts is None else tuple(concept.ref() for concept in self.concepts),
        )


class TagDocument(StepDocument, kw_only=True, tag="tag"):
    add: list[str] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)

    def step(self) -> Step:
        return SetTags(address=parse_address(self.address), add=tuple(self.add), delete=tuple(self.delete))


class TrainDocument(StepDocument, kw_only=True, tag="train"):
    parameters: Plain
    dataset: str | None = None

    def step(self) -> Step:
        return StartTraining(address=parse_address(self.address), parameters=self.parameters, dataset=self.dataset)


class WaitDocument(StepDocument, kw_only=True, tag="wait"):
    type: str

    def step(self) -> Step:
        return AwaitTraining(address=parse_address(self.address), type=self.type)


class DeleteDocument(StepDocument, kw_only=True, tag="delete"):
    model_id: IdText
    number: Count

    def step(self) -> Step:
        return DeleteModel(address=parse_address(self.address), model_id=ModelId(self.model_id), number=self.number)


AnyStepDocument = (
    CreateDocument
    | UploadDocument
    | AttachDocument
    | DetachDocument
    | CaptionStepDocument
    | PairStepDocument
    | UpdateDocument
    | TagDocument
    | TrainDocument
    | WaitDocument
    | DeleteDocument
)


# -- changes


class ImageDocument(Struct, kw_only=True):
    change: Annotated[str, Meta(pattern=r"\A(add|change|remove)\Z")]
    path: str
    caption: str | None = None
    sha256: str | None = None
    file: str | None = None


class CaptionDocument(Struct, kw_only=True):
    path: str
    before: str | None = None
    after: str | None = None


class CaptionsDocument(Struct, kw_only=True):
    add: list[CaptionDocument] = field(default_factory=list)
    change: list[CaptionDocument] = field(default_factory=list)
    remove: list[CaptionDocument] = field(default_factory=list)


class ImagesDocument(Struct, kw_only=True):
    """Paths alone; image_details has the rest."""

    add: list[str] = field(default_factory=list)
    change: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)


class CostDocument(Struct, kw_only=True):
    cu: Amount | None
    source: CostSource


class PlaceDocument(Struct, kw_only=True):
    file: str
    line: Count | None = None
    column: Count | None = None


class EditDocument(Struct, kw_only=True, omit_defaults=True):
    """What an apply writes into the record. It is compared, and never carried out: planning again gives the edit."""

    protect: bool | None = None
    unhold: bool | None = None
    discard_pending: bool | None = None
    moved_from: AddressText | None = None
    forget: bool | None = None
    gone: bool | None = None
    revive: Count | None = None
    record: Plain | None = None


class ChangeDocument(Struct, kw_only=True):
    address: AddressText
    action: Action
    change_class: ChangeClass = field(name="class")
    reasons: list[str]
    notes: list[str] = field(default_factory=list)
    before: Plain | None
    after: Plain | None
    images: ImagesDocument
    captions: CaptionsDocument
    image_details: list[ImageDocument] = field(default_factory=list)
    cost: CostDocument
    requests: Count
    steps: list[IdText]
    image_count: Count = 0
    arithmetic: str | None = None
    previous_address: AddressText | None = None
    place: PlaceDocument | None = None
    edit: EditDocument = field(default_factory=EditDocument)


# -- the whole


class DriftDocument(Struct, kw_only=True):
    address: AddressText
    what: str
    path: str | None = None
    recorded: object = None
    observed: object = None
    moved: DriftSide


class DiagnosticDocument(Struct, kw_only=True):
    severity: Severity
    code: str
    message: str
    hint: str | None = None
    file: str | None = None
    line: Count | None = None
    column: Count | None = None


class ManifestDocument(Struct, kw_only=True):
    path: str
    digest: str


class StateDocument(Struct, kw_only=True):
    lineage: str | None
    serial: Count


class OptionsDocument(Struct, kw_only=True):
    """The options of the command line that decide which steps a plan has."""

    select: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    replace: list[AddressText] = field(default_factory=list)
    train: list[AddressText] = field(default_factory=list)
    destroy: bool = False
    allow_destroy: bool = False


class InputsDocument(Struct, kw_only=True):
    variables: dict[str, str] = field(default_factory=dict)
    var_files: list[str] = field(default_factory=list)
    datasets: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)
    options: OptionsDocument = field(default_factory=OptionsDocument)
    made_in: str = "."
    folder: str = ""


class RequestsDocument(Struct, kw_only=True):
    total: Count
    by_step: dict[str, Count]
    seconds_at_limit: Count


class TotalCostDocument(Struct, kw_only=True):
    cu: Amount | None
    quoted: list[AddressText]
    from_history: list[AddressText]
    unknown: list[AddressText]


class PlanDocument(Struct, kw_only=True):
    format_version: str
    tool_version: str
    created_at: Annotated[str, Meta(pattern=_MOMENT)]
    applyable: bool
    complete: bool
    errored: bool
    manifest: ManifestDocument
    state: StateDocument
    endpoint: str
    project: str | None
    summary: dict[str, Count]
    requests: RequestsDocument
    cost: TotalCostDocument
    changes: list[ChangeDocument]
    steps: list[AnyStepDocument]
    drift: list[DriftDocument] = field(default_factory=list)
    diagnostics: list[DiagnosticDocument] = field(default_factory=list)
    inputs: InputsDocument = field(default_factory=InputsDocument)
    blocked: Count = 0
    polls: Count = 0
    rate_limit: Count = REQUESTS_PER_MINUTE
    refreshed: bool = True
    withheld: list[AddressText] = field(default_factory=list)
    digest: str | None = None


def plan_document(plain: object) -> PlanDocument:
    """Plain values as a plan file. Raises BadDocument, which names the path of what does not fit."""
    try:
        return convert(plain, PlanDocument)
    except ValidationError as error:
        raise BadDocument(_in_words(str(error))) from error


# -- the library's errors, in the format's words

_EXPECTED = re.compile(r"Expected `(?P<expected>[^`]+)`(?P<more>.*?)(?:, got `(?P<got>[^`]+)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`$")
_INVALID = re.compile(r"Invalid (?:enum )?value (?P<value>.+)$", re.DOTALL)
_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "a map",
    "array": "a list",
    "null": "null",
}
_PATTERNS = {
    _ID: "an id: at most 128 letters, digits, dots, hyphens and underscores",
    _ID_OR_NONE: "an id, or nothing",
    _ADDRESS: "an address such as model.kael",
    _MOMENT: "a moment such as 2026-08-01T12:00:00Z",
}


def _in_words(text: str) -> str:
    """`changes[0].cost.cu: expected a number, got text` for what msgspec says."""
    message, _, path = text.rpartition(" - at `")
    if not message:
        message, path = text, "$`"
    path = path.removesuffix("`")
    path = path.removeprefix("key in ").removeprefix("$").removeprefix(".")
    if match := _MISSING.match(message):
        whole = f"{path}.{match['name']}" if path else match["name"]
        return f"{whole}: it is missing"
    what = _sentence(message)
    return f"{path}: {what}" if path else what


def _sentence(message: str) -> str:
    if match := _INVALID.match(message):
        return f"{match['value'][:80]} is not a value that the format knows"
    match = _EXPECTED.match(message)
    if match is None:
        return message[:1].lower() + message[1:]
    for pattern, words in _PATTERNS.items():
        if repr(pattern) in message or pattern in message:
            return f"expected {words}"
    expected = " or ".join(_NAMES.get(name.strip(), name.strip()) for name in match["expected"].split("|"))
    got = f", got {_NAMES.get(match['got'], match['got'])}" if match["got"] else ""
    return f"expected {expected}{match['more']}{got}"
