"""The shape of a plan file, typed: what a reader takes from it. A file that does not fit is refused with its path.

A plan file is not trusted. Types, ids and addresses are checked here; plan_comparison.py checks what they say.
Fields that are not named here are ignored, as the format asks of its readers.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from scenario_apply.errors import Severity
from scenario_apply.model.address import Address
from scenario_apply.model.codec import Count
from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.steps import StepId
from scenario_apply.planning.changes import (
    Action,
    Affected,
    CaptionDiff,
    ChangeClass,
    CostSource,
    DriftSide,
    PairDiff,
    UnknownCost,
)
from scenario_apply.planning.plan import PlanFlags
from scenario_apply.planning.reasons import Reason
from scenario_apply.planning.sample_format import Amount, SamplesDocument, SamplesTotalDocument
from scenario_apply.planning.state_edit import StateEdit
from scenario_apply.planning.step_arithmetic import StepSource

_MOMENT = r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z"

Plain = dict[str, object]


# -- changes


class ImageDocument(Struct, kw_only=True):
    change: Annotated[str, Meta(pattern=r"\A(add|change|remove)\Z")]
    path: str
    caption: str | None = None
    sha256: str | None = None
    file: str | None = None
    recipe: str = ""
    same_file: bool = False
    previous_sha256: str | None = None


class ImagesDocument(Struct, kw_only=True):
    """Paths alone; image_details has the rest."""

    add: list[str] = field(default_factory=list)
    change: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)


class PartCostDocument(Struct, kw_only=True):
    cu: Amount | None
    source: CostSource
    why: UnknownCost | None = None
    basis: str | None = None


class CostDocument(PartCostDocument, kw_only=True):
    """Of all that is paid for. training: of that alone, where samples are drawn, too."""

    training: PartCostDocument | None = None


class PlaceDocument(Struct, kw_only=True):
    file: str
    line: Count | None = None
    column: Count | None = None


class ChangeDocument(Struct, kw_only=True):
    address: Address
    action: Action
    change_class: ChangeClass = field(name="class")
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...] = ()
    before: Plain | None
    after: Plain | None
    images: ImagesDocument
    captions: CaptionDiff
    pairs: PairDiff = PairDiff()
    image_details: list[ImageDocument] = field(default_factory=list)
    cost: CostDocument
    requests: Count
    steps: list[StepId]
    image_count: Count = 0
    arithmetic: str | None = None
    step_sources: dict[str, StepSource] = field(default_factory=dict)
    previous_address: Address | None = None
    place: PlaceDocument | None = None
    edit: StateEdit = StateEdit()
    affects: tuple[Affected, ...] = ()
    samples: SamplesDocument | None = None


# -- the whole


class DriftDocument(Struct, kw_only=True):
    address: Address
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
    """store: the URL of the store that holds the state, without user and password. A state in a file has none."""

    lineage: str | None
    serial: Count
    store: str | None = None


class InputsDocument(Struct, kw_only=True):
    variables: dict[str, str] = field(default_factory=dict)
    var_files: list[str] = field(default_factory=list)
    datasets: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)
    options: PlanFlags = PlanFlags()
    made_in: str = "."
    folder: str = ""


class RequestsDocument(Struct, kw_only=True):
    total: Count
    by_step: dict[str, Count]
    seconds_at_limit: Count


class TotalCostDocument(Struct, kw_only=True):
    cu: Amount | None
    quoted: list[Address]
    from_history: list[Address]
    unknown: list[Address]
    estimated: list[Address] = field(default_factory=list)
    samples: SamplesTotalDocument | None = None


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
    steps: list[Plain]  # read by model/step_codec.py
    drift: list[DriftDocument] = field(default_factory=list)
    diagnostics: list[DiagnosticDocument] = field(default_factory=list)
    inputs: InputsDocument = field(default_factory=InputsDocument)
    blocked: Count = 0
    polls: Count = 0
    rate_limit: Count = REQUESTS_PER_MINUTE
    refreshed: bool = True
    withheld: list[Address] = field(default_factory=list)
    digest: str | None = None
