"""Settings -> manifest, datasets, service, state: the only place that builds them."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from scenario_apply.cli.locate import (
    cache_path,
    emulator_path,
    named_state_path,
    refuse_root_outside,
    refuse_twin,
    state_path,
    state_within,
    usual_root,
)
from scenario_apply.cli.named_files import untrusted_top
from scenario_apply.cli.settings import LOCAL, Settings
from scenario_apply.cli.state_links import follow_state_link
from scenario_apply.cli.state_location import StateLocation, store_at
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.errors import Diagnostic, ManifestError, ScenarioApplyError
from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.secret import Secret
from scenario_apply.state.url_texts import is_state_url
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.api.client import Client
    from scenario_apply.api.picture_requests import PictureRequests
    from scenario_apply.api.rate.budget import RequestBudget
    from scenario_apply.apply.environment import Environment
    from scenario_apply.dataset.scan.read_on_workers import PictureWorkers
    from scenario_apply.dataset.types import Dataset
    from scenario_apply.manifest.spec import DatasetSpec, Manifest
    from scenario_apply.state.state import State
    from scenario_apply.state.state_url import StateUrl
    from scenario_apply.state.stores.state_store import StateStore


class NoCredentials(ScenarioApplyError):
    """Neither credentials nor --local."""

    code = "no-credentials"


def open_manifest(settings: Settings, edited: Mapping[str, bytes] | None = None) -> Manifest:
    """The manifest that was asked for. Raises ManifestError with every problem.

    edited: by absolute path, what files would hold that are about to be written.
    """
    from scenario_apply.manifest.loader.load import load_manifest

    refuse_root_outside(settings.manifest, settings.cwd)
    try:
        return load_manifest(
            settings.manifest,
            variables=settings.variables,
            var_files=settings.var_files,
            env=settings.environment,
            cwd=settings.cwd,
            allow_env=settings.allowed_env,
            edited=edited or {},
        )
    except ManifestError as error:
        from scenario_apply.cli.suggestions import with_nearby

        raise with_nearby(error, settings.manifest, settings.cwd) from error


def open_datasets(
    manifest: Manifest,
    settings: Settings,
    *,
    depth: Depth = Depth.HEADERS,
    only: str | None = None,
    workers: PictureWorkers | None = None,
) -> Mapping[str, Dataset]:
    """The manifest's datasets, scanned, or one of them. depth: whether pixels are decoded. Problems stay in them.

    workers: read pictures elsewhere.
    """
    from scenario_apply.cli.progress.reading_view import reading_view
    from scenario_apply.dataset.scan.reference_pictures import with_references
    from scenario_apply.dataset.scan.scan_all import scan_datasets
    from scenario_apply.state.stores.own_files import UnsafeFile

    types: dict[str, list[str]] = {}
    for model in manifest.models.values():
        types.setdefault(model.dataset, []).append(model.type)

    def scan(specs: Mapping[str, DatasetSpec], cache: str | None) -> Mapping[str, Dataset]:
        with reading_view(settings) as show:
            return scan_datasets(
                specs,
                root=manifest.root,
                cache_path=cache,
                types_of={name: tuple(dict.fromkeys(found)) for name, found in types.items()},
                cwd=settings.cwd,
                depth=depth,
                allow_outside=settings.allow_outside_root,
                show=show,
                remote=settings.remote,
                workers=workers,
            )

    try:
        specs = manifest.datasets if only is None else {only: manifest.datasets[only]}
        return with_references(scan(specs, cache_path(manifest)), manifest.models, lambda found: scan(found, None))
    except UnsafeFile as error:
        what = f"the fingerprint cache cannot be used: {error.strerror}"
        raise ScenarioApplyError(what, code="unsafe-file", hint=error.hint) from error


def all_problems(manifest: Manifest, datasets: Mapping[str, Dataset]) -> tuple[Diagnostic, ...]:
    """Of the manifest and of every dataset."""
    return (*manifest.problems, *(problem for dataset in datasets.values() for problem in dataset.problems))


def refuse_errors(problems: Iterable[Diagnostic], *, strict: bool) -> None:
    """Raises ManifestError with all problems when one of them is an error, or a warning where strict."""
    found = tuple(problems)
    stops = ("error", "warning") if strict else ("error",)
    if any(problem.severity in stops for problem in found):
        raise ManifestError("the manifest or its datasets have errors", problems=found)


def place_of(settings: Settings) -> StateLocation:
    """Where the state is, by --state alone where that is given, else by the manifest."""
    if settings.state is not None and settings.manifest is None:
        return place_named(settings.state, settings)
    try:
        return place_of_manifest(open_manifest(settings), settings)
    except ManifestError as error:
        raise state_alone(error) from error


def place_named(text: str, settings: Settings, manifest_name: str | None = None) -> StateLocation:
    """The place of a state that the command line names, whatever manifest it belongs to: a path or a URL."""
    if is_state_url(text):
        from scenario_apply.cli.state_addresses import url_of_option

        url = url_of_option(text, settings, manifest_name)
        root, allow_http = usual_root(settings.cwd), settings.allow_http
        return StateLocation(state=url.shown, root=root, project=None, is_bare=True, url=url, allow_http=allow_http)
    path = named_state_path(text, settings.cwd)
    real, within = follow_state_link(path, untrusted_top(path, settings.cwd), settings.cwd)
    root = os.path.dirname(os.path.dirname(path))
    return StateLocation(state=real, root=root, project=None, is_bare=True, within=within)


def state_alone(error: ManifestError) -> ManifestError:
    """The same error, which also says that a state can be read without its manifest."""
    way = "--state FILE, without MANIFEST, reads the state without the manifest"
    note = Diagnostic(code="state-alone", severity="info", message="only the state is needed here", hint=way)
    return ManifestError(error.message, problems=(*error.problems, note))


def place_of_manifest(manifest: Manifest, settings: Settings, *, endpoint: str | None = None) -> StateLocation:
    """Where the state of a loaded manifest is. endpoint: of a run; states of another one are not meant by it."""
    from scenario_apply.cli.other_states import recorded_elsewhere, refuse_shared_state

    url = _url_of(manifest, settings)
    if url is not None:
        return _place_at(url, manifest, settings, endpoint)
    path = state_path(manifest, settings.state, settings.cwd)
    notes: list[Diagnostic | None] = []
    if settings.state is None and manifest.state is None:
        refuse_twin(manifest, path)
        notes.append(refuse_shared_state(manifest, path, settings.cwd))
    notes.append(recorded_elsewhere(manifest, path, endpoint))
    within = state_within(manifest, settings.state, path, settings.cwd)
    path, within = follow_state_link(path, within, settings.cwd, manifest.root)
    secrets = _secrets_of(manifest)
    return StateLocation(
        state=path,
        root=manifest.root,
        project=manifest.project,
        secrets=secrets,
        within=within,
        notes=tuple(note for note in notes if note is not None),
    )


def _url_of(manifest: Manifest, settings: Settings) -> StateUrl | None:
    named = settings.state if settings.state is not None else manifest.state
    if named is None or not is_state_url(named):
        return None
    from scenario_apply.cli.state_addresses import url_of_manifest, url_of_option

    if settings.state is not None:
        return url_of_option(settings.state, settings, manifest.name)
    return url_of_manifest(manifest, settings)


def _place_at(url: StateUrl, manifest: Manifest, settings: Settings, endpoint: str | None) -> StateLocation:
    """The place of a state in a store. It is only read here when a file of this manifest's models lies beside it."""
    from scenario_apply.cli.other_states import recorded_in_file

    place = StateLocation(
        state=url.shown,
        root=manifest.root,
        project=manifest.project,
        secrets=_secrets_of(manifest),
        url=url,
        allow_http=settings.allow_http,
    )
    note = recorded_in_file(manifest, url, endpoint)
    if note is None:
        return place
    with store_at(place, endpoint=None) as store:
        is_empty = store.read().lineage is None
    return replace(place, notes=(note,)) if is_empty else place


def _secrets_of(manifest: Manifest) -> tuple[Secret, ...]:
    found = {v for model in manifest.models.values() for v in model.parameters.values() if isinstance(v, Secret)}
    return tuple(found)


def recorded_store(settings: Settings) -> AbstractContextManager[StateStore]:
    """The store of commands that never ask the service: of whatever endpoint, unless --local says which."""
    return store_at(place_of(settings), endpoint=LOCAL if settings.local else None)


def recorded_state(settings: Settings) -> State:
    """The state in it."""
    with recorded_store(settings) as store:
        return store.read()


def nothing_recorded(settings: Settings) -> str:
    """The sentence for a state that records nothing; where the state is not there, what else may be meant."""
    from scenario_apply.cli.other_states import recorded_elsewhere

    nothing = "nothing is recorded yet"
    if settings.state is None:
        return nothing  # said by the plan
    if is_state_url(settings.state):
        return f"{nothing} in {place_of(settings).state}"
    path = os.path.abspath(os.path.join(settings.cwd, settings.state))
    if os.path.lexists(path):
        return nothing
    nothing = f"there is no state {path}: {nothing}"
    try:
        manifest = open_manifest(dataclasses.replace(settings, state=None))
    except ScenarioApplyError:
        return nothing  # the state alone was asked for
    found = recorded_elsewhere(manifest, path, None)
    return nothing if found is None else f"{found.message} ({found.hint})"


class Service(NamedTuple):
    """The service that was chosen, for one project. budget: of all that use it."""

    api: Client
    budget: RequestBudget
    pictures: PictureRequests


@contextmanager
def open_world(
    place: StateLocation,
    settings: Settings,
    *,
    offline: bool = False,
    read_only: bool,
    cancel: threading.Event | None = None,
) -> Iterator[Environment]:
    """Service, state and clock. offline: no service at all. read_only: a client that refuses to write."""
    with store_at(place, endpoint=settings.endpoint) as store:
        project = store.read().project if place.is_bare else place.project
        if offline:
            yield environment_of(settings, store, project, None, place.root)
            return
        opened = open_service(
            place.root, settings, project=project, read_only=read_only, cancel=cancel, secrets=place.secrets
        )
        with opened as service:
            yield environment_of(settings, store, project, service, place.root)


def environment_of(
    settings: Settings, store: StateStore, project: str | None, service: Service | None, root: str
) -> Environment:
    """What a run works with. service None: offline. root: the folder .scenario/ is in."""
    from scenario_apply.apply.environment import Environment
    from scenario_apply.cli.sample_looking import LazyLooker
    from scenario_apply.state.stores.base_notes import BaseNotes

    return Environment(
        api=None if service is None else service.api,
        store=store,
        clock=store.clock,
        endpoint=settings.endpoint,
        project=project,
        rate_limit=settings.rate_limit,
        counter=None if service is None else service.budget,
        tool_version=VERSION,
        pictures=None if service is None else service.pictures,
        base_notes=BaseNotes(root, settings.endpoint),
        state_url=store.shown if is_state_url(store.shown) else None,
        thumbnails=None
        if service is None
        else LazyLooker(root, service.pictures, settings.remote, service.budget.stop_if_cancelled).look,
    )


@contextmanager
def open_service(
    root: str,
    settings: Settings,
    *,
    project: str | None,
    read_only: bool,
    cancel: threading.Event | None = None,
    secrets: tuple[Secret, ...] = (),
) -> Iterator[Service]:
    """The service for one project: one client and one request budget. root: the folder .scenario/ is in.

    secrets: what the bodies of requests may carry.
    """
    from scenario_apply.apply.system_clock import SystemClock

    with _service(root, settings) as (base_url, key, secret):
        from scenario_apply.api import connect
        from scenario_apply.api.picture_requests import PictureRequests

        api, budget = connect(
            base_url=base_url,
            api_key=key,
            api_secret=secret,
            project_id=project,
            rate_limit_per_minute=settings.rate_limit,
            clock=SystemClock(),
            read_only=read_only,
            cancel=cancel,
            allow_http=settings.allow_http,
            secrets=secrets,
        )
        yield Service(api, budget, PictureRequests(api, base_url))


@contextmanager
def _service(root: str, settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Base URL, key and secret of the service that was chosen."""
    if settings.local:
        from scenario_apply.cli.local_seed import seed_option
        from scenario_apply.cli.local_service import local_service, local_times

        options = local_times(settings)
        # without a limit here there is none there; any other stays the service's own
        limit = 0 if settings.rate_limit == 0 else max(REQUESTS_PER_MINUTE, settings.rate_limit)
        options += ["--rate-limit", str(limit)]
        options += seed_option(settings, root)
        with local_service(emulator_path(root), options, settings.environment, within=root) as base_url:
            yield base_url, LOCAL, LOCAL
        return
    key, secret = require_credentials(settings)
    yield settings.base_url, key, secret


def require_service(settings: Settings) -> None:
    """Fail early when no service was chosen: before datasets are read. Raises NoCredentials."""
    if not settings.local:
        require_credentials(settings)


def require_credentials(settings: Settings) -> tuple[str, str]:
    """Key and secret. Raises NoCredentials, which names what is missing."""
    if settings.credentials is None:
        missing = " and ".join(settings.missing) + (" is" if len(settings.missing) == 1 else " are")
        raise NoCredentials(
            f"no credentials for {settings.base_url}: {missing} not set",
            hint="set SCENARIO_SDK_API_KEY and SCENARIO_SDK_API_SECRET, or add --local to use the embedded Scenario",
        )
    return settings.credentials.key, settings.credentials.secret
