"""Applies the manifests of one project one after another: lock, plan, compare with what was approved, launch, leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from msgspec import Struct
from msgspec.structs import asdict
from msgspec.structs import replace as with_fields

from scenario_apply.api.shared_reads import SharedReads
from scenario_apply.apply.apply_options import ApplyOptions
from scenario_apply.apply.apply_plan import apply_plan
from scenario_apply.apply.events import Event, Ledger
from scenario_apply.apply.ledger import HELD, HELD_SAMPLE, TRAINING, sample_charge
from scenario_apply.apply.prepare import Prepared
from scenario_apply.apply.price_round import Approval, PriceRound
from scenario_apply.apply.stop_signal import StopSignal
from scenario_apply.cli.fleet_planning import (
    Opened,
    loaded_states,
    options_of,
    plan_one,
    planned,
    read_together,
    world_of,
)
from scenario_apply.cli.progress.json_lines import JsonLinesView, ledger_json
from scenario_apply.cli.wiring import Service
from scenario_apply.errors import (
    Diagnostic,
    ExitCode,
    GateClosed,
    Interrupted,
    ManifestError,
    PlanStale,
    ScenarioApplyError,
    Unauthorized,
    Unreachable,
)
from scenario_apply.fleet.approval import beyond, changed_inputs
from scenario_apply.fleet.tasks import ManifestResult, Plain, RunningTraining, Task, failed_manifest
from scenario_apply.model.address import Address
from scenario_apply.model.amounts import total
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.steps import DeleteModel
from scenario_apply.state.state import SampleEntry

MOST_EVENTS = 2_000
"""Lines of events that a task hands back; of more, the last ones."""


class LaunchAllowance(Struct, kw_only=True):
    """What is left of the launches and of the CU that the fleet gave this task; None: no bound."""

    launches: int | None
    cost: float | None

    def use(self, ledger: Ledger) -> None:
        if self.launches is not None:
            self.launches = max(0, self.launches - sum(not charge.samples for charge in ledger.charges))
        if self.cost is not None:
            spent = total(c.quoted or c.charged or 0.0 for c in ledger.charges)
            self.cost = max(0.0, self.cost - spent)


@dataclass(slots=True, kw_only=True)
class Applying:
    """The apply of a task's manifests. begun: trainings of this run of the fleet were launched before."""

    task: Task
    service: Service
    stop: StopSignal
    begun: bool
    allowance: LaunchAllowance = field(init=False)
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.allowance = LaunchAllowance(launches=self.task.may_launch, cost=self.task.cost)

    def results(self, opened: list[Opened]) -> list[ManifestResult]:
        """What became of each manifest. Raises Unauthorized and Unreachable, which would meet all of them alike."""
        with ExitStack() as locks:
            locked, results = self._locked(opened, locks)
            loaded, failed = loaded_states(locked)
            shared = read_together(self.service, loaded)
            results += failed
            for one in loaded:
                if self.stop.requested.is_set():
                    error = Interrupted("interrupted before it was applied")
                    results.append(failed_manifest(one.given.path, error))
                    continue
                try:
                    results.append(self._applied(one, shared))
                except (Unauthorized, Unreachable):
                    raise
                except ScenarioApplyError as error:
                    results.append(failed_manifest(one.given.path, error))
            return results

    def _locked(self, opened: list[Opened], locks: ExitStack) -> tuple[list[Opened], list[ManifestResult]]:
        """The manifests whose states are held until the task ends, and those that another run holds."""
        found: list[Opened] = []
        failed: list[ManifestResult] = []
        for one in opened:
            try:
                locks.enter_context(one.store.locked(self.task.run.command, self.task.lock_timeout_s))
                found.append(one)
            except ScenarioApplyError as error:
                failed.append(failed_manifest(one.given.path, error))
        return found, failed

    def _applied(self, one: Opened, shared: SharedReads) -> ManifestResult:
        prepared = self._planned(one, shared)
        if prepared.plan.blocked:
            refused = GateClosed if prepared.plan.is_gated else ManifestError
            raise refused(prepared.plan.blocked[0].message, problems=prepared.plan.blocked)
        if self.task.kind == "price" and not PriceRound(prepared).first:
            return planned(self.task, one, prepared)
        from scenario_apply.cli.lfs_pulling import refuse_unpulled

        refuse_unpulled(prepared, one.request)
        prepared = with_fields(prepared, limits=self._limits(prepared.limits))
        ledger = self._carried_out(one, prepared)
        self.allowance.use(ledger)
        if self.task.kind == "price":
            return self._priced(one, ledger)
        return self._result(one, prepared, ledger)

    def _planned(self, one: Opened, shared: SharedReads) -> Prepared:
        """The plan, within what was approved. Raises PlanStale when it is more, and nothing was launched yet.

        Later on, what is more is left out: a training that failed, or what changed meanwhile.
        """
        approved = one.given.approved
        options = options_of(self.task, one)
        left_out = self.task.failed.get(one.given.path, ())
        known = one.loaded.state.records if one.loaded is not None else {}
        options = with_fields(options, exclude=(*options.exclude, *(f"{a}+" for a in left_out if a in map(str, known))))
        prepared = plan_one(one, self.service, shared, options)
        if approved is None:
            return prepared
        why = changed_inputs(prepared.plan, approved)
        if why is not None:
            raise PlanStale(f"{one.given.path}: {why}", hint="run the fleet again, and review its plan")
        more = beyond(prepared.plan, approved, begun=self.begun)
        if not more:
            return prepared
        if not self.begun:
            address, reason = next(iter(more.items()))
            what = f"{one.given.path}: the plan changed since it was approved: {address}: {reason}"
            raise PlanStale(what, hint="run the fleet again, and review its plan")
        # a trained model whose samples wait holds nothing up
        drawing = {str(change.address) for change in prepared.plan.changes if change.draws_only}
        left_out = tuple(address if address in drawing else f"{address}+" for address in more)
        options = with_fields(options, exclude=(*options.exclude, *left_out))
        return plan_one(one, self.service, shared, options)

    def _limits(self, limits: Limits) -> Limits:
        """The manifest's own limits, and what the fleet has left to spend."""
        given = [cost for cost in (limits.cost, self.allowance.cost) if cost is not None]
        return replace(limits, cost=min(given) if given else None)

    def _carried_out(self, one: Opened, prepared: Prepared) -> Ledger:
        from scenario_apply.cli.run_plan import outside_files

        settings = one.settings
        options = ApplyOptions(
            parallelism=settings.parallelism,
            wait=False,
            command=self.task.run.command,
            status_command=self.task.run.command.replace("fleet apply", "fleet status", 1),
            outside=outside_files(settings, one.request),
            remote=settings.remote,
            approval=Approval(only_price=self.task.kind == "price"),
            leaves_held=True,
            may_launch=self.allowance.launches,
        )
        environment = world_of(one, self.service)
        head = json.dumps({"project": self.task.name, "manifest": one.given.path}, ensure_ascii=False)[:-1]

        def keep(line: str) -> None:
            self._keep(f"{head}, {line[1:]}")

        view = JsonLinesView(keep, environment.clock, destroy=False) if self.task.options.get("events") else None
        before = self.service.budget.sent

        def emit(event: Event) -> None:
            if view is not None:
                view(event)

        ledger = apply_plan(environment, prepared, one.request.manifest.root, options, emit, self.stop)
        return with_fields(ledger, requests=self.service.budget.sent - before)

    def _keep(self, line: str) -> None:
        self.events.append(line)
        del self.events[:-MOST_EVENTS]

    def _priced(self, one: Opened, ledger: Ledger) -> ManifestResult:
        """The plan again, now that its models exist and were quoted: it says what the launches cost."""
        if ledger.error is not None and not ledger.declined:
            return failed_manifest(one.given.path, ScenarioApplyError(ledger.error, code="apply"))
        again = with_fields(one, loaded=one.store.load())
        options = options_of(self.task, one)
        return planned(self.task, again, plan_one(again, self.service, None, options))

    def _result(self, one: Opened, prepared: Prepared, ledger: Ledger) -> ManifestResult:
        plan, path = prepared.plan, one.given.path
        result = planned(self.task, one, prepared)
        running = tuple(
            RunningTraining(manifest=path, address=str(line.address), model_id=line.remote_id)
            for line in ledger.running
            if line.remote_id is not None
        )
        return with_fields(
            result,
            code=int(code_of_ledger(ledger)),
            approved=None,
            deletes=sum(isinstance(planned.step, DeleteModel) for planned in plan.steps),
            ledger=self._with_account(ledger_json(ledger), prepared),
            running=running,
            held=sum(line.reason in (HELD, HELD_SAMPLE) for line in ledger.not_started),
            drawing=sum(line.what != TRAINING for line in ledger.running),
            is_held_by_fleet=self.allowance.launches == 0,
            problems=tuple(_without_notes(result)),
            next_command=ledger.next_command,
        )

    def _with_account(self, ledger: Plain, prepared: Prepared) -> Plain:
        """The ledger with what else this run of the fleet launched, by the state's account: tasks may have died."""
        noted = {
            (str(entry.address), False): {
                "address": str(entry.address),
                "quoted": entry.quoted,
                "charged": entry.charged,
                "discount": entry.discount,
                "details": dict(entry.details),
                "samples": 0,
            }
            for entry in prepared.state.trainings
            if entry.at >= self.task.run.since
        }
        drawn: dict[Address, list[SampleEntry]] = {}
        for sample in prepared.state.samples:
            if sample.at >= self.task.run.since:
                drawn.setdefault(sample.address, []).append(sample)
        noted |= {
            (str(address), True): asdict(sample_charge(address, entries)) | {"address": str(address)}
            for address, entries in drawn.items()
        }
        own = {(charge["address"], bool(charge["samples"])): charge for charge in ledger["charges"]}
        both = {key: _together(noted[key], own[key]) for key in noted.keys() & own.keys() if key[1]}
        return {**ledger, "charges": list({**noted, **own, **both}.values())}


def _together(before: Plain, now: Plain) -> Plain:
    """The charges of a resource's samples that were launched before, and now."""
    known = ("quoted", "charged")
    sums = {name: None if None in (before[name], now[name]) else total((before[name], now[name])) for name in known}
    names = dict.fromkeys((*before["details"], *now["details"]))
    details = {name: total((before["details"].get(name, 0.0), now["details"].get(name, 0.0))) for name in names}
    discount = (before["discount"] or 0.0) + (now["discount"] or 0.0)
    return {
        **now,
        **sums,
        "discount": discount or None,
        "details": details,
        "samples": before["samples"] + now["samples"],
    }


def _without_notes(result: ManifestResult) -> Iterator[Diagnostic]:
    return (problem for problem in result.problems if problem.severity != "info")


def code_of_ledger(ledger: Ledger) -> ExitCode:
    """The detailed exit code of `apply --no-wait`."""
    if ledger.gated and ledger.status in ("partial", "failed"):
        return ExitCode.GATE
    return {
        "done": ExitCode.OK,
        "running": ExitCode.RUNNING,
        "partial": ExitCode.PARTIAL,
        "interrupted": ExitCode.INTERRUPTED,
    }.get(ledger.status, ExitCode.ERROR)
