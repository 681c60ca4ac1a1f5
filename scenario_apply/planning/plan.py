"""A plan: changes, and the steps that carry them out, whole before the first call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.steps import AwaitSample, AwaitTraining, PlannedStep, requests_of
from scenario_apply.planning.changes import SUMMARY_ACTIONS, Action, Change, Cost, Drift
from scenario_apply.planning.reasons import ManifestChangedMeanwhile

PLAN_FORMAT_VERSION = "1.0"
_OF_GATES = ("gate", "protected")


class PlanFlags(Struct, frozen=True, kw_only=True):
    """The options of the command line that decide which steps a plan has; planning again needs the same ones.

    deletes: there was consent to deletes when the plan was made. It is no consent to carry them out.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    replace: tuple[Address, ...] = ()
    train: tuple[Address, ...] = ()
    destroy: bool = False
    deletes: bool = field(name="allow_destroy", default=False)


class PlanSource(Struct, frozen=True, kw_only=True):
    """What a plan was made from. files: name -> sha256; pictures: dataset -> path -> "sha256 caption-sha256".

    variables: those of --var; a secret variable cannot be given that way. store: the URL of the state's store, without
    user and password; None for a state in a file, whose place differs from machine to machine.
    """

    manifest_path: str
    manifest_digest: str
    lineage: str | None
    serial: int
    endpoint: str
    project: str | None
    store: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    var_files: tuple[str, ...] = ()
    flags: PlanFlags = PlanFlags()
    datasets: Mapping[str, str] = field(default_factory=dict)  # name -> digest
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    made_in: str = "."  # of a saved plan: the folder it was made in, seen from where the file lies
    folder: str = ""  # and that folder's name


class Plan(Struct, frozen=True, kw_only=True):
    """changes: one per resource, in address order, `none` included. steps: in the order they were meant.

    blocked: what stops it, from gates and missing consent; a plan with entries here is shown but not applied.
    polls: requests expected for waiting. created_at: ISO 8601, UTC.
    """

    source: PlanSource
    tool_version: str
    created_at: str
    changes: tuple[Change, ...]
    steps: tuple[PlannedStep, ...]
    drift: tuple[Drift, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    blocked: tuple[Diagnostic, ...] = ()
    polls: int = 0
    rate_limit: int = REQUESTS_PER_MINUTE
    refreshed: bool = True
    withheld: tuple[Address, ...] = ()  # deletes that wait for consent

    @property
    def summary(self) -> Mapping[str, int]:
        """How many resources have which action; every action of SUMMARY_ACTIONS is included."""
        counts = Counter(change.action for change in self.changes)
        return {action.value: counts[action] for action in SUMMARY_ACTIONS} | {
            action.value: count for action, count in counts.items() if action not in SUMMARY_ACTIONS
        }

    @property
    def has_changes(self) -> bool:
        return any(change.action is not Action.NONE for change in self.changes)

    @property
    def only_waits(self) -> bool:
        """Whether nothing is left but trainings and samples that run, and the manifest still asks for those."""
        changes = [change for change in self.changes if change.action is not Action.NONE]
        return (
            bool(changes)
            and all(change.action is Action.WAIT and not change.edit for change in changes)
            and all(ManifestChangedMeanwhile() not in change.notes for change in changes)
            and all(isinstance(planned.step, AwaitTraining | AwaitSample) for planned in self.steps)
        )

    @property
    def is_gated(self) -> bool:
        """Whether a limit or missing consent stops it, and not only an error of the manifest."""
        return any(problem.code in _OF_GATES for problem in self.blocked)

    @property
    def is_applyable(self) -> bool:
        return self.has_changes and not self.blocked

    @property
    def requests_by_step(self) -> Mapping[str, int]:
        """Requests by kind of step; polls, as an estimate, under wait."""
        counts: Counter[str] = Counter()
        for planned in self.steps:
            counts[planned.kind] += requests_of(planned.step)
        if any(isinstance(planned.step, AwaitTraining | AwaitSample) for planned in self.steps):
            counts["wait"] += self.polls
        return {kind: count for kind, count in counts.items() if count}

    @property
    def requests_total(self) -> int:
        return sum(self.requests_by_step.values())

    @property
    def seconds_at_limit(self) -> int:
        """The least time the requests take under the limit; polls apart: they come when uploads are over."""
        writes = self.requests_total - self.requests_by_step.get("wait", 0)
        return seconds_at_limit(writes, self.rate_limit)

    def costs(self, source: str) -> tuple[Address, ...]:
        """The resources whose cost has that source: quoted, history, estimate or unknown."""
        return tuple(change.address for change in self.changes if change.total_cost.source == source)

    def sample_costs(self, source: str) -> tuple[Address, ...]:
        """The resources whose samples have a cost of that source."""
        return tuple(change.address for change in self.changes if change.samples.cost.source == source)

    @property
    def cu(self) -> float | None:
        """What is known of the cost; None when something costs and nothing is known; 0 when nothing is paid for."""
        return _known(cost for change in self.changes for cost in (change.cost, change.samples.cost))

    @property
    def training_cu(self) -> float | None:
        """The same of its trainings alone."""
        return _known(change.cost for change in self.changes)

    @property
    def samples_cu(self) -> float | None:
        """The same of its samples alone."""
        return _known(change.samples.cost for change in self.changes)

    @property
    def samples_count(self) -> int:
        """How many samples are drawn."""
        return sum(len(change.samples.draw) for change in self.changes)


def _known(costs: Iterable[Cost]) -> float | None:
    paid = [cost.cu for cost in costs if cost.source != "none"]
    known = [cu for cu in paid if cu is not None]
    return None if paid and not known else total(known) if any(known) else 0


def seconds_at_limit(requests: int, per_minute: int) -> int:
    """Whole seconds until the last of so many requests may leave, under a sliding window of 60 s."""
    if per_minute <= 0 or requests <= 0:
        return 0
    return (requests - 1) // per_minute * 60
