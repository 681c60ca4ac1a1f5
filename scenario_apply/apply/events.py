"""What happens during an apply, as data: the run emits events, the views show them. A Ledger ends every run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from scenario_apply.model.address import Address
from scenario_apply.model.remote import Progress
from scenario_apply.model.steps import PlannedStep
from scenario_apply.planning.changes import CostSource
from scenario_apply.planning.plan import Plan

EndStatus = Literal["done", "partial", "failed", "running", "interrupted", "stopped"]
"""partial: some steps failed; running: left while trainings run (--no-wait, --timeout); stopped: a fatal error."""


class RunStarted(Struct, frozen=True, kw_only=True):
    plan: Plan
    run_id: str
    resumed: bool = False


class StepStarted(Struct, frozen=True, kw_only=True):
    step: PlannedStep


class StepFinished(Struct, frozen=True, kw_only=True):
    """adopted: found on the service after a lost response, not done again. how: by what it was recognised."""

    step: PlannedStep
    took_s: float
    adopted: bool = False
    how: str | None = None
    remote_id: str | None = None
    cu_charged: float | None = None


class StepFailed(Struct, frozen=True, kw_only=True):
    step: PlannedStep
    error: str
    skipped: int  # steps that depend on it and are not started


class Adopted(Struct, frozen=True, kw_only=True):
    """The result of an earlier run's request whose response was lost, found on the service."""

    address: Address
    what: str
    remote_id: str
    how: str


class TrainingMoved(Struct, frozen=True, kw_only=True):
    """The state of one training in the last poll."""

    address: Address
    status: str
    progress: Progress | None
    job_id: str | None = None


class SampleMoved(Struct, frozen=True, kw_only=True):
    """The state of one sample in the last poll. name: of the sample, in the manifest."""

    address: Address
    name: str
    status: str
    progress: Progress | None
    job_id: str | None = None


class Throttled(Struct, frozen=True, kw_only=True):
    """Requests wait: the service asked for it, or the budget is spent. seconds: until they continue."""

    seconds: float
    reason: str


class Noted(Struct, frozen=True, kw_only=True):
    """Something worth a line: a dataset score, a lock taken over, a journal replayed."""

    text: str
    address: Address | None = None


class TrainingPrice(Struct, frozen=True, kw_only=True):
    """What one training costs, in CU. source: quoted, or that of the plan's estimate. reason: why it is not quoted."""

    address: Address
    cu: float | None
    source: CostSource
    reason: str | None = None


class Priced(Struct, frozen=True, kw_only=True):
    """The price of the run, known before its first upload. cu: what is known of it; planned: what the plan showed."""

    prices: tuple[TrainingPrice, ...]
    cu: float | None
    planned: float | None


class TrainingCharge(Struct, frozen=True, kw_only=True):
    """What a training that this run launched was quoted and charged, in CU; None where that is not known.

    charged: after discount; 0 when it failed and was refunded. details: its parts, as the service names them.
    samples: 0; else it is the sum of so many samples of the resource.
    """

    address: Address
    quoted: float | None = None
    charged: float | None = None
    discount: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    samples: int = 0


class LedgerLine(Struct, frozen=True, kw_only=True):
    """One resource or step in a list of the ledger. reason: the service's own message, or why it was not started."""

    address: Address
    what: str
    reason: str | None = None
    remote_id: str | None = None


class Ledger(Struct, frozen=True, kw_only=True):
    """How a run ended. next_command: the command that continues it, None when all is done or no command would help.

    begun False: it ended before its first step; unknown then lists requests of an earlier run without a response.
    """

    status: EndStatus
    done: tuple[LedgerLine, ...] = ()
    running: tuple[LedgerLine, ...] = ()
    failed: tuple[LedgerLine, ...] = ()
    unknown: tuple[LedgerLine, ...] = ()
    not_started: tuple[LedgerLine, ...] = ()
    adopted: tuple[LedgerLine, ...] = ()
    requests: int = 0
    refused: int = 0
    cu_charged: float | None = 0
    charges: tuple[TrainingCharge, ...] = ()
    took_s: float = 0
    steps_done: int = 0
    steps_total: int = 0
    error: str | None = None
    next_command: str | None = None
    gated: bool = False  # a limit stopped the plan or a launch
    declined: bool = False  # the price ended it before its first upload
    begun: bool = True
    counts: dict[str, int] = field(default_factory=dict)  # step kind -> done


Event = (
    RunStarted
    | StepStarted
    | StepFinished
    | StepFailed
    | Adopted
    | TrainingMoved
    | SampleMoved
    | Throttled
    | Noted
    | Priced
    | Ledger
)
