"""A plan as every writer shows it: one view model for terminal, Markdown, HTML and annotations. Values only.

plan_view() makes it of the plan and of what is known beside it. Each writer draws from it and decides only how much to
show. Texts are raw: see change_view.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Literal

from msgspec import Struct

from scenario_apply.errors import Diagnostic
from scenario_apply.model.address import Address
from scenario_apply.planning.changes import SUMMARY_ACTIONS, Action, Change, Drift
from scenario_apply.planning.plan import Plan
from scenario_apply.planning.reasons import NotSelected
from scenario_apply.review.change_view import Beside, ChangeView, change_view, twins_of
from scenario_apply.review.part_words import PartNames
from scenario_apply.review.sample_words import SAMPLES_HOW, samples_basis_text
from scenario_apply.review.screen import counted
from scenario_apply.review.values import ESTIMATED_HOW, cost_basis_text
from scenario_apply.state.state import Record
from scenario_apply.version import VERSION

LOCAL = "local"
"""The endpoint that plans for the embedded Scenario record."""

StatusKind = Literal["errored", "stale", "blocked", "partial", "applyable", "nothing"]
Mode = Literal["plan", "destroy", "drift", "samples"]
NOT_SELECTED = NotSelected()
"""The note on what --select or --exclude leaves out."""


class PlanContext(Struct, frozen=True, kw_only=True):
    """What is known beside a plan. Whatever a caller does not know stays empty, and is then not shown.

    mode: drift is that of plan --refresh-only, samples that of `samples draw`. recorded: the addresses that the state
    holds; None: all that stay as they are. next_command: what applies the plan. stale: why a saved plan no longer
    fits manifest, pictures or state. beside: by resource. records: of the state, to name the parts of compositions
    by. store: the URL of the state, if it is in a store. complete: adds to commands in notes and hints what they
    lack.
    """

    mode: Mode = "plan"
    recorded: Collection[Address] | None = None
    next_command: str | None = None
    stale: tuple[Diagnostic, ...] = ()
    beside: Mapping[Address, Beside] = {}
    records: Mapping[Address, Record] = {}
    store: str | None = None
    complete: Callable[[str], str] = str


class PlanStatus(Struct, frozen=True, kw_only=True):
    """Whether the plan may be applied, and what stands against it.

    kind: the first that holds, in the order of StatusKind; a plan can be blocked and partial. blocked: from gates and
    protection. partial: why an apply would not do all that the manifest asks for, in sentences.
    """

    kind: StatusKind
    is_applyable: bool
    blocked: tuple[Diagnostic, ...] = ()
    stale: tuple[Diagnostic, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the plan must be shown whole, with nothing folded into counts: it is stopped, stale or partial."""
        return self.kind in ("errored", "stale", "blocked", "partial")


class PlanTotals(Struct, frozen=True, kw_only=True):
    """cu: what is known of the cost, None where nothing is. quoted, estimated: resources by source of cost. unknown:
    those whose training has an unknown cost. estimated_how, unknown_why: in words, each once; see cost_basis_text for
    those of one resource.

    requests: polls, as an estimate, included. seconds_at_limit: the least time that the requests take at rate_limit a
    minute. training_seconds: of the longest chain of trainings, by the state's history; None where it is not known.
    samples: how many are drawn; samples_cu: what is known of their cost, a part of cu. samples_unknown: resources whose
    samples have an unknown cost.
    """

    cu: float | None
    quoted: tuple[Address, ...] = ()
    estimated: tuple[Address, ...] = ()
    unknown: tuple[Address, ...] = ()
    estimated_how: tuple[str, ...] = ()
    unknown_why: tuple[str, ...] = ()
    requests: int = 0
    polls: int = 0
    seconds_at_limit: int = 0
    rate_limit: int = 0
    training_seconds: float | None = None
    trainings: int = 0
    samples: int = 0
    samples_cu: float | None = None
    samples_unknown: tuple[Address, ...] = ()


class DriftView(Struct, frozen=True, kw_only=True):
    """What was changed outside of scenario-apply, of one resource."""

    address: Address
    differences: tuple[Drift, ...]


class PlanView(Struct, frozen=True, kw_only=True):
    """counts: how many resources have which action, `none` and zeros included. unchanged, not_selected: of `none`.

    changes: those that change something, in address order. kept: unchanged ones with something to be said about them.
    diagnostics: of manifest, datasets and planning, in their order; what blocks is in the status. recorded, absent: the
    resources that the state holds, and those it does not. store: the URL of the state, if it is in a store.
    """

    mode: Mode
    manifest: str
    manifest_digest: str
    endpoint: str
    project: str | None
    lineage: str | None
    serial: int
    created_at: str
    tool_version: str
    is_refreshed: bool
    status: PlanStatus
    counts: Mapping[str, int]
    unchanged: int
    not_selected: int
    totals: PlanTotals
    changes: tuple[ChangeView, ...] = ()
    kept: tuple[ChangeView, ...] = ()
    drift: tuple[DriftView, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    next_command: str | None = None
    recorded: tuple[Address, ...] = ()
    absent: tuple[Address, ...] = ()
    store: str | None = None

    @property
    def title(self) -> str:
        return {"plan": "Plan", "destroy": "Destroy plan", "drift": "Drift check", "samples": "Samples"}[self.mode]

    @property
    def service(self) -> str:
        """'Scenario (project X)', or the embedded one; not safe to print."""
        return service_name(self.endpoint, self.project)


def plan_view(plan: Plan, context: PlanContext | None = None) -> PlanView:
    """The plan as it is shown."""
    context = context or PlanContext()
    source, summary = plan.source, plan.summary
    is_destroy = context.mode == "destroy"
    changed = [change for change in plan.changes if change.action is not Action.NONE]
    noted = [change for change in plan.changes if change.action is Action.NONE and change.notes]
    left_out = sum(NOT_SELECTED in change.notes for change in plan.changes if change.action is Action.NONE)
    twins = twins_of(changed)
    addresses = [change.address for change in plan.changes]
    recorded = addresses if context.recorded is None else [a for a in addresses if a in context.recorded]
    held = set(recorded)
    drift: dict[Address, list[Drift]] = {}
    for one in plan.drift:
        drift.setdefault(one.address, []).append(one)

    names = PartNames.of(context.records, plan.steps)

    def shown(change: Change) -> ChangeView:
        beside, complete = context.beside.get(change.address, Beside()), context.complete
        twin = twins.get(change.address)
        return change_view(change, beside, complete, destroy=is_destroy, twin=twin, names=names)

    return PlanView(
        mode=context.mode,
        manifest=source.manifest_path,
        manifest_digest=source.manifest_digest,
        endpoint=source.endpoint,
        project=source.project,
        lineage=source.lineage,
        serial=source.serial,
        created_at=plan.created_at,
        tool_version=plan.tool_version,
        is_refreshed=plan.refreshed,
        status=_status(plan, context, left_out),
        counts=dict(summary),
        unchanged=summary["none"] - left_out,
        not_selected=left_out,
        totals=_totals(plan, context),
        changes=tuple(map(shown, changed)),
        kept=tuple(map(shown, noted)),
        drift=tuple(DriftView(address=address, differences=tuple(found)) for address, found in drift.items()),
        diagnostics=_completed(plan.diagnostics, context),
        next_command=context.next_command,
        recorded=tuple(recorded),
        absent=tuple(address for address in addresses if address not in held),
        store=context.store,
    )


def failed_plan_view(
    problems: Iterable[Diagnostic], *, manifest: str | None, endpoint: str, created_at: str, mode: Mode = "plan"
) -> PlanView:
    """What is shown of a plan that could not be made: no changes, and every problem. created_at: ISO 8601."""
    return PlanView(
        mode=mode,
        manifest=manifest or "scenario.yaml",
        manifest_digest="",
        endpoint=endpoint,
        project=None,
        lineage=None,
        serial=0,
        created_at=created_at,
        tool_version=VERSION,
        is_refreshed=False,
        status=PlanStatus(kind="errored", is_applyable=False),
        counts={action.value: 0 for action in SUMMARY_ACTIONS},
        unchanged=0,
        not_selected=0,
        totals=PlanTotals(cu=None),
        diagnostics=tuple(problems),
    )


def service_name(endpoint: str, project: str | None) -> str:
    """'Scenario (project X)', or the embedded one; not safe to print."""
    if endpoint == LOCAL:
        return "the embedded Scenario"
    return "Scenario" if project is None else f"Scenario (project {project})"


def _status(plan: Plan, context: PlanContext, left_out: int) -> PlanStatus:
    partial = tuple(_partial(plan, left_out))
    kinds: tuple[tuple[StatusKind, bool], ...] = (
        ("errored", any(problem.severity == "error" for problem in plan.diagnostics)),
        ("stale", bool(context.stale)),
        ("blocked", bool(plan.blocked)),
        ("partial", bool(partial)),
        ("applyable", plan.has_changes),
    )
    holding: list[StatusKind] = [kind for kind, holds in kinds if holds]
    return PlanStatus(
        kind=holding[0] if holding else "nothing",
        is_applyable=plan.is_applyable and not context.stale,
        blocked=_completed(plan.blocked, context),
        stale=_completed(context.stale, context),
        partial=partial,
    )


def _completed(problems: Iterable[Diagnostic], context: PlanContext) -> tuple[Diagnostic, ...]:
    return tuple(p if p.hint is None else replace(p, hint=context.complete(p.hint)) for p in problems)


def _partial(plan: Plan, left_out: int) -> list[str]:
    reasons = []
    if plan.withheld:
        what = counted(len(plan.withheld), "delete waits", "deletes wait")
        reasons.append(f"{what} for consent: pass --allow-destroy")
    if left_out:
        reasons.append(f"{counted(left_out, 'resource is', 'resources are')} not selected")
    return reasons


def _totals(plan: Plan, context: PlanContext) -> PlanTotals:
    trainings = [change.cost for change in plan.changes if change.cost.source != "none"]
    sources = {cost.source for cost in trainings}
    how = [words for source, words in ESTIMATED_HOW.items() if source in sources]
    how += [words for source, words in SAMPLES_HOW.items() if plan.sample_costs(source)]
    why = {cost_basis_text(cost) for cost in trainings if cost.source == "unknown"}
    why |= {samples_basis_text(c.samples.cost) for c in plan.changes if c.samples.cost.source == "unknown"}
    return PlanTotals(
        cu=plan.cu,
        quoted=tuple(c.address for c in plan.changes if "quoted" in (c.cost.source, c.samples.cost.source)),
        estimated=(*plan.costs("history"), *plan.costs("estimate")),
        unknown=tuple(change.address for change in plan.changes if change.cost.source == "unknown"),
        estimated_how=tuple(how),
        unknown_why=tuple(sorted(why)),
        trainings=len(trainings),
        samples=plan.samples_count,
        samples_cu=plan.samples_cu,
        samples_unknown=plan.sample_costs("unknown"),
        requests=plan.requests_total,
        polls=plan.requests_by_step.get("wait", 0),
        seconds_at_limit=plan.seconds_at_limit,
        rate_limit=plan.rate_limit,
        training_seconds=_training_seconds(plan, context),
    )


def _training_seconds(plan: Plan, context: PlanContext) -> float | None:
    """Trainings of models run side by side, those of compositions after them; None where one is not known."""
    total = 0.0
    for kind in ("model", "composition"):
        of_kind = [
            context.beside.get(change.address, Beside()).seconds
            for change in plan.changes
            if change.address.kind == kind and change.cost.source != "none"
        ]
        if any(seconds is None for seconds in of_kind):
            return None
        total += max((seconds for seconds in of_kind if seconds is not None), default=0.0)
    return total or None
