"""status: show what is trained, training and failed, as Scenario reports it. Writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenario_apply.cli import options
from scenario_apply.cli.parser import seconds
from scenario_apply.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.compared_sections import ComparedSamples
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.model.remote import ModelId
    from scenario_apply.review.html.history_section import ModelSamples
    from scenario_apply.review.status_text import ResourceStatus
    from scenario_apply.state.state import State

EXAMPLES = """
  scenario-apply status manifests/quickstart --local
  scenario-apply status manifests/quickstart --local --watch
  scenario-apply status manifests/quickstart --local --no-refresh --format json
  scenario-apply status manifests/quickstart --local --cost
  scenario-apply status manifests/quickstart --local --format html > status.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.manifest(parser)
    parser.add_argument("--watch", action="store_true", help="poll until no training is running")
    parser.add_argument(
        "--poll-interval",
        type=seconds,
        default=5.0,
        metavar="S",
        help="seconds between polls (default 5)",
    )
    parser.add_argument(
        "--cost",
        action="store_true",
        help="show what trainings were charged: per month, resource and run, beside usage and limits of the account",
    )
    parser.add_argument("--no-refresh", action="store_true", help="show what is recorded; needs no credentials")
    options.formats(parser, "text", "json", "html")
    options.detailed(parser, "3 trainings running, 8 some failed")
    options.service(parser)
    options.state(parser)


def run(call: Invocation) -> int:
    """One refresh, or with --watch as many as needed."""
    from scenario_apply.cli.manifest_if_readable import place_and_manifest
    from scenario_apply.cli.resource_status import marked_best, not_created, recorded_statuses, refreshed_statuses
    from scenario_apply.cli.watch import watch
    from scenario_apply.cli.wiring import open_world, require_service

    if call.arguments.cost and (call.arguments.watch or call.arguments.format == "html"):
        other = "--watch" if call.arguments.watch else "--format html"
        raise UsageError(f"--cost cannot be combined with {other}", hint="--cost has the formats text and json")
    place, manifest = place_and_manifest(call.settings, call.tell)
    offline = call.arguments.no_refresh
    if not offline:
        require_service(call.settings)
    with open_world(place, call.settings, offline=offline, read_only=True) as world:
        loaded = world.store.load()
        state = loaded.state
        if call.arguments.cost:
            return _show_cost(call, world, state)
        statuses: Sequence[ResourceStatus]
        if offline:
            statuses = recorded_statuses(state)
        elif call.arguments.watch:
            statuses = watch(call, world, lambda: refreshed_statuses(world, state))
        else:
            statuses = refreshed_statuses(world, state)
        samples, compared = None, None
        if call.arguments.format == "html":
            from scenario_apply.cli.compared_sections import compared_samples
            from scenario_apply.cli.report_samples import samples_of

            samples = None if offline else samples_of(world, state, call.settings)
            compared = compared_samples(state, place.root, call.settings, world=None if offline else world)
    if manifest is not None:
        unanswered = {lost.step.address for lost in loaded.unanswered if lost.step.kind == "create"}
        missing = not_created(manifest, state, unanswered)
        statuses = sorted((*marked_best(statuses, manifest), *missing), key=lambda resource: resource.address)
    _show(call, statuses, state, manifest, samples, compared)
    return _code(call, statuses)


def _show_cost(call: Invocation, world: Environment, state: State) -> int:
    """What is recorded, and what the account says: nothing is refreshed for it."""
    from scenario_apply.cli.wiring import nothing_recorded
    from scenario_apply.review.spending_text import spending_json, spending_text

    account = None if world.api is None else world.api.get_account()
    if call.arguments.format == "json":
        call.show(spending_json(state, account))
    else:
        call.show(spending_text(state, account, call.out_now))
    if not (state.records or state.trainings or state.samples):
        call.tell(nothing_recorded(call.settings))
    return 0


def _show(
    call: Invocation,
    statuses: Sequence[ResourceStatus],
    state: State,
    manifest: Manifest | None,
    samples: Mapping[ModelId, ModelSamples] | None,
    compared: ComparedSamples | None,
) -> None:
    from scenario_apply.cli.wiring import nothing_recorded
    from scenario_apply.review.status_text import long_queued, status_json, status_text

    if call.arguments.format == "json":
        call.show(status_json(statuses))
    elif compared is not None:
        from scenario_apply.cli.report_page import status_page

        call.show(status_page(call, statuses, state, manifest, samples, compared))
    else:
        call.show(status_text(statuses, call.out_now))
    call.warn(long_queued(statuses))
    if not statuses:
        call.tell(nothing_recorded(call.settings))


def _code(call: Invocation, statuses: Sequence[ResourceStatus]) -> int:
    from scenario_apply.errors import ExitCode

    if any(resource.is_running for resource in statuses):
        return call.code(ExitCode.RUNNING, ExitCode.OK)
    if any(resource.status in ("failed", "canceled", "deleted") for resource in statuses):
        return call.code(ExitCode.PARTIAL, ExitCode.OK)
    return ExitCode.OK
