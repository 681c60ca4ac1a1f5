"""Settings -> manifest, datasets, service, state: the only place that builds them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenario_apply.cli.locate import (
    cache_path,
    emulator_path,
    refuse_root_outside,
    refuse_twin,
    state_path,
    state_within,
)
from scenario_apply.cli.named_files import untrusted_top
from scenario_apply.cli.settings import LOCAL, Settings
from scenario_apply.cli.state_links import follow_state_link
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.errors import Diagnostic, ManifestError, ScenarioApplyError, UsageError
from scenario_apply.model.limits import REQUESTS_PER_MINUTE
from scenario_apply.model.secret import Secret
from scenario_apply.version import VERSION

if TYPE_CHECKING:
    from scenario_apply.apply.environment import Environment
    from scenario_apply.dataset.scan.read_on_workers import PictureWorkers
    from scenario_apply.dataset.types import Dataset
    from scenario_apply.manifest.spec import Manifest
    from scenario_apply.state.stores.state_store import StateStore


SEED_FILE = "emulator-seed.json"
"""Beside the manifest: what the embedded Scenario of --local holds at its first start."""


class NoCredentials(ScenarioApplyError):
    """Neither credentials nor --local."""

    code = "no-credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLocation:
    """Where a state lies and what it belongs to. root: the folder .scenario/ is in.

    is_bare: no manifest was read, so that only the state itself knows its project. secrets: those of the manifest.
    within: the folder below which no link is followed on the way to the state; None: the state's own folder.
    notes: warnings about a state that lies elsewhere, or is another manifest's, too.
    """

    state: str
    root: str
    project: str | None
    is_bare: bool = False
    secrets: tuple[Secret, ...] = ()
    within: str | None = None
    notes: tuple[Diagnostic, ...] = ()


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
    from scenario_apply.dataset.scan.scan_all import scan_datasets
    from scenario_apply.state.stores.own_files import UnsafeFile

    types: dict[str, list[str]] = {}
    for model in manifest.models.values():
        types.setdefault(model.dataset, []).append(model.type)
    try:
        with reading_view(settings) as show:
            return scan_datasets(
                manifest.datasets if only is None else {only: manifest.datasets[only]},
                root=manifest.root,
                cache_path=cache_path(manifest),
                types_of={name: tuple(dict.fromkeys(found)) for name, found in types.items()},
                cwd=settings.cwd,
                depth=depth,
                allow_outside=settings.allow_outside_root,
                show=show,
                remote=settings.remote,
                workers=workers,
            )
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
        path = os.path.abspath(os.path.join(settings.cwd, settings.state))
        real, within = follow_state_link(path, untrusted_top(path, settings.cwd), settings.cwd)
        root = os.path.dirname(os.path.dirname(path))
        return StateLocation(state=real, root=root, project=None, is_bare=True, within=within)
    try:
        return place_of_manifest(open_manifest(settings), settings)
    except ManifestError as error:
        raise state_alone(error) from error


def state_alone(error: ManifestError) -> ManifestError:
    """The same error, which also says that a state can be read without its manifest."""
    way = "--state FILE, without MANIFEST, reads the state without the manifest"
    note = Diagnostic(code="state-alone", severity="info", message="only the state is needed here", hint=way)
    return ManifestError(error.message, problems=(*error.problems, note))


def place_of_manifest(manifest: Manifest, settings: Settings, *, endpoint: str | None = None) -> StateLocation:
    """Where the state of a loaded manifest is. endpoint: of a run; states of another one are not meant by it."""
    from scenario_apply.cli.other_states import recorded_elsewhere, refuse_shared_state

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


def _secrets_of(manifest: Manifest) -> tuple[Secret, ...]:
    found = {v for model in manifest.models.values() for v in model.parameters.values() if isinstance(v, Secret)}
    return tuple(found)


def recorded_store(settings: Settings) -> StateStore:
    """The store of commands that never ask the service: of whatever endpoint, unless --local says which."""
    return store_at(place_of(settings), endpoint=LOCAL if settings.local else None)


def nothing_recorded(settings: Settings) -> str:
    """The sentence for a state that records nothing; where the state is not there, what else may be meant."""
    import dataclasses

    from scenario_apply.cli.other_states import recorded_elsewhere

    nothing = "nothing is recorded yet"
    if settings.state is None:
        return nothing  # said by the plan
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


def store_at(place: StateLocation, *, endpoint: str | None) -> StateStore:
    """The state's store. endpoint None: whatever the state belongs to."""
    from scenario_apply.apply.system_clock import SystemClock
    from scenario_apply.state.stores.file_store import FileStore

    return FileStore(
        place.state,
        endpoint=endpoint,
        project=place.project,
        tool_version=VERSION,
        clock=SystemClock(),
        within=place.within,
    )


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
    from scenario_apply.apply.environment import Environment
    from scenario_apply.apply.system_clock import SystemClock

    clock = SystemClock()
    store = store_at(place, endpoint=settings.endpoint)
    project = store.read().project if place.is_bare else place.project
    if offline:
        yield Environment(
            api=None,
            store=store,
            clock=clock,
            endpoint=settings.endpoint,
            project=project,
            rate_limit=settings.rate_limit,
            counter=None,
            tool_version=VERSION,
        )
        return
    with _service(place.root, settings) as (base_url, key, secret):
        from scenario_apply.api import connect
        from scenario_apply.api.picture_requests import PictureRequests

        api, budget = connect(
            base_url=base_url,
            api_key=key,
            api_secret=secret,
            project_id=project,
            rate_limit_per_minute=settings.rate_limit,
            clock=clock,
            read_only=read_only,
            cancel=cancel,
            allow_http=settings.allow_http,
            secrets=place.secrets,
        )
        yield Environment(
            api=api,
            store=store,
            clock=clock,
            endpoint=settings.endpoint,
            project=project,
            rate_limit=settings.rate_limit,
            counter=budget,
            tool_version=VERSION,
            pictures=PictureRequests(api, base_url),
        )


@contextmanager
def _service(root: str, settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Base URL, key and secret of the service that was chosen."""
    if settings.local:
        from scenario_apply.cli.local_service import local_service

        options = _local_times(settings)
        # without a limit here there is none there; any other stays the service's own
        limit = 0 if settings.rate_limit == 0 else max(REQUESTS_PER_MINUTE, settings.rate_limit)
        options += ["--rate-limit", str(limit)]
        seed = os.path.join(settings.cwd, settings.local_seed or os.path.join(root, SEED_FILE))
        if settings.local_seed is None and os.path.islink(seed):
            why = f"{seed} is a link; links are not followed here"
            raise ScenarioApplyError(why, code="unsafe-file", hint=f"delete the link {seed}")
        if settings.local_seed is not None or _is_seed(root, seed):
            options += ["--seed", seed]
        with local_service(emulator_path(root), options, settings.environment, within=root) as base_url:
            yield base_url, LOCAL, LOCAL
        return
    key, secret = require_credentials(settings)
    yield settings.base_url, key, secret


def _local_times(settings: Settings) -> list[str]:
    """Options of the embedded Scenario. Raises UsageError, which names the variable."""
    options = []
    for name, option, text in (
        ("SCENARIO_APPLY_LOCAL_TRAINING_SECONDS", "--training-seconds", settings.local_training_s),
        ("SCENARIO_APPLY_LOCAL_QUEUE_SECONDS", "--queue-seconds", settings.local_queue_s),
    ):
        if text is not None:
            try:
                is_good = 0 <= float(text) < float("inf")
            except ValueError:
                is_good = False
            if not is_good:
                raise UsageError(f"{name} is {text!r}, which is no number of seconds", hint=f"as in {name}=5")
            options += [option, text]
    if settings.local_queue_s is not None and float(settings.local_queue_s) > float(settings.local_training_s):
        raise UsageError(
            f"SCENARIO_APPLY_LOCAL_QUEUE_SECONDS is {settings.local_queue_s}, more than a training takes "
            f"({settings.local_training_s} s)",
            hint="the time in the queue is a part of SCENARIO_APPLY_LOCAL_TRAINING_SECONDS: set both",
        )
    return options


def _is_seed(root: str, path: str) -> bool:
    """Whether a seed lies beside the manifest. Raises ManifestError for a link to what must not be read."""
    from scenario_apply.dataset.scan.barriers import refusal_finding
    from scenario_apply.errors import Location as FilePlace
    from scenario_apply.manifest.loader.data_guard import DataGuard

    if not os.path.isfile(path):
        return False
    barrier = DataGuard(root).barrier(os.path.realpath(path))
    if barrier is None:
        return True
    found = refusal_finding(barrier, SEED_FILE, link_to=os.path.realpath(path))
    hint = "put the file itself there, or name it with SCENARIO_APPLY_LOCAL_SEED"
    raise ManifestError(found.what, location=FilePlace(file=path), hint=hint, code=found.code)


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
