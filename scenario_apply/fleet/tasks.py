"""What a worker is asked and what it answers: plain values only, which any executor can carry to another process.

A task holds locations, options and names of variables, never a secret. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from scenario_apply.errors import Diagnostic, ExitCode, ScenarioApplyError

Kind = Literal["plan", "price", "apply", "look", "status"]
"""plan: plan every manifest. price: make empty models and ask what their trainings cost. apply: plan, launch, return.
look: one bulk read of the trainings that run; manifests whose trainings ended are planned and applied further.
status: what is recorded, refreshed."""

Plain = dict[str, Any]
"""Values that JSON can represent."""


class FleetRun(Struct, frozen=True, kw_only=True):
    """The run of a fleet that a task belongs to: who holds its leases. host, pid: of the coordinator."""

    id: str
    command: str
    who: str = ""
    host: str = ""
    pid: int = 0
    since: str = ""  # ISO 8601
    stop_file: str | None = None  # once it is there, tasks end after their requests in flight


class TaskManifest(Struct, frozen=True, kw_only=True):
    """path, state: as a command line would name them. approved: what was approved of it (approval.py)."""

    path: str
    state: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    approved: Plain | None = None


class RunningTraining(Struct, frozen=True, kw_only=True):
    """A training that was left running: where it is recorded, and the model to look at."""

    manifest: str
    address: str
    model_id: str


class Task(Struct, frozen=True, kw_only=True):
    """One piece of work on one (endpoint, project).

    name: what people see. endpoint: the URL of the service. key, secret: names of variables. cwd: of the command.
    options: its options, as parsed. may_launch: trainings, None for no bound. cost: CU that may be spent, None for no
    bound. spent_s: how many seconds ago each request of the last minute was answered. failed: addresses, by manifest,
    whose trainings failed during this run: they are not launched again. detail: whether whole plans are wanted.
    """

    kind: Kind
    name: str
    project: str | None
    endpoint: str
    key: str
    secret: str
    manifests: tuple[TaskManifest, ...]
    cwd: str
    options: Plain
    run: FleetRun
    rate_limit: int | None = None
    may_launch: int | None = None
    cost: float | None = None
    running: tuple[RunningTraining, ...] = ()
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unfinished: tuple[str, ...] = ()  # manifests with held launches, or samples being drawn: applied again
    spent_s: tuple[float, ...] = ()
    detail: bool = False
    lock_timeout_s: float = 0
    is_last: bool = False  # trainings are not waited for: leases are given up
    poll_interval_s: float | None = None
    leases: tuple[tuple[str, str | None], ...] = ()  # places with leases of this run, as cli/fleet_leases.py has them


class ManifestResult(Struct, frozen=True, kw_only=True):
    """What became of one manifest. code: the detailed exit code that the command by itself would end with.

    summary: resources by action. requests: of the plan's steps. cu: of the plan, what is known; unknown: resources of
    unknown cost. samples: how many the plan draws; samples_cu: what is known of their cost.
    plan, ledger, statuses: documents in their usual shapes. held: launches that had to wait.
    drawing: resources whose samples are being drawn, which a later task records.
    approved: what the plan asks approval for. launched: addresses. charged: CU of those, None where it is not known.
    """

    path: str
    code: int = 0
    summary: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    cu: float | None = 0
    unknown: int = 0
    samples: int = 0
    samples_cu: float | None = None
    trainings: int = 0
    deletes: int = 0
    has_changes: bool = False
    records: bool = False  # the state is to be written though nothing changes
    problems: tuple[Diagnostic, ...] = ()
    approved: Plain | None = None
    plan: str | None = None
    ledger: Plain | None = None
    statuses: Plain | None = None
    running: tuple[RunningTraining, ...] = ()
    held: int = 0
    drawing: int = 0
    is_held_by_fleet: bool = False
    next_command: str | None = None

    @property
    def is_to_be_applied(self) -> bool:
        """Whether an apply of this plan has something to do, and may."""
        return self.approved is not None and self.code != ExitCode.GATE and (self.has_changes or self.records)


class TaskResult(Struct, frozen=True, kw_only=True):
    """What a task answers. problem: what kept it from all of its manifests. sent, refused: requests of the task.

    progress: of trainings that run, "model.kael 40 %". ended: of trainings that ended, by manifest and address, with
    the reason of a failure or None. spent_s: as in Task. events: lines of the event file.
    """

    kind: Kind
    project: str | None = None  # that of the manifests, where the fleet names none
    manifests: tuple[ManifestResult, ...] = ()
    problem: tuple[Diagnostic, ...] = ()
    code: int = 0
    sent: int = 0
    refused: int = 0
    running: tuple[RunningTraining, ...] = ()
    ended: tuple[tuple[str, str, str | None], ...] = ()
    progress: tuple[str, ...] = ()
    spent_s: tuple[float, ...] = ()
    events: tuple[str, ...] = ()
    leases: tuple[tuple[str, str | None], ...] = ()
    is_busy: bool = False  # another run holds a state or the lease: look again later


def plain_of(value: Task | TaskResult) -> Plain:
    """As values of JSON."""
    plain: Plain = msgspec.to_builtins(value)
    return plain


def task_of(plain: Plain) -> Task:
    """Raises msgspec.ValidationError for what is no task."""
    return msgspec.convert(plain, Task)


def result_of(plain: Plain) -> TaskResult:
    """Raises msgspec.ValidationError for what is no result."""
    return msgspec.convert(plain, TaskResult)


def failed_manifest(path: str, error: ScenarioApplyError, code: int | None = None) -> ManifestResult:
    """A manifest that an error stopped."""
    exit_code = int(error.exit_code) if code is None else code
    return ManifestResult(path=path, code=exit_code or int(ExitCode.ERROR), problems=tuple(error.problems), cu=None)
