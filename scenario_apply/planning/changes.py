"""What a plan would change, resource by resource, each with its reason. Values only.

A field has a name= where a plan's JSON calls it otherwise: plan_document.py reads most of these values as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.errors import Location
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.remote import ModelId
from scenario_apply.model.samples import SampleSettings
from scenario_apply.model.steps import StepId
from scenario_apply.planning.reasons import Reason
from scenario_apply.planning.sample_reasons import SAMPLE_REASONS
from scenario_apply.planning.state_edit import StateEdit
from scenario_apply.planning.step_arithmetic import StepSource


class Action(StrEnum):
    """What happens to a resource; the sign is what plans print in front of it."""

    CREATE = "create"
    UPDATE = "update"
    RETRAIN = "retrain"
    REPLACE = "replace"
    DELETE = "delete"
    WAIT = "wait"
    MOVE = "move"
    IMPORT = "import"
    FORGET = "forget"
    NONE = "none"

    @property
    def sign(self) -> str:
        return _SIGNS[self]


_SIGNS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.RETRAIN: "↻",
    Action.REPLACE: "±",
    Action.DELETE: "-",
    Action.WAIT: "…",
    Action.MOVE: "→",
    Action.IMPORT: "←",
    Action.FORGET: ".",
    Action.NONE: " ",
}

SUMMARY_ACTIONS = (
    Action.CREATE,
    Action.UPDATE,
    Action.RETRAIN,
    Action.REPLACE,
    Action.DELETE,
    Action.WAIT,
    Action.NONE,
)

ChangeClass = Literal["free", "metadata", "samples", "training"]
CostSource = Literal["none", "quoted", "history", "estimate", "unknown"]

UnknownCost = Literal["no-model", "parts", "not-asked", "refused", "failed", "no-reference"]
"""Why a cost is not quoted. no-model: there is no model of that type to ask about yet; parts: nor can a composition be
made before its parts are trained; not-asked: the plan was made without the service; refused: the service gives no
price; failed: it could not be asked; no-reference: of samples that edit a picture, before any picture is uploaded."""


class Cost(Struct, frozen=True, kw_only=True):
    """In CU. none: nothing is paid for, cu is 0; unknown: cu is None; all but quoted are estimates.

    why: of one that is not quoted. basis: what an estimate is made from: the resource that was quoted, the base model
    of samples, or the day of the past training or sample; of a quote of samples, the other resource with whose model it
    was asked for.
    """

    cu: float | None = 0
    source: CostSource = "none"
    why: UnknownCost | None = None
    basis: str | None = None


class ImageChange(Struct, frozen=True, kw_only=True):
    """One image that comes, goes or has other content. caption: the one it will have, or had.

    sha256: of its file. recipe: what is done to it before it is sent. same_file: only that changed.
    previous_sha256: of the file that one with other content had.
    """

    path: str
    caption: str | None = None
    sha256: str | None = None
    file: str | None = None  # on disk, relative to the manifest's root, where it exists
    recipe: str = ""
    same_file: bool = False
    previous_sha256: str | None = None


class CaptionChange(Struct, frozen=True, kw_only=True):
    """before, after: None is the service's own caption."""

    path: str
    before: str | None = None
    after: str | None = None


class ImageDiff(Struct, frozen=True, kw_only=True):
    add: tuple[ImageChange, ...] = ()
    change: tuple[ImageChange, ...] = ()  # other content under the same path
    remove: tuple[ImageChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


class CaptionDiff(Struct, frozen=True, kw_only=True):
    """Only of images that stay; those that come bring their caption with them (ImageChange.caption)."""

    add: tuple[CaptionChange, ...] = ()  # from the service's own to one of ours
    change: tuple[CaptionChange, ...] = ()
    remove: tuple[CaptionChange, ...] = ()  # back to the service's own

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


PairSide = Literal["before", "after"]


class PairChange(Struct, frozen=True, kw_only=True):
    """One edit pair that comes, goes or changes. before, after: paths of its pictures within the dataset.

    instruction: the one it will have, or had. previous: the old instruction, where that changes. replaced: the sides
    that have other bytes. before_file, after_file: on disk, relative to the manifest's root, where they exist.
    """

    before: str
    after: str
    instruction: str
    previous: str | None = field(name="previous_instruction", default=None)
    replaced: tuple[PairSide, ...] = ()
    before_file: str | None = None
    after_file: str | None = None


class PairDiff(Struct, frozen=True, kw_only=True):
    add: tuple[PairChange, ...] = ()
    change: tuple[PairChange, ...] = ()  # another instruction, or other bytes on a side
    remove: tuple[PairChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


SampleNews = Literal["new", "changed", "again"]
"""Why a sample is drawn. changed: the version has one of that name, drawn otherwise; again: the last try failed."""


class SampleChange(Struct, frozen=True, kw_only=True):
    """One sample that will be drawn. previous: the prompt of the one that it replaces, where that differs.

    reason: the service's words where the last try failed.
    """

    name: str
    prompt: str
    seed: int
    base: ModelId
    settings: SampleSettings = SampleSettings()
    news: SampleNews = "new"
    previous: str | None = field(name="previous_prompt", default=None)
    reason: str | None = field(name="failed", default=None)


class SampleDiff(Struct, frozen=True, kw_only=True):
    """The samples of a resource that will be drawn, and the names of those that are being drawn.

    each: CU of one, where all cost the same. cost: of all that will be drawn.
    """

    draw: tuple[SampleChange, ...] = ()
    waiting: tuple[str, ...] = ()
    each: float | None = None
    cost: Cost = Cost()

    def __bool__(self) -> bool:
        return bool(self.draw or self.waiting)

    @property
    def pictures(self) -> int:
        """How many pictures will be drawn: a sample may be of several."""
        return sum(sample.settings.count for sample in self.draw)


class Affected(Struct, frozen=True, kw_only=True):
    """A composition that a change of one of its models reaches. action: what the plan does to the composition."""

    address: Address
    action: Action
    is_protected: bool = field(name="protected", default=False)


class Change(Struct, frozen=True, kw_only=True):
    """One resource's change. before and after: its attributes as plain values, None where it does not exist.

    notes: what a reader should know though nothing changes because of it. edit: what an apply records without any
    request. arithmetic: how many steps the
    training takes, as a sum, or None. step_sources: where the numbers of the sum come from, by parameter.
    image_count: of the training set. affects: compositions that are made of it. cost: of its training.
    """

    address: Address
    action: Action
    change_class: ChangeClass = "free"
    reasons: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    images: ImageDiff = ImageDiff()
    captions: CaptionDiff = CaptionDiff()
    pairs: PairDiff = PairDiff()
    cost: Cost = Cost()
    requests: int = 0
    steps: tuple[StepId, ...] = ()
    image_count: int = 0
    arithmetic: str | None = None
    step_sources: Mapping[str, StepSource] = field(default_factory=dict)
    previous_address: Address | None = None
    place: Location | None = None
    edit: StateEdit = StateEdit()
    affects: tuple[Affected, ...] = ()
    samples: SampleDiff = SampleDiff()

    @property
    def draws_only(self) -> bool:
        """Whether the resource stays as it is but for its samples."""
        return bool(self.samples.draw) and all(isinstance(reason, SAMPLE_REASONS) for reason in self.reasons)

    @property
    def total_cost(self) -> Cost:
        """Of its training and its samples; unknown where one of them is, and an estimate where one of them is."""
        parts = [cost for cost in (self.cost, self.samples.cost) if cost.source != "none"]
        if not parts:
            return Cost()
        worst = max(parts, key=lambda cost: _CERTAINTY.index(cost.source))
        known = [cost.cu for cost in parts if cost.cu is not None]
        return replace(worst, cu=total(known) if len(known) == len(parts) else None)


_CERTAINTY: tuple[CostSource, ...] = ("none", "quoted", "history", "estimate", "unknown")

DriftSide = Literal["service", "state"]


class Drift(Struct, frozen=True, kw_only=True):
    """Recorded and observed disagree. what: "name", "caption", "image", "status", "tags" ... path: which image."""

    address: Address
    what: str
    path: str | None = None
    recorded: object = None
    observed: object = None
    moved: DriftSide = "service"  # which side moved since it was recorded
