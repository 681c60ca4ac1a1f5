"""What a run of a fleet came to: its projects, their sums, and one exit code. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic, ExitCode
from scenario_apply.fleet.fleet_file import FleetLimits
from scenario_apply.fleet.project_run import ProjectRun
from scenario_apply.fleet.tasks import ManifestResult
from scenario_apply.model.amounts import amount, total

Command = Literal["plan", "apply", "status"]

_BAD = (ExitCode.ERROR, ExitCode.STALE, ExitCode.GATE, ExitCode.LOCKED, ExitCode.PARTIAL, ExitCode.USAGE)
_FAILED = (ExitCode.ERROR, ExitCode.STALE, ExitCode.LOCKED, ExitCode.PARTIAL, ExitCode.USAGE)


class FleetSums(Struct, frozen=True, kw_only=True):
    """Of all projects. summary: resources by action, or by status. cu: what is known of the plans' costs.

    unknown: resources of unknown cost. charged: of the launches, quoted where the charge is not known yet.
    """

    projects: int
    manifests: int
    summary: Mapping[str, int]
    steps_requests: int
    sent: int
    refused: int
    cu: float
    unknown: int
    charged: float
    running: int
    failed: int


class FleetReport(Struct, frozen=True, kw_only=True):
    """command: what was run. path: of the fleet file. blocked: limits of the whole fleet that stop it.

    took_s: seconds. plans: of an apply, what it planned first, by name.
    """

    command: Command
    path: str
    runs: Sequence[ProjectRun]
    blocked: tuple[Diagnostic, ...] = ()
    took_s: float = 0.0
    next_command: str | None = None
    is_interrupted: bool = False
    plans: Mapping[str, ProjectRun] = field(default_factory=dict)

    @property
    def sums(self) -> FleetSums:
        results = [result for run in self.runs for result in run.results.values()]
        summary: Counter[str] = Counter()
        for result in results:
            summary.update(result.summary)
        before = self.plans.values()
        return FleetSums(
            projects=len(self.runs),
            manifests=sum(len(run.task.manifests) for run in self.runs),
            summary=dict(summary),
            steps_requests=sum(result.requests for result in results),
            sent=sum(run.sent for run in (*self.runs, *before)),
            refused=sum(run.refused for run in (*self.runs, *before)),
            cu=total(result.cu or 0.0 for result in results),
            unknown=sum(result.unknown for result in results),
            charged=total(charge for result in results for charge in charges_of(result)),
            running=sum(len(run.running) for run in self.runs),
            failed=sum(is_failed(run) for run in self.runs),
        )

    @property
    def code(self) -> ExitCode:
        """The detailed exit code: see exit_code()."""
        if self.is_interrupted:
            return ExitCode.INTERRUPTED
        if self.blocked:
            return ExitCode.GATE
        return exit_code(self.command, [ExitCode(code_of(run)) for run in self.runs])


def code_of(run: ProjectRun) -> int:
    """The detailed exit code of one project: of several manifests the worst."""
    if run.problems:
        return run.code
    return int(exit_code("plan", [ExitCode(result.code) for result in run.results.values()]))


def is_failed(run: ProjectRun) -> bool:
    """Whether something of it went wrong; a gate that stopped it counts, running trainings do not."""
    return code_of(run) in (*_BAD, ExitCode.INTERRUPTED)


def exit_code(command: Command, codes: Iterable[ExitCode]) -> ExitCode:
    """One code for many projects. An interruption is named first.

    plan and status: the worst, in the order error, partly failed, stale, locked, gate, trainings running, changes.
    apply: projects that all failed alike give that code; where some are done and others are not, it is partly failed.
    """
    found = list(codes)
    if ExitCode.INTERRUPTED in found:
        return ExitCode.INTERRUPTED
    bad = {code for code in found if code in _BAD}
    if command == "apply" and bad:
        if len(bad) == 1 and len([code for code in found if code in bad]) == len(found):
            return bad.pop()
        if bad == {ExitCode.GATE}:
            return ExitCode.GATE
        return ExitCode.PARTIAL if len([code for code in found if code in _FAILED]) < len(found) else ExitCode.ERROR
    order = (
        *(ExitCode.USAGE, ExitCode.ERROR, ExitCode.PARTIAL, ExitCode.STALE, ExitCode.LOCKED, ExitCode.GATE),
        *(ExitCode.RUNNING, ExitCode.CHANGES, ExitCode.DRIFT),
    )
    if command == "plan" and ExitCode.CHANGES in found and not bad:
        return ExitCode.CHANGES
    return next((code for code in order if code in found), ExitCode.OK)


def charges_of(result: ManifestResult) -> list[float]:
    """CU of each launch, as charged, else as quoted."""
    if result.ledger is None:
        return []
    charges = [c["quoted"] if c["charged"] is None else c["charged"] for c in result.ledger["charges"]]
    return [charge for charge in charges if charge is not None]


def errors_of(run: ProjectRun) -> tuple[Diagnostic, ...]:
    """What is wrong with a project, that of its manifests included."""
    own = [problem for problem in run.problems if problem.severity == "error"]
    inner = [p for result in run.results.values() for p in result.problems if p.severity == "error"]
    return (*own, *inner)


def judged(runs: Iterable[ProjectRun], limits: FleetLimits) -> tuple[Diagnostic, ...]:
    """The limits of the whole fleet that its plans are over."""
    results = [result for run in runs for result in run.results.values()]
    counts: dict[str, tuple[float, float | None]] = {
        "cost": (total(result.cu or 0.0 for result in results), limits.cost),
        "deletes": (sum(result.deletes for result in results), limits.deletes),
        "retrains": (
            sum(result.summary.get("retrain", 0) + result.summary.get("replace", 0) for result in results),
            limits.retrains,
        ),
    }
    found = []
    for name, (count, limit) in counts.items():
        if limit is not None and count > limit + 1e-6:
            what = f"{name}: {amount(count)} in all projects is over the fleet's limit of {amount(limit)}"
            hint = f"raise it for this run with --limit {name}={-int(-count // 1)}, or in the fleet file's limits:"
            found.append(Diagnostic(code="gate", message=what, hint=hint))
    return tuple(found)
