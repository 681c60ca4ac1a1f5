"""From manifest, state and service to a plan: load, recover, refresh, settle, diff, quote. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scenario_apply.apply.environment import Environment
from scenario_apply.apply.refresh import quotes, read_models, refresh
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ManifestError, PlanBegun, PlanStale, UsageError
from scenario_apply.manifest.spec import Limits, Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import AwaitTraining, PlannedStep
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.planning.changes import Change
from scenario_apply.planning.decide import Diff, PlanRequestOptions, diff
from scenario_apply.planning.decision import StateEdit
from scenario_apply.planning.desired import Desired, desire
from scenario_apply.planning.gates import judge, merged
from scenario_apply.planning.observed import Observed, settle
from scenario_apply.planning.plan import Plan, PlanFlags, PlanSource
from scenario_apply.planning.pricing import priced
from scenario_apply.planning.selection import select
from scenario_apply.planning.steps_builder import make_steps
from scenario_apply.state.state import State
from scenario_apply.state.state_file import record_to_json

if TYPE_CHECKING:
    from scenario_apply.apply.events import Adopted

# What only some plans need (recovery, saved plans, polls) is imported where it is needed: start-up of a plan without
# changes was measured.

POLLS_OF_UNKNOWN_LENGTH = 5
"""Polls counted for a training whose duration is unknown: the state's history has none of its type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """The options of a plan."""

    refresh: bool = True
    refresh_only: bool = False
    destroy: bool = False
    replace: tuple[Address, ...] = ()
    train: tuple[Address, ...] = ()
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    allow_destroy: bool = False
    limits: Limits = Limits()
    variables: Mapping[str, str] = field(default_factory=dict)
    var_files: tuple[str, ...] = ()
    poll_interval_s: float | None = None
    adopt: Mapping[Address, ModelId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan with what an apply of it starts from.

    state: as recorded, with a leftover journal replayed, unknown results adopted, and ended trainings settled.
    edits: changes of records that an apply saves before its first step.
    """

    plan: Plan
    state: State
    edits: Mapping[Address, StateEdit]
    limits: Limits
    adopted: tuple[Adopted, ...] = ()
    has_journal: bool = False
    notes: tuple[str, ...] = ()


def make_plan(
    environment: Environment, manifest: Manifest, datasets: Mapping[str, Dataset], options: PlanOptions, now: float
) -> Prepared:
    """Plan the changes. Raises ManifestError for problems that stop a plan, StateError, ApiError, UsageError."""
    desired = desire(manifest, datasets)
    loaded = environment.store.load()
    state = loaded.state
    adopted: tuple[Adopted, ...] = ()
    if (loaded.unanswered or options.adopt) and environment.api is not None:
        from scenario_apply.apply.recovery import recover

        recovered = recover(
            environment.api, environment.clock, state, loaded.unanswered, loaded.baseline, options.adopt
        )
        state, adopted = recovered.state, recovered.adopted
    recorded = state
    observed = Observed()
    if options.refresh and environment.api is not None:
        observed = refresh(environment.api, state, desired, project=environment.project)
    state, settled_drift = settle(state, observed, now=iso(now))
    requested = PlanRequestOptions(
        replace=_known(options.replace, desired, state),
        train=_known(options.train, desired, state),
        selected=select(desired, state, options.select, options.exclude),
        destroy=options.destroy,
    )
    found = diff(desired, state, observed, requested, now=now)
    if observed.refreshed and (unread := _unread(found, observed)) and environment.api is not None:
        # versions that would become current again must still exist
        observed = replace(
            observed,
            models={**observed.models, **read_models(environment.api, unread, images=False)},
            asked=observed.asked | frozenset(unread),
        )
        found = diff(desired, state, observed, requested, now=now)
    errors = [p for p in found.problems if p.severity == "error" and p.code != "protected"]
    if errors:
        raise ManifestError(errors[0].message, problems=errors)
    if options.refresh and environment.api is not None and not options.refresh_only:
        observed = replace(observed, quotes=quotes(environment.api, found.verdicts))
    if options.refresh_only:
        found = replace(found, verdicts={})
    plan, edits = _assemble(environment, manifest, datasets, options, state, observed, found, recorded, now)
    plan = replace(plan, drift=(*settled_drift, *plan.drift))
    limits = merged(manifest.limits, options.limits)
    protected = tuple(p for p in found.problems if p.code == "protected")
    plan = replace(plan, blocked=(*protected, *judge(plan, limits)))
    return Prepared(plan=plan, state=state, edits=edits, limits=limits, adopted=adopted, has_journal=loaded.has_journal)


def _unread(found: Diff, observed: Observed) -> list[ModelId]:
    """Previous versions that the diff would make current again and that were not read."""
    records = [v.record for v in found.verdicts.values() if v.edit.revive is not None and v.record is not None]
    return [record.current.id for record in records if record.current.id not in observed.asked]


def _assemble(
    environment: Environment,
    manifest: Manifest,
    datasets: Mapping[str, Dataset],
    options: PlanOptions,
    state: State,
    observed: Observed,
    found: Diff,
    recorded: State,
    now: float,
) -> tuple[Plan, dict[Address, StateEdit]]:
    steps, changes, withheld = make_steps(found.verdicts, state, observed, delete=options.allow_destroy)
    for address, verdict in found.verdicts.items():
        if verdict.train:
            changes[address] = priced(changes[address], verdict, observed.quotes, state)
    edits = {address: verdict.edit for address, verdict in found.verdicts.items() if verdict.edit}
    plan = Plan(
        source=_source(environment, manifest, datasets, options, recorded),
        tool_version=environment.tool_version,
        created_at=iso(now),
        changes=tuple(_with_edit(changes[address], edits) for address in sorted(changes)),
        steps=tuple(steps),
        drift=found.drift,
        diagnostics=(
            *manifest.problems,
            *(problem for dataset in datasets.values() for problem in dataset.problems),
            *(problem for problem in found.problems if problem.code != "protected"),
        ),
        polls=_polls(steps, state, options),
        rate_limit=environment.rate_limit,
        refreshed=observed.refreshed,
        withheld=tuple(withheld),
    )
    return plan, edits


def _with_edit(change: Change, edits: Mapping[Address, StateEdit]) -> Change:
    """The change with its edit as plain values, so that a saved plan carries it."""
    edit = edits.get(change.address)
    if edit is None:
        return change
    moved_from = None if edit.moved_from is None else str(edit.moved_from)
    data: dict[str, object] = {
        "protect": edit.protect,
        "unhold": edit.unhold or None,
        "discard_pending": edit.discard_pending or None,
        "moved_from": moved_from,
        "forget": edit.forget or None,
        "gone": edit.gone or None,
        "revive": edit.revive,
        "record": None if edit.record is None else record_to_json(edit.record),
    }
    return replace(change, data={key: value for key, value in data.items() if value is not None})


def _source(
    environment: Environment, manifest: Manifest, datasets: Mapping[str, Dataset], options: PlanOptions, recorded: State
) -> PlanSource:
    return PlanSource(
        manifest_path=manifest.path,
        manifest_digest=manifest.digest,
        lineage=recorded.lineage,
        serial=recorded.serial,
        endpoint=environment.endpoint,
        project=environment.project,
        variables=options.variables,
        var_files=options.var_files,
        flags=PlanFlags(
            select=options.select,
            exclude=options.exclude,
            replace=options.replace,
            train=options.train,
            destroy=options.destroy,
            deletes=options.allow_destroy,
        ),
        datasets={name: dataset.digest for name, dataset in datasets.items()},
    )


def _polls(steps: list[PlannedStep], state: State, options: PlanOptions) -> int:
    """Polls to expect: until the longest training ends, compositions after their parts."""
    waits = [planned.step for planned in steps if isinstance(planned.step, AwaitTraining)]
    if not waits:
        return 0
    polls = 0
    for kind in ("model", "composition"):  # compositions wait after their parts; those of a kind share their polls
        of_kind = [_polls_of(state, wait.type, options) for wait in waits if wait.address.kind == kind]
        polls += max(of_kind, default=0)
    return polls


def _polls_of(state: State, type: str, options: PlanOptions) -> int:
    from scenario_apply.apply.poller import expected_polls

    durations_s = []
    for record in state.records.values():
        for version in record.versions():
            started, ended = from_iso(version.launched_at or ""), from_iso(version.ended_at or "")
            if version.type == type and version.is_usable and started is not None and ended is not None:
                durations_s.append(ended - started)
    if not durations_s:
        return POLLS_OF_UNKNOWN_LENGTH
    return expected_polls(sum(durations_s) / len(durations_s), options.poll_interval_s)


def _known(addresses: tuple[Address, ...], desired: Desired, state: State) -> frozenset[Address]:
    """The addresses that an option names; a matrix names its children. Raises UsageError for an undeclared one."""
    found: set[Address] = set()
    for address in addresses:
        matching = {
            a
            for a in desired.specs
            if a == address or (not address.label and a.kind == address.kind and a.name == address.name)
        }
        if not matching:
            from scenario_apply.model.did_you_mean import did_you_mean

            raise UsageError(f"{address} is not declared", hint=did_you_mean(str(address), map(str, desired.specs)))
        found |= matching
    return frozenset(found)


def bound_to_pictures(plan: Plan, datasets: Mapping[str, Dataset]) -> Plan:
    """The plan with the digest of every image and caption, so that a stale plan can name the changed file."""
    from scenario_apply.planning.plan_reader import picture_key

    pictures = {
        name: {image.path: picture_key(image.sha256, image.caption) for image in dataset.contents.images}
        for name, dataset in datasets.items()
    }
    return replace(plan, source=replace(plan.source, pictures=pictures))


def prepare_saved(
    environment: Environment, saved: Plan, manifest: Manifest, datasets: Mapping[str, Dataset], options: PlanOptions
) -> Prepared:
    """A saved plan, planned again and ready to be applied. options: those that the plan was made with.

    Only the new plan is applied; the saved one has to be equal to it. Raises PlanStale when anything that it was made
    from has changed, or when planning again gives another plan; PlanBegun when an earlier run did part of it.
    """
    from scenario_apply.planning.plan_comparison import differences
    from scenario_apply.planning.plan_reader import check_fresh, check_state

    check_fresh(saved, manifest, datasets)
    loaded = environment.store.load()
    try:
        check_state(saved, loaded.state)
        prepared = make_plan(environment, manifest, datasets, options, environment.clock.now())
        if problems := differences(saved, prepared.plan):
            raise PlanStale(problems[0].message, problems=problems)
    except PlanStale as stale:
        if not loaded.has_journal:
            raise
        raise PlanBegun(
            "a run that did not end properly left a journal: it did a part of this plan or of another one",
            hint="apply the manifest, which takes into account what that run did; or plan again and review the plan",
        ) from stale
    return prepared
