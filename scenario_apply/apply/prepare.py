"""From manifest, state and service to a plan: load, recover, refresh, settle, diff, quote, plan. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from scenario_apply.apply.environment import Environment
from scenario_apply.apply.refresh import quotes, read_models, refresh
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ManifestError, PlanBegun, PlanStale
from scenario_apply.manifest.spec import Limits, Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import AwaitTraining, PlannedStep
from scenario_apply.model.timestamps import from_iso, iso
from scenario_apply.planning.decide import decide, drift_of, problems_of
from scenario_apply.planning.decision import Decision, Delete
from scenario_apply.planning.describe import changes_of
from scenario_apply.planning.desired import desire
from scenario_apply.planning.gates import judge, merged
from scenario_apply.planning.observed import Observed, settle
from scenario_apply.planning.plan import Plan, PlanFlags, PlanSource
from scenario_apply.planning.retention import with_retention
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.selection import requested
from scenario_apply.planning.state_edit import StateEdit
from scenario_apply.planning.steps_builder import make_steps
from scenario_apply.state.state import State

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
    """

    plan: Plan
    state: State
    limits: Limits
    adopted: tuple[Adopted, ...] = ()
    has_journal: bool = False

    @property
    def edits(self) -> Mapping[Address, StateEdit]:
        """What an apply writes into records before its first step."""
        return {change.address: change.edit for change in self.plan.changes if change.edit}


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
    asked = requested(
        desired,
        state,
        replace=options.replace,
        train=options.train,
        include=options.select,
        exclude=options.exclude,
        destroy=options.destroy,
    )
    observed = Observed()
    if options.refresh and world.api is not None:
        observed = refresh(world.api, state, desired, project=world.project)
    state, drift = settle(state, observed, now=iso(now))
    inputs = Inputs(desired=desired, state=state, observed=observed, asked=asked, now=now)
    decisions = decide(inputs)
    if observed.refreshed and world.api is not None and (unseen := _unseen(decisions, observed)):
        # versions that would become current again are looked up before the plan relies on them
        models = {**observed.models, **read_models(world.api, unseen, images=False)}
        observed = replace(observed, models=models, asked=observed.asked | frozenset(unseen))
        decisions = decide(replace(inputs, observed=observed, decided={}))
    drift += drift_of(decisions.values())
    problems = problems_of(decisions.values())
    errors = [p for p in problems if p.severity == "error" and p.code != "protected"]
    if errors:
        raise ManifestError(errors[0].message, problems=errors)
    if options.refresh_only:
        decisions = {}
    decisions = with_retention(decisions, consent=options.allow_destroy)
    quoted = quotes(world.api, decisions.values()) if options.refresh and world.api is not None else {}
    steps = make_steps(decisions, state, observed)
    plan = Plan(
        source=_source(world, manifest, datasets, options, recorded),
        tool_version=world.tool_version,
        created_at=iso(now),
        changes=changes_of(decisions, steps, quoted, state),
        steps=tuple(steps),
        drift=drift,
        diagnostics=(
            *manifest.problems,
            *(problem for dataset in datasets.values() for problem in dataset.problems),
            *(problem for problem in problems if problem.code != "protected"),
        ),
        polls=_polls(steps, state, options),
        rate_limit=world.rate_limit,
        refreshed=observed.refreshed,
        withheld=tuple(a for a, d in decisions.items() if isinstance(d, Delete) and not d.consented),
    )
    limits = merged(manifest.limits, options.limits)
    protected = tuple(problem for problem in problems if problem.code == "protected")
    plan = replace(plan, blocked=(*protected, *judge(plan, limits)))
    return Prepared(plan=plan, state=state, limits=limits, adopted=adopted, has_journal=loaded.has_journal)


def _unseen(decisions: Mapping[Address, Decision], observed: Observed) -> list[ModelId]:
    """Previous versions that would become current again and that the service was not asked about."""
    records = [d.record for d in decisions.values() if d.edit.revive is not None and d.record is not None]
    return [record.current.id for record in records if record.current.id not in observed.asked]


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
