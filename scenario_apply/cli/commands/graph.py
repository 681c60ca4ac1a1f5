"""graph: what depends on what. Sends no requests; reads no picture unless a plan is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.settings import Settings
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.planning.changes import Change
    from scenario_apply.planning.resource_graph import ResourceGraph
    from scenario_apply.state.state import State

EXAMPLES = """
  scenario-apply graph manifests/quickstart
  scenario-apply graph manifests/examples/compositions.yaml --format mermaid
  scenario-apply graph manifests/examples/matrix.yaml --format dot
  scenario-apply graph manifests/quickstart --local --plan --select model.kael+
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser, plan_too=True)
    options.formats(parser, "text", "mermaid", "dot")
    parser.add_argument(
        "--plan",
        action="store_true",
        help="mark what `plan --no-refresh` would do; reads the datasets. A saved plan has its actions marked anyway",
    )
    options.reading(parser)
    options.selection(parser, training=False)
    options.state(parser)
    options.local(parser)


def run(call: Invocation) -> int:
    """Datasets, models and compositions as declared, and what is recorded beyond them."""
    from scenario_apply.review.graph_views import github_notice, graph_dot, graph_mermaid, graph_text

    _refuse_unused(call.arguments)
    graph = _graph(call)
    chosen = call.arguments.format
    if chosen == "text":
        call.show(graph_text(graph, call.out_now))
    elif chosen == "dot":
        call.show(graph_dot(graph))
    else:
        text = graph_mermaid(graph)
        call.show(text)
        notice = github_notice(text, len(graph.edges))
        if notice is not None:
            call.tell(notice)
    return 0


def _refuse_unused(asked: argparse.Namespace) -> None:
    """Raises UsageError for consent to read datasets where none is read."""
    from scenario_apply.errors import UsageError

    for name in ("allow_outside_root", "allow_remote"):
        if getattr(asked, name) and not asked.plan:
            raise UsageError(f"--{name.replace('_', '-')} has no effect without --plan: no dataset is read")


def _graph(call: Invocation) -> ResourceGraph:
    from scenario_apply.cli.saved_plans import read_saved_plan
    from scenario_apply.planning.desired import desire
    from scenario_apply.planning.resource_graph import resource_graph
    from scenario_apply.planning.selection import select

    asked, given = call.arguments, call.settings.manifest
    plain = None if given is None else read_saved_plan(given, call.settings.cwd)
    if plain is not None:
        manifest, state, changes = _saved(call, plain)
    elif asked.plan:
        manifest, state, changes = _planned(call)
    else:
        (manifest, state), changes = _recorded(call, call.settings), None
    selected = select(desire(manifest, {}), state, asked.select, asked.exclude)
    return resource_graph(manifest, state, selected, changes)


def _recorded(call: Invocation, settings: Settings) -> tuple[Manifest, State]:
    from scenario_apply.cli.settings import LOCAL
    from scenario_apply.cli.state_location import store_at
    from scenario_apply.cli.wiring import open_manifest, place_of_manifest, refuse_errors

    manifest = open_manifest(settings)
    place = place_of_manifest(manifest, settings)
    refuse_errors(place.notes, strict=False)
    call.warn((*manifest.problems, *place.notes))
    with store_at(place, endpoint=LOCAL if settings.local else None) as store:
        return manifest, store.read()


def _saved(call: Invocation, plain: Mapping[str, object]) -> tuple[Manifest, State, tuple[Change, ...]]:
    """The actions that a saved plan has, on the manifest that it was made of."""
    from scenario_apply.cli.saved_plans import saved_plan, settings_of_plan
    from scenario_apply.errors import UsageError

    if call.arguments.plan:
        raise UsageError("--plan cannot be combined with a saved plan: its own actions are marked")
    plan = saved_plan(plain, call.settings.manifest or "the plan")
    manifest, state = _recorded(call, settings_of_plan(plan, call.settings))
    if manifest.digest != plan.source.manifest_digest:
        call.tell(f"{manifest.path} has changed since the plan was made")
    return manifest, state, plan.changes


def _planned(call: Invocation) -> tuple[Manifest, State, tuple[Change, ...]]:
    """As `plan --no-refresh` makes it."""
    from msgspec.structs import replace

    from scenario_apply.apply.prepare import make_plan
    from scenario_apply.cli.plan_request import plan_options, read_request
    from scenario_apply.cli.wiring import open_world

    request = read_request(call.settings)
    wanted = replace(plan_options(call), refresh=False)
    with open_world(request.place, call.settings, offline=True, read_only=True) as world:
        prepared = make_plan(world, request.manifest, request.datasets, wanted, world.clock.now())
    call.warn((*prepared.plan.diagnostics, *prepared.plan.blocked))
    return request.manifest, prepared.state, prepared.plan.changes
