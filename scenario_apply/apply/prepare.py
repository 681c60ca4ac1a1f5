"""From manifest, state and service to a plan: load, recover, refresh, settle, diff, quote, plan. Writes nothing."""

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

# What only some plans need (recovery, saved plans, polls) is imported where it is needed: a plan of nothing is quick.

ROUNDS_OF_UNKNOWN_LENGTH = 5
"""Polls counted for a training whose length the state's history does not know: no duration is made up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What the command line asks of a plan."""

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

    state: as recorded, with a leftover journal replayed, lost answers adopted and ended trainings settled.
    edits: what an apply writes into records before its first step.
    """

    plan: Plan
    state: State
    edits: Mapping[Address, StateEdit]
    limits: Limits
    adopted: tuple[Adopted, ...] = ()
    has_journal: bool = False
    notes: tuple[str, ...] = ()


def make_plan(
    world: Environment, manifest: Manifest, datasets: Mapping[str, Dataset], options: PlanOptions, now: float
) -> Prepared:
    """Plan what would change. Raises ManifestError for problems that stop a plan, StateError, ApiError, UsageError."""
    desired = desire(manifest, datasets)
    loaded = world.store.load()
    state = loaded.state
    adopted: tuple[Adopted, ...] = ()
    if (loaded.unanswered or options.adopt) and world.api is not None:
        from scenario_apply.apply.recovery import recover

        recovered = recover(world.api, world.clock, state, loaded.unanswered, loaded.baseline, options.adopt)
        state, adopted = recovered.state, recovered.adopted
    recorded = state
    observed = Observed()
    if options.refresh and world.api is not None:
        observed = refresh(world.api, state, desired, project=world.project)
    state, settled_drift = settle(state, observed, now=iso(now))
    wishes = PlanRequestOptions(
        replace=_known(options.replace, desired, state),
        train=_known(options.train, desired, state),
        selected=select(desired, state, options.select, options.exclude),
        destroy=options.destroy,
    )
    found = diff(desired, state, observed, wishes, now=now)
    if observed.refreshed and (unseen := _unseen(found, observed)) and world.api is not None:
        # versions that would become current again are looked for before anybody counts on them
        observed = replace(
            observed,
            models={**observed.models, **read_models(world.api, unseen, images=False)},
            asked=observed.asked | frozenset(unseen),
        )
        found = diff(desired, state, observed, wishes, now=now)
    errors = [p for p in found.problems if p.severity == "error" and p.code != "protected"]
    if errors:
        raise ManifestError(errors[0].message, problems=errors)
    if options.refresh and world.api is not None and not options.refresh_only:
        observed = replace(observed, quotes=quotes(world.api, found.verdicts))
    if options.refresh_only:
        found = replace(found, verdicts={})
    plan, edits = _assemble(world, manifest, datasets, options, state, observed, found, recorded, now)
    plan = replace(plan, drift=(*settled_drift, *plan.drift))
    limits = merged(manifest.limits, options.limits)
    protected = tuple(p for p in found.problems if p.code == "protected")
    plan = replace(plan, blocked=(*protected, *judge(plan, limits)))
    return Prepared(plan=plan, state=state, edits=edits, limits=limits, adopted=adopted, has_journal=loaded.has_journal)


def _unseen(found: Diff, observed: Observed) -> list[ModelId]:
    """Previous versions the diff would bring back that the service was not asked about."""
    records = [v.record for v in found.verdicts.values() if v.edit.revive is not None and v.record is not None]
    return [record.current.id for record in records if record.current.id not in observed.asked]


def _assemble(
    world: Environment,
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
        source=_source(world, manifest, datasets, options, recorded),
        tool_version=world.tool_version,
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
        rate_limit=world.rate_limit,
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
    world: Environment, manifest: Manifest, datasets: Mapping[str, Dataset], options: PlanOptions, recorded: State
) -> PlanSource:
    return PlanSource(
        manifest_path=manifest.path,
        manifest_digest=manifest.digest,
        lineage=recorded.lineage,
        serial=recorded.serial,
        endpoint=world.endpoint,
        project=world.project,
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
    """Rounds of polls to expect: as long as the longest training, compositions after their parts."""
    waits = [planned.step for planned in steps if isinstance(planned.step, AwaitTraining)]
    if not waits:
        return 0
    rounds = 0
    for kind in ("model", "composition"):  # compositions wait after their parts; those of a kind share their rounds
        of_kind = [_rounds(state, wait.type, options) for wait in waits if wait.address.kind == kind]
        rounds += max(of_kind, default=0)
    return rounds


def _rounds(state: State, type: str, options: PlanOptions) -> int:
    from scenario_apply.apply.poller import expected_rounds

    lasted = []
    for record in state.records.values():
        for version in record.versions():
            started, ended = from_iso(version.launched_at or ""), from_iso(version.ended_at or "")
            if version.type == type and version.is_usable and started is not None and ended is not None:
                lasted.append(ended - started)
    if not lasted:
        return ROUNDS_OF_UNKNOWN_LENGTH
    return expected_rounds(sum(lasted) / len(lasted), options.poll_interval_s)


def _known(addresses: tuple[Address, ...], desired: Desired, state: State) -> frozenset[Address]:
    """Addresses a flag named; a matrix stands for its children. Raises UsageError for one that is not declared."""
    found: set[Address] = set()
    for address in addresses:
        fitting = {
            a
            for a in desired.specs
            if a == address or (not address.label and a.kind == address.kind and a.name == address.name)
        }
        if not fitting:
            from scenario_apply.model.did_you_mean import did_you_mean

            raise UsageError(f"{address} is not declared", hint=did_you_mean(str(address), map(str, desired.specs)))
        found |= fitting
    return frozenset(found)


def bound_to_pictures(plan: Plan, datasets: Mapping[str, Dataset]) -> Plan:
    """The plan with the digest of every picture and caption, so that staleness can name the file."""
    from scenario_apply.planning.plan_reader import picture_key

    pictures = {
        name: {image.path: picture_key(image.sha256, image.caption) for image in dataset.contents.images}
        for name, dataset in datasets.items()
    }
    return replace(plan, source=replace(plan.source, pictures=pictures))


def prepare_saved(
    world: Environment, saved: Plan, manifest: Manifest, datasets: Mapping[str, Dataset], options: PlanOptions
) -> Prepared:
    """What a saved plan says, planned again and ready to be applied. options: as the plan was made.

    Nothing of the file is carried out: it only has to say the same. Raises PlanStale when anything that it was made
    from changed since, or when planning again gives another plan; PlanBegun when an earlier run did part of it.
    """
    from scenario_apply.planning.plan_comparison import differences
    from scenario_apply.planning.plan_reader import check_fresh, check_state

    check_fresh(saved, manifest, datasets)
    loaded = world.store.load()
    try:
        check_state(saved, loaded.state)
        prepared = make_plan(world, manifest, datasets, options, world.clock.now())
        if problems := differences(saved, prepared.plan):
            raise PlanStale(problems[0].message, problems=problems)
    except PlanStale as stale:
        if not loaded.has_journal:
            raise
        raise PlanBegun(
            "a run that did not end properly left a journal: it did a part of this plan, or of another one",
            hint="apply the manifest: what that run did is taken into account; or plan again, and review it",
        ) from stale
    return prepared
