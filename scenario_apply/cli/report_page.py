"""The page of report, and what other pages share with it: everything that is known of a manifest, as sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.apply.prepare import make_plan
from scenario_apply.apply.sample_pictures import MOST_PICTURES
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.cli.compared_sections import ComparedSamples, compared_samples
from scenario_apply.cli.invocation import masked
from scenario_apply.cli.plan_html import album_of, facts_of, facts_of_changes, gone_pictures
from scenario_apply.cli.plan_request import plan_options
from scenario_apply.cli.plan_showing import view_of
from scenario_apply.cli.report_samples import pictures_in, samples_of
from scenario_apply.cli.resource_status import marked_best, not_created, recorded_statuses, refreshed_statuses
from scenario_apply.cli.wiring import all_problems, open_world
from scenario_apply.dataset.dataset_statistics import dataset_statistics
from scenario_apply.errors import ApiError, Diagnostic, ManifestError
from scenario_apply.model.address import Address
from scenario_apply.model.remote import ModelId
from scenario_apply.model.timestamps import iso
from scenario_apply.planning.best_versions import declared_bests
from scenario_apply.planning.desired import desire
from scenario_apply.planning.resource_graph import resource_graph
from scenario_apply.planning.selection import select
from scenario_apply.review.html.cost_section import cost_section
from scenario_apply.review.html.figures import digests_of
from scenario_apply.review.html.gallery import gallery_section, gallery_sheets
from scenario_apply.review.html.graph_section import graph_section
from scenario_apply.review.html.history_section import ModelSamples, history_section
from scenario_apply.review.html.page import Section, page_text
from scenario_apply.review.html.plan_page import PlanPage, cards_of, plan_sections, shown_digests
from scenario_apply.review.html.statistics_section import statistics_section
from scenario_apply.review.html.status_section import status_section
from scenario_apply.review.plan_view import PlanView, failed_plan_view
from scenario_apply.review.status_text import ResourceStatus
from scenario_apply.state.state import Record, State
from scenario_apply.state.url_texts import without_password
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.cli.settings import Settings
    from scenario_apply.manifest.spec import Manifest


class MadeReport(NamedTuple):
    """problems: what could not be asked or planned, to be shown beside the page."""

    text: str
    problems: tuple[Diagnostic, ...]


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a manifest. prepared None: there is no plan, because of problems. samples None: not asked for.

    missing: what the page lacks and why, in sentences. is_asked: whether Scenario answered. failures: why it did not.
    records: of the whole state, where that was narrowed to a selection. compared: the samples that were drawn.
    """

    state: State
    statuses: tuple[ResourceStatus, ...] = ()
    prepared: Prepared | None = None
    problems: tuple[Diagnostic, ...] = ()
    failures: tuple[Diagnostic, ...] = ()
    samples: Mapping[ModelId, ModelSamples] | None = None
    missing: tuple[str, ...] = ()
    is_asked: bool = False
    records: Mapping[Address, Record] | None = None
    compared: ComparedSamples = ComparedSamples()


def report_page(call: Invocation, request: PlanRequest) -> MadeReport:
    """Everything, from Scenario where it can be asked. Raises StateError and UsageError."""
    known = _known(call, request)
    selected = select(desire(request.manifest, {}), known.state, call.arguments.select, call.arguments.exclude)
    if selected is not None:
        known, request = _narrowed(known, selected), _datasets_of(request, selected)
    now = iso(SystemClock().now())
    if known.prepared is not None:
        view = view_of(known.prepared, call.settings, request, mode="plan")
    else:
        path, endpoint = request.manifest.path, call.settings.endpoint
        view = failed_plan_view(known.problems, manifest=path, endpoint=endpoint, created_at=now)
    sections = [
        status_section(known.statuses, is_recorded=not known.is_asked),
        *_pictured(view, request, call.settings, gallery=True, others=_other_pictures(known)),
        *_sections(known, request, selected),
    ]
    text = page_text(
        title_of("Report", request.manifest),
        [_about(known), *sections] if known.missing else sections,
        about=f"on {view.service}",
        made=f"Made {now} by scenario-apply {VERSION}.",
    )
    return MadeReport(masked(text, _secrets(call.settings, request)), known.failures)


def _other_pictures(known: Known) -> int:
    """Those that are no pictures of datasets."""
    return pictures_in(known.samples) + len(known.compared.album)


def sections_of_run(prepared: Prepared, request: PlanRequest, settings: Settings) -> Sequence[Section]:
    """What the page of a run shows below the run: its plan, its datasets and what was trained before."""
    view = view_of(prepared, settings, request, mode="plan")
    samples = compared_samples(prepared.state, request.place.root, settings, request=request, plan=prepared.plan)
    known = Known(state=prepared.state, prepared=prepared, compared=samples)
    planned = _pictured(view, request, settings, gallery=False)
    if view.status.is_applyable:  # "ready to apply" would be wrong soon
        planned = [section for section in planned if section.id != "summary"]
    return [*planned, *_sections(known, request)]


def sections_after_run(state: State, request: PlanRequest, settings: Settings) -> Sequence[Section]:
    """Those that a run changed, in place of the ones of the same ids: what was drawn and trained, and what it cost."""
    samples = compared_samples(state, request.place.root, settings, request=request).section()
    return [
        *([samples] if samples is not None else []),
        history_section(state, None, bests=declared_bests(request.manifest)),
        cost_section(state),
    ]


def title_of(what: str, manifest: Manifest) -> str:
    """'Report: scenario.yaml'; of the folder that the command runs in, its name."""
    return f"{what}: {manifest.name if manifest.path in ('.', './') else manifest.path}"


def status_page(
    call: Invocation,
    statuses: Sequence[ResourceStatus],
    state: State,
    manifest: Manifest | None,
    samples: Mapping[ModelId, ModelSamples] | None,
    compared: ComparedSamples,
) -> str:
    """The page of status: what is trained, its samples and history, what it cost and, with a manifest, the graph.

    samples: as in history_section.
    """
    drawn = compared.section()
    sections = [
        status_section(statuses, is_recorded=call.arguments.no_refresh),
        *([drawn] if drawn is not None else []),
        history_section(state, samples, bests={} if manifest is None else declared_bests(manifest)),
        cost_section(state),
    ]
    if manifest is not None:
        sections.append(graph_section(resource_graph(manifest, state)))
    title = (
        f"Status: {without_password(call.settings.state or '')}" if manifest is None else title_of("Status", manifest)
    )
    now = iso(SystemClock().now())
    page = page_text(title, sections, made=f"Made {now} by scenario-apply {VERSION}.")
    return masked(page, call.settings.secrets)


def _known(call: Invocation, request: PlanRequest) -> Known:
    """From Scenario where it can be asked, else from the files alone."""
    asked, settings = call.arguments, call.settings
    failures: tuple[Diagnostic, ...] = ()
    if asked.no_refresh:
        missing = "Scenario was not asked (--no-refresh)"
    elif not settings.local and settings.credentials is None:
        names = f"{' and '.join(settings.missing)} {'is' if len(settings.missing) == 1 else 'are'}"
        missing = f"Scenario was not asked: {names} not set"
    else:
        try:
            with open_world(request.place, settings, read_only=True) as world:
                return _asked(call, request, world)
        except ApiError as error:
            missing, failures = f"Scenario could not be asked: {error}", error.problems
    with open_world(request.place, settings, offline=True, read_only=True) as world:
        prepared, problems = _planned(call, request, world, refresh=False)
        state = world.store.load().state if prepared is None else prepared.state
    return Known(
        state=state,
        prepared=prepared,
        statuses=_statuses(request, state, recorded_statuses(state)),
        problems=problems,
        failures=failures,
        compared=_compared(call, request, state, prepared, None),
        missing=(f"{missing}. Prices, what was changed there, and sample images are missing.",),
    )


def _asked(call: Invocation, request: PlanRequest, world: Environment) -> Known:
    settings = call.settings
    prepared, problems = _planned(call, request, world, refresh=True)
    state = world.store.load().state if prepared is None else prepared.state
    return Known(
        state=state,
        prepared=prepared,
        statuses=_statuses(request, state, refreshed_statuses(world, state)),
        problems=problems,
        samples=None if call.arguments.no_samples else samples_of(world, state, settings, request),
        compared=_compared(call, request, state, prepared, world),
        is_asked=True,
    )


def _compared(
    call: Invocation, request: PlanRequest, state: State, prepared: Prepared | None, world: Environment | None
) -> ComparedSamples:
    """The samples that were drawn, with what the plan draws next."""
    if call.arguments.no_samples:
        return ComparedSamples()
    plan = None if prepared is None else prepared.plan
    shown = sum(dataset.image_count for dataset in request.datasets.values())
    shown += 0 if world is None else MOST_PICTURES
    root = request.place.root
    return compared_samples(state, root, call.settings, request=request, plan=plan, world=world, others=shown)


def _planned(
    call: Invocation, request: PlanRequest, world: Environment, *, refresh: bool
) -> tuple[Prepared | None, tuple[Diagnostic, ...]]:
    """The plan; None and why there is none."""
    problems = all_problems(request.manifest, request.datasets)
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    options = replace(plan_options(call), refresh=refresh)
    try:
        return make_plan(world, request.manifest, request.datasets, options, world.clock.now()), ()
    except ManifestError as error:
        return None, (*problems, *error.problems)


def _statuses(request: PlanRequest, state: State, statuses: Sequence[ResourceStatus]) -> tuple[ResourceStatus, ...]:
    """With those of resources that do not exist yet."""
    missing = not_created(request.manifest, state)
    return tuple(sorted((*marked_best(statuses, request.manifest), *missing), key=lambda resource: resource.address))


def _pictured(
    view: PlanView, request: PlanRequest, settings: Settings, *, gallery: bool, others: int = 0
) -> list[Section]:
    """The sections of the plan and, with gallery, one with every picture that they do not show.

    others: how many other pictures the page has.
    """
    cards = cards_of(view, facts_of_changes(view, request, settings))
    shown = shown_digests(cards)
    gone = gone_pictures(cards, request)
    if not gallery:
        album = album_of(shown, request, settings, old=gone)
        return plan_sections(PlanPage(plan=view, cards=cards, album=album))
    facts = {name: facts_of(name, request, settings) for name in request.datasets}
    sheets = gallery_sheets(request.datasets, facts, frozenset(shown))
    album = album_of([*shown, *digests_of(one.sheet for one in sheets)], request, settings, old=gone, others=others)
    sections = plan_sections(PlanPage(plan=view, cards=cards, album=album))
    return [*sections, gallery_section(sheets, album)]


def _narrowed(known: Known, selected: frozenset[Address]) -> Known:
    """What is known of these resources."""
    records = {address: record for address, record in known.state.records.items() if address in selected}
    statuses = tuple(status for status in known.statuses if status.address in selected)
    narrowed = with_fields(known.state, records=records)
    return replace(known, state=narrowed, statuses=statuses, records=known.state.records)


def _datasets_of(request: PlanRequest, selected: frozenset[Address]) -> PlanRequest:
    """With the datasets of these resources only."""
    names = {model.dataset for address, model in request.manifest.models.items() if address in selected}
    return replace(request, datasets={name: found for name, found in request.datasets.items() if name in names})


def _sections(known: Known, request: PlanRequest, selected: frozenset[Address] | None = None) -> Iterator[Section]:
    """What is said of datasets, trainings, money and dependencies. selected: as in resource_graph."""
    plan = None if known.prepared is None else known.prepared.plan
    samples = known.compared.section(None if selected is None else known.state.records)
    if samples is not None:
        yield samples
    yield statistics_section({name: dataset_statistics(d.contents) for name, d in request.datasets.items()})
    yield history_section(known.state, known.samples, known.records, declared_bests(request.manifest))
    yield cost_section(known.state, plan)
    changes = None if plan is None else plan.changes
    yield graph_section(resource_graph(request.manifest, known.state, selected, changes))


def _about(known: Known) -> Section:
    return Section("missing", "What this page lacks", "missing.html.jinja", known.missing)


def _secrets(settings: Settings, request: PlanRequest) -> tuple[str, ...]:
    return (*settings.secrets, *(secret.reveal() for secret in request.place.secrets))
