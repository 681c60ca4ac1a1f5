"""fleet.yaml and the files on disk -> the projects of a fleet: each (endpoint, project) with its manifests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from scenario_apply.errors import Diagnostic, Location, ManifestError
from scenario_apply.fleet.fleet_file import CredentialNames, Entry, FleetLimits, fleet_schema, read_fleet_file
from scenario_apply.fleet.manifest_globs import ManifestGlobs
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.manifest.yaml.source_bytes import LARGEST_FILE_BYTES
from scenario_apply.model.did_you_mean import did_you_mean

DEFAULT_NAMES = ("fleet.yaml", "fleet.yml")


class FleetManifest(Struct, frozen=True, kw_only=True):
    """path: relative to the fleet's folder, with slashes. state: where its state is, None: beside it."""

    path: str
    state: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


class FleetProject(Struct, frozen=True, kw_only=True):
    """All manifests of one endpoint and project. None: the usual service; the project that the key implies."""

    name: str
    project: str | None
    endpoint: str | None
    credentials: CredentialNames
    manifests: tuple[FleetManifest, ...]
    rate_limit: int | None = None


class Fleet(Struct, frozen=True, kw_only=True):
    """path: of the file, as the user would type it. root: its folder, absolute."""

    path: str
    root: str
    projects: tuple[FleetProject, ...]
    limits: FleetLimits


def load_fleet(path: str | None, cwd: str) -> Fleet:
    """The fleet at path; fleet.yaml in cwd when path is None. Raises ManifestError with every problem."""
    shown = _shown(path, cwd)
    whole = os.path.abspath(os.path.join(cwd, shown))
    file = read_fleet_file(shown, _content(shown, whole), fleet_schema())
    globs = ManifestGlobs(os.path.dirname(whole), os.path.basename(whole))
    problems = globs.problems
    grouped: dict[tuple[str | None, str | None, CredentialNames | None], list[tuple[Entry, tuple[str, ...]]]] = {}
    for entry in file.entries:
        names = entry.credentials or CredentialNames()
        key = (entry.endpoint, entry.project, None if entry.project is not None else names)
        grouped.setdefault(key, []).append((entry, globs.of(entry)))
    projects = [_project(group, problems) for group in grouped.values()]
    _refuse_same_names(projects, file.entries, problems)
    _refuse_same_states(projects, file.entries, problems)
    if problems:
        raise ManifestError(problems[0].message, code=problems[0].code, problems=problems)
    return Fleet(path=shown, root=os.path.dirname(whole), projects=tuple(projects), limits=file.limits)


def _shown(path: str | None, cwd: str) -> str:
    if path is not None:
        if os.path.isdir(os.path.join(cwd, path)):
            return os.path.join(path, DEFAULT_NAMES[0])
        return path
    for name in DEFAULT_NAMES:
        if os.path.exists(os.path.join(cwd, name)):
            return name
    raise ManifestError(
        "no fleet.yaml in this directory",
        location=Location(file="."),
        hint="name a fleet file, or write one; `scenario-apply schema fleet` prints its schema",
        code="no-fleet",
    )


def _content(shown: str, whole: str) -> bytes:
    place = Location(file=shown)
    try:
        real = os.path.realpath(whole)
        if os.path.islink(whole) and DataGuard(os.path.dirname(whole)).barrier(real) is not None:
            what = f"{shown} is a link that leads outside of its folder"
            raise ManifestError(what, location=place, hint=f"name {real} itself if that is meant", code="outside-root")
        if not os.path.isfile(whole):
            folder, name = os.path.split(whole)
            near = os.listdir(folder) if os.path.isdir(folder) else []
            raise ManifestError(
                f"{shown} does not exist" if not os.path.exists(whole) else f"{shown} is not a regular file",
                location=place,
                hint=did_you_mean(name, [n for n in near if n.endswith((".yaml", ".yml"))]) or "check the path",
                code="no-fleet",
            )
        with open(whole, "rb") as file:
            return file.read(LARGEST_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not a path"
        raise ManifestError(f"{shown} cannot be read: {why}", location=place, code="unreadable") from error


def _project(group: list[tuple[Entry, tuple[str, ...]]], problems: list[Diagnostic]) -> FleetProject:
    """One project of the entries that mean it. What they say of it must be the same."""
    first = group[0][0]
    credentials = first.credentials or CredentialNames()
    for entry, _ in group[1:]:
        same = (entry.credentials or CredentialNames()) == credentials and entry.rate_limit == first.rate_limit
        if not same or entry.name not in (None, first.name):
            line = "" if first.place.line is None else f" (line {first.place.line})"
            what = f"project {first.project} is described twice, and not alike{line}"
            hint = "give both entries the same name, credentials and rate_limit: one task takes care of a project"
            problems.append(Diagnostic(code="project-conflict", message=what, location=entry.place, hint=hint))
    manifests = [
        FleetManifest(path=path, state=_state_of(entry, path), variables=entry.variables)
        for entry, paths in group
        for path in paths
    ]
    return FleetProject(
        name=first.name or first.project or _host(first.endpoint) or "default",
        project=first.project,
        endpoint=first.endpoint,
        credentials=credentials,
        manifests=tuple(sorted(manifests, key=lambda manifest: manifest.path)),
        rate_limit=first.rate_limit,
    )


def _host(endpoint: str | None) -> str | None:
    return None if endpoint is None else endpoint.partition("://")[2].partition("/")[0]


def _state_of(entry: Entry, path: str) -> str | None:
    """The entry's state for one manifest, placeholders filled in."""
    if entry.state is None:
        return None
    stem = without_ending(path)
    filled = entry.state.replace("{path}", stem).replace("{name}", stem.rpartition("/")[2])
    return filled.replace("{project}", entry.project or "default")


def without_ending(path: str) -> str:
    """The path of a manifest without .yaml and the like."""
    for ending in (".j2", ".yaml", ".yml"):
        path = path.removesuffix(ending)
    return path


def _refuse_same_names(
    projects: Iterable[FleetProject], entries: tuple[Entry, ...], problems: list[Diagnostic]
) -> None:
    seen: set[str] = set()
    for project in projects:
        if project.name in seen:
            where = [entry.place for entry in entries if (entry.name or entry.project) in (project.name, None)]
            what = f"two projects of the fleet are called {project.name!r}"
            hint = "give each entry a `name:` or a `project:` of its own"
            problems.append(Diagnostic(code="same-name", message=what, location=where[-1], hint=hint))
        seen.add(project.name)


def _refuse_same_states(
    projects: Iterable[FleetProject], entries: tuple[Entry, ...], problems: list[Diagnostic]
) -> None:
    """Two manifests of one state would delete what the other declares."""
    seen: dict[str, str] = {}
    for project in projects:
        for manifest in project.manifests:
            other = seen.setdefault(manifest.state, manifest.path) if manifest.state is not None else manifest.path
            if other != manifest.path:
                place = next((entry.places["state"] for entry in entries if "state" in entry.places), None)
                what = f"{other} and {manifest.path} have the same state, {manifest.state}"
                hint = "put {path} into `state:`, so that each manifest has a state of its own"
                problems.append(Diagnostic(code="state-shared", message=what, location=place, hint=hint))
                return
