"""samples show and samples prune: what is owed, drawn and missing; small copies that nothing names any more."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from scenario_apply.cli.sample_arguments import with_addresses, with_children
from scenario_apply.cli.sample_looking import LazyLooker
from scenario_apply.cli.wiring import open_world, place_of
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.errors import ScenarioApplyError, UsageError
from scenario_apply.review.screen import counted
from scenario_apply.state.stores.own_files import hint_of
from scenario_apply.state.stores.sample_store import SampleStore

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.prepare import Prepared
    from scenario_apply.cli.invocation import Invocation
    from scenario_apply.cli.plan_request import PlanRequest
    from scenario_apply.model.address import Address
    from scenario_apply.state.state import DrawnPicture, State

_TOLD = frozenset({"sample-base", "sample-reference"})
"""Codes of problems that are shown beside the table; that a model is not trained is in the table itself."""


def show(call: Invocation) -> int:
    """What is declared beside what is recorded. Writes no state."""
    from scenario_apply.cli.plan_request import read_request
    from scenario_apply.review.sample_rows import sample_rows
    from scenario_apply.review.sample_rows_text import sample_rows_json, sample_rows_text

    call, addresses = with_addresses(call)
    if call.arguments.download and call.arguments.no_refresh:
        raise UsageError("--download asks Scenario, and --no-refresh sends no requests", hint="leave one out")
    request = read_request(call.settings, check=False, depth=Depth.HEADERS)  # broken pictures hide no samples
    manifest = request.manifest
    with open_world(request.place, call.settings, offline=call.arguments.no_refresh, read_only=True) as world:
        prepared = _planned(call, request, world)
        declared = [*manifest.models, *manifest.compositions]
        known = sorted({*declared, *prepared.state.records})
        asked = with_children(addresses, known)
        if call.arguments.download:
            download(call, world, request.place.root, recorded_pictures(prepared.state, asked))
        files = _files(call, SampleStore(request.place.root))
    rows = sample_rows(manifest, prepared.state, prepared.plan.changes, files, asked)
    call.warn(problem for problem in prepared.plan.diagnostics if problem.code in _TOLD)
    call.show(sample_rows_json(rows) if call.arguments.format == "json" else sample_rows_text(rows, call.out_now))
    return 0


def prune(call: Invocation) -> int:
    """Delete small copies that no recorded sample names. The state is locked meanwhile, and not written."""
    place = place_of(call.settings)
    with (
        open_world(place, call.settings, offline=True, read_only=True) as world,
        world.store.locked("samples prune", call.settings.lock_timeout_s) as notes,
    ):
        for note in notes:
            call.tell(note)
        kept = {one.thumbnail for one in recorded_pictures(world.store.load().state)}
        unused = _unused(SampleStore(place.root), kept, delete=not call.arguments.dry_run)
    verb = "Would delete" if call.arguments.dry_run else "Deleted"
    size = sum(unused)
    call.show(f"{verb} {counted(len(unused), 'small copy', 'small copies')} ({size / 1000:,.0f} kB).\n")
    return 0


def _unused(store: SampleStore, kept: Collection[str | None], *, delete: bool) -> list[int]:
    """The sizes of small copies that are not kept; they are deleted if so said."""
    try:
        unused = {digest: size for digest, size in store.sizes().items() if digest not in kept}
        if delete:
            store.delete(unused)
    except OSError as error:
        what = f"{store.path} cannot be cleaned: {error.strerror or error}"
        raise ScenarioApplyError(what, code="unsafe-file", hint=hint_of(error)) from error
    return [*unused.values()]


def _planned(call: Invocation, request: PlanRequest, world: Environment) -> Prepared:
    """A plan that draws what is missing, and nothing else."""
    from scenario_apply.apply.prepare import make_plan
    from scenario_apply.cli.plan_request import plan_options

    options = replace(plan_options(call), draw=())
    return make_plan(world, request.manifest, request.datasets, options, world.clock.now())


def download(call: Invocation, world: Environment, root: str, pictures: Iterable[DrawnPicture]) -> None:
    """Gets small copies that .scenario/samples/ below root lacks; says which cannot be had."""
    if world.pictures is None:
        return
    looker = LazyLooker(root, world.pictures, call.settings.remote, lambda: None).open()
    failed = looker.restore(pictures)
    for asset_id, why in failed.items():
        call.tell(f"{asset_id} was not downloaded: {why.why}")


def recorded_pictures(state: State, asked: frozenset[Address] | None = None) -> Iterable[DrawnPicture]:
    """Of all recorded samples, earlier versions included."""
    for address, record in state.records.items():
        if asked is None or address in asked:
            for version in record.versions():
                for sample in version.samples:
                    yield from sample.pictures


def _files(call: Invocation, store: SampleStore) -> dict[str, str]:
    """Paths as a user would write them, by digest."""
    try:
        return {digest: os.path.relpath(store.path_of(digest), call.settings.cwd) for digest in store.sizes()}
    except OSError as error:
        call.tell(f"{store.path} cannot be read: {error.strerror or error}")
        return {}
