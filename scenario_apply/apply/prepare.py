"""From manifest, state and service to a plan: load, recover, refresh, settle, diff, quote. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.apply.environment import Environment
from scenario_apply.apply.poll_estimates import polls_of
from scenario_apply.apply.refresh import quotes, read_models, refresh
from scenario_apply.apply.similar_models import similar_models
from scenario_apply.dataset.types import Dataset, Image
from scenario_apply.errors import Diagnostic, ManifestError, PlanBegun, PlanStale
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.address import Address
from scenario_apply.model.plan_limits import Limits
from scenario_apply.model.ports import ScenarioApi
from scenario_apply.model.remote import ModelId
from scenario_apply.model.steps import PlannedStep
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.as_sent import as_sent
from scenario_apply.planning.blast_radius import affected
from scenario_apply.planning.changes import Drift
from scenario_apply.planning.decide import decide, drift_of, perhaps_restored, problems_of
from scenario_apply.planning.decision import ContentWork, Decision, Delete
from scenario_apply.planning.describe import changes_of
from scenario_apply.planning.desired import desire, problems_of_models
from scenario_apply.planning.gates import judge, merged
from scenario_apply.planning.observed import Observed, settle
from scenario_apply.planning.owed_samples import SampleWork, has_samples, samples_alone
from scenario_apply.planning.plan import Plan, PlanFlags, PlanSource
from scenario_apply.planning.pointer_recipes import as_planned, with_known_recipes, with_recorded_recipes
from scenario_apply.planning.pricing import costs_of, exact_quotes, images_priced
from scenario_apply.planning.retention import protected_users, to_be_deleted, with_retention
from scenario_apply.planning.rule_inputs import Inputs
from scenario_apply.planning.sample_pricing import PlannedSamples
from scenario_apply.planning.selection import requested
from scenario_apply.planning.state_edit import StateEdit
from scenario_apply.planning.steps_builder import make_steps
from scenario_apply.planning.taken_over import all_drift, taken_over
from scenario_apply.planning.unpulled import unpulled_pictures
from scenario_apply.state.sample_records import undecided
from scenario_apply.state.state import State
from scenario_apply.state.stores.state_store import Loaded

if TYPE_CHECKING:
    from scenario_apply.apply.events import Adopted

# What only some plans need (recovery, saved plans, polls) is imported where it is needed: start-up of a plan without
# changes was measured.


class PlanOptions(Struct, frozen=True, kw_only=True):
    """The options of a plan. draw, draw_version: of `samples draw`; (): all resources; None: any other command."""

    refresh: bool = True
    refresh_only: bool = False
    destroy: bool = False
    draw: tuple[Address, ...] | None = None
    draw_version: int | None = None
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

    @property
    def is_of_a_part(self) -> bool:
        """Whether nothing is created that the manifest asks for."""
        return self.refresh_only or self.destroy or self.draw is not None


class Prepared(Struct, frozen=True, kw_only=True):
    """A plan with what an apply of it starts from.

    state: as recorded, with a leftover journal replayed, lost answers adopted and ended trainings settled; of a refresh
    alone, with what the service says.
    unpulled: pictures to upload of which only the Git LFS pointer is on this machine.
    problems: of the dataset of each model, as the lint rules found them. quotes: CU of trainings that were priced as
    they will be launched. images: how many each model that is trained will have.
    took_over: of a refresh alone, what the state takes from the service.
    """

    plan: Plan
    state: State
    limits: Limits
    adopted: tuple[Adopted, ...] = ()
    has_journal: bool = False
    unpulled: tuple[Image, ...] = ()
    problems: Mapping[Address, tuple[Diagnostic, ...]] = field(default_factory=dict)
    quotes: Mapping[Address, float] = field(default_factory=dict)
    images: Mapping[Address, int] = field(default_factory=dict)
    took_over: tuple[Drift, ...] = ()

    @property
    def is_to_be_approved(self) -> bool:
        """Whether an apply changes anything on the service or in what the state says of it."""
        return self.plan.has_changes or bool(self.took_over)

    @property
    def edits(self) -> Mapping[Address, StateEdit]:
        """What an apply writes into records before its first step."""
        return {change.address: change.edit for change in self.plan.changes if change.edit}


class Compared(Struct, frozen=True, kw_only=True):
    """Manifest, state and service side by side, and what is decided about each resource.

    recorded: the state as given; inputs hold it as it is settled. drift: of a refresh alone, all that
    differs.
    """

    recorded: State
    inputs: Inputs
    decisions: Mapping[Address, Decision]
    observed: Observed
    drift: tuple[Drift, ...]
    problems: tuple[Diagnostic, ...]


def compare(
    environment: Environment,
    manifest: Manifest,
    datasets: Mapping[str, Dataset],
    state: State,
    options: PlanOptions,
    now: float,
) -> Compared:
    """Refresh, settle and decide. state: as loaded, with lost answers adopted. Raises as make_plan does."""
    state = with_known_recipes(state, datasets)
    desired, recorded = desire(manifest, with_recorded_recipes(datasets, state)), state
    asked = requested(
        desired,
        state,
        replace=options.replace,
        train=options.train,
        include=options.select,
        exclude=options.exclude,
        destroy=options.destroy,
        draw=options.draw,
        draw_version=options.draw_version,
    )
    observed = Observed()
    if options.refresh and environment.api is not None:
        seen = refresh(environment.api, environment.clock, state, desired, project=environment.project)
        observed = as_sent(seen, state)
    state, drift = settle(state, observed, now=iso(now))
    inputs = Inputs(desired=desired, state=state, observed=observed, asked=asked, now=now)
    decisions, observed = _decided(environment, inputs, consent=options.allow_destroy)
    drift = all_drift(inputs, drift) if options.refresh_only else drift + drift_of(decisions.values())
    problems = (*problems_of(decisions.values()), *inputs.block_problems)
    errors = [p for p in problems if p.severity == "error" and p.code != "protected"]
    if errors:
        raise ManifestError(errors[0].message, problems=errors)
    return Compared(
        recorded=recorded,
        inputs=inputs,
        decisions=decisions,
        observed=observed,
        drift=drift,
        problems=problems,
    )


def make_plan(
    environment: Environment,
    manifest: Manifest,
    datasets: Mapping[str, Dataset],
    options: PlanOptions,
    now: float,
    *,
    loaded: Loaded | None = None,
) -> Prepared:
    """Plan the changes. Raises ManifestError for problems that stop a plan, StateError, ApiError, UsageError.

    loaded: the state, where it has just been loaded.
    """
    loaded = loaded or environment.store.load()
    recovered, adopted = _recovered(environment, loaded, options)
    found = compare(environment, manifest, datasets, recovered, options, now)
    inputs, observed, desired = found.inputs, found.observed, found.inputs.desired
    decisions, state = _to_do(found, options)
    problems = found.problems if options.draw is None else problems_of(decisions.values())
    api = environment.api if options.refresh else None
    quoted, not_quoted = quotes(api, decisions, observed)
    given = replace(inputs, state=state, observed=observed)
    samples = _samples(environment, api, given, decisions)
    works = samples.plan.works
    steps, again = _steps(environment, decisions, state, observed, works)
    unpulled, affects = unpulled_pictures(steps, desired), affected(decisions, desired)
    notes = (*not_quoted, *samples.notes, *again, *_unpulled_notes(unpulled, manifest))
    plan = Plan(
        source=_source(environment, manifest, datasets, options, found.recorded),
        tool_version=environment.tool_version,
        created_at=iso(now),
        changes=changes_of(decisions, steps, costs_of(decisions, quoted, state), affects, works, samples.costs),
        steps=tuple(steps),
        drift=found.drift,
        diagnostics=(
            *_unprotected(manifest, datasets, problems),
            *([] if options.is_of_a_part else similar_models(environment.api, inputs, decisions, observed)),
            *notes,
        ),
        polls=polls_of(steps, state, options.poll_interval_s),
        rate_limit=environment.rate_limit,
        refreshed=observed.refreshed,
        withheld=tuple(a for a, d in decisions.items() if isinstance(d, Delete) and not d.consented),
    )
    limits = merged(manifest.limits, options.limits)
    plan = with_fields(
        plan, blocked=(*samples.plan.problems, *_protected(problems, decisions, options), *judge(plan, limits))
    )
    return Prepared(
        plan=plan,
        state=state,
        limits=limits,
        adopted=adopted,
        has_journal=loaded.has_journal,
        unpulled=unpulled,
        problems=problems_of_models(manifest, datasets),
        took_over=found.drift if options.refresh_only else (),
        quotes=exact_quotes(decisions.values(), quoted),
        images={a: images_priced(d.contents) for a, d in decisions.items() if isinstance(d, ContentWork) and d.trains},
    )


def _to_do(found: Compared, options: PlanOptions) -> tuple[Mapping[Address, Decision], State]:
    """What is done of that which is decided, and the state that it starts from."""
    state = found.inputs.state
    if options.refresh_only:
        return {}, taken_over(state, found.drift, found.observed)
    if options.draw is not None:
        return samples_alone(found.inputs), state
    return with_retention(found.decisions, consent=options.allow_destroy, observed=found.observed), state


def _protected(
    problems: Iterable[Diagnostic], decisions: Mapping[Address, Decision], options: PlanOptions
) -> Iterator[Diagnostic]:
    """Protected resources that would be deleted, or lose their parts to a destroy. A refresh deletes nothing."""
    if options.refresh_only:
        return
    yield from (problem for problem in problems if problem.code == "protected")
    if options.destroy:
        yield from protected_users(decisions)


def _unprotected(
    manifest: Manifest, datasets: Mapping[str, Dataset], problems: Iterable[Diagnostic]
) -> Iterator[Diagnostic]:
    """Problems of manifest, datasets and decisions, except that a protected resource would be deleted."""
    yield from manifest.problems
    for dataset in datasets.values():
        yield from dataset.problems
    yield from (problem for problem in problems if problem.code != "protected")


def _recovered(environment: Environment, loaded: Loaded, options: PlanOptions) -> tuple[State, tuple[Adopted, ...]]:
    """The state with the results of requests that an earlier run got no response to."""
    if environment.api is None or not (loaded.unanswered or options.adopt or any(undecided(loaded.state))):
        return loaded.state, ()
    from scenario_apply.apply.recovery import recover

    recovered = recover(
        environment.api, environment.clock, loaded.state, loaded.unanswered, loaded.baseline, options.adopt
    )
    return recovered.state, recovered.adopted


def _decided(environment: Environment, inputs: Inputs, *, consent: bool) -> tuple[Mapping[Address, Decision], Observed]:
    """The decisions, once the versions that would become current again or be deleted have been looked up."""
    decisions, observed = decide(inputs), inputs.observed
    if not observed.refreshed or environment.api is None:
        return decisions, observed
    captioned, unseen = perhaps_restored(inputs), _unseen(decisions, observed, consent)
    if not (captioned or unseen):
        return decisions, observed
    models = read_models(environment.api, unseen, images=False)
    models |= read_models(environment.api, captioned, images=True)
    asked = observed.asked.union(unseen, captioned)
    observed = with_fields(observed, models={**observed.models, **models}, asked=asked)
    observed = as_sent(observed, inputs.state)
    return decide(replace(inputs, observed=observed, decided={})), observed


def _samples(
    environment: Environment, api: ScenarioApi | None, inputs: Inputs, decisions: Mapping[Address, Decision]
) -> PlannedSamples:
    """The samples that the decisions lead to; nothing is looked up for a plan without any."""
    if not decisions or not has_samples(inputs):
        return PlannedSamples()
    from scenario_apply.apply.sample_quotes import planned_samples

    return planned_samples(environment, api, inputs, decisions)


def _steps(
    environment: Environment,
    decisions: Mapping[Address, Decision],
    state: State,
    observed: Observed,
    samples: Mapping[Address, SampleWork],
) -> tuple[list[PlannedStep], tuple[Diagnostic, ...]]:
    """The steps, and notes on images that are uploaded again because they were deleted on the service."""
    if environment.api is None or not observed.refreshed:
        return make_steps(decisions, state, observed, samples), ()
    from scenario_apply.apply.reused_assets import uploaded_again, with_reused_assets

    observed = with_reused_assets(environment.api, decisions, state, observed, samples)
    steps = make_steps(decisions, state, observed, samples)
    return steps, uploaded_again(steps, state, observed)


def _unpulled_notes(unpulled: tuple[Image, ...], manifest: Manifest) -> tuple[Diagnostic, ...]:
    """Notes of a plan on pictures that an apply pulls first."""
    if not unpulled:
        return ()
    from scenario_apply.apply.git_lfs.lfs_problems import pointers_planned

    return pointers_planned(unpulled, manifest)


def _unseen(decisions: Mapping[Address, Decision], observed: Observed, consent: bool) -> list[ModelId]:
    """Previous versions that would become current again or be deleted, and that the service was not asked about."""
    records = [d.record for d in decisions.values() if d.edit.revive is not None and d.record is not None]
    ids = [*(record.current.id for record in records), *to_be_deleted(decisions, consent=consent)]
    return [model_id for model_id in ids if model_id not in observed.asked]


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
        store=environment.state_url,
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
        datasets={name: dataset.source_digest for name, dataset in datasets.items()},
    )


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
        now, known = environment.clock.now(), as_planned(datasets, saved.steps)
        prepared = make_plan(environment, manifest, datasets, options, now)
        same = prepared if known is datasets else make_plan(environment, manifest, known, options, now)
        if problems := differences(saved, same.plan):
            raise PlanStale(problems[0].message, problems=problems)
    except PlanStale as stale:
        if not loaded.has_journal:
            raise
        raise PlanBegun(
            "a run that did not end properly left a journal: it did a part of this plan or of another one",
            hint="apply the manifest, which takes into account what that run did; or plan again and review the plan",
        ) from stale
    return prepared
