"""fleet.yaml: its text -> FleetFile. Checked against schema/fleet.schema.json; every problem names its place.

A fleet file may come from an untrusted author, as a manifest may: it names variables that hold credentials, and is
refused when it holds something else in their place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from scenario_apply.errors import Location
from scenario_apply.manifest.fields import child, number, text, texts, whole
from scenario_apply.manifest.positions import Map, Mark, Seq
from scenario_apply.manifest.report import Report
from scenario_apply.manifest.schema.explain import Explanation
from scenario_apply.manifest.secret_detection import is_secret_value
from scenario_apply.manifest.yaml.reader import read_yaml
from scenario_apply.model.ids import ID_IN_WORDS, is_id
from scenario_apply.model.remote_urls import has_credentials

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
"""Names of variables as people write them: in capitals, which no key of the service and few passwords are."""
_NAME = re.compile(r"[\w][\w .@:/+-]{0,99}")


class CredentialNames(Struct, frozen=True, kw_only=True):
    """The names of the variables that hold key and secret."""

    key: str = "SCENARIO_SDK_API_KEY"
    secret: str = "SCENARIO_SDK_API_SECRET"  # noqa: S105 -- the name of a variable


class FleetLimits(Struct, frozen=True, kw_only=True):
    """Of the whole fleet: None where not set. cost in CU; concurrent: trainings that run at once."""

    cost: float | None = None
    concurrent: int | None = None
    deletes: int | None = None
    retrains: int | None = None


class Glob(Struct, frozen=True, kw_only=True):
    """A glob of manifests and where it is written."""

    text: str
    place: Location


class Entry(Struct, frozen=True, kw_only=True):
    """Manifests of one project, as written. None: left out, also in the defaults."""

    globs: tuple[Glob, ...]
    exclude: tuple[str, ...] = ()
    name: str | None = None
    project: str | None = None
    credentials: CredentialNames | None = None
    endpoint: str | None = None
    state: str | None = None
    rate_limit: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    place: Location
    places: Mapping[str, Location] = field(default_factory=dict)


class FleetFile(Struct, frozen=True, kw_only=True):
    """What fleet.yaml says, with its defaults in each entry. path: as the user would type it."""

    path: str
    entries: tuple[Entry, ...]
    limits: FleetLimits


def read_fleet_file(path: str, content: bytes, schema: bytes) -> FleetFile:
    """The file's content. Raises ManifestError with every problem."""
    report = Report()
    document = read_yaml(path, content, report, what="fleet file")
    report.raise_errors()
    assert document is not None
    _refuse_secrets(document, report)
    _check_shape(document, schema, report)
    report.raise_errors()
    entries = tuple(_entries(document, report))
    if not entries:
        report.error("missing-key", "the fleet has no projects", document.start, "add `projects:` with their manifests")
    report.raise_errors()
    return FleetFile(path=path, entries=entries, limits=_limits(document))


@lru_cache(maxsize=1)
def fleet_schema() -> bytes:
    """The schema as shipped: the file that editors read from schema/."""
    from importlib.resources import files

    return files("scenario_apply").joinpath("fleet", "fleet.schema.json").read_bytes()


def _check_shape(document: Map, schema: bytes, report: Report) -> None:
    import jsonschema_rs

    parsed = json.loads(schema)
    validator = jsonschema_rs.Draft202012Validator(parsed)
    if validator.is_valid(document):
        return
    Explanation(parsed, report, whole="the fleet file").explain(document)
    if not report.has_errors:
        for error in validator.iter_errors(document):
            where = ".".join(str(part) for part in error.instance_path)
            report.error("schema", f"{where or 'the fleet file'}: {error.message}", document.start)


def _limits(document: Map) -> FleetLimits:
    block = child(document, "limits")
    if block is None:
        return FleetLimits()
    return FleetLimits(
        cost=number(block, "cost"),
        concurrent=whole(block, "concurrent"),
        deletes=whole(block, "deletes"),
        retrains=whole(block, "retrains"),
    )


# -- entries


def _entries(document: Map, report: Report) -> Iterator[Entry]:
    """Of `projects:` and of `manifests:`, each with the defaults under it."""
    defaults = child(document, "defaults") or Map(document.start)
    base = _entry(defaults, document.start, report)
    for name, fields, mark in _written(document):
        entry = _entry(fields, mark, report)
        if name is not None and entry.project is None:
            entry = replace(entry, project=_project(name, mark, report))
        elif name is not None and entry.name is None:
            entry = replace(entry, name=name)
        yield _with_defaults(entry, base)
    given = document.get("manifests")
    if given is not None:
        globs = tuple(_globs(document, "manifests", report))
        if globs:
            whole_file = Entry(globs=globs, place=report.place(document.key_mark("manifests")))
            yield _with_defaults(whole_file, base)


def _written(document: Map) -> Iterator[tuple[str | None, Map, Mark]]:
    """The entries, each with its key in a map."""
    projects = document.get("projects")
    if isinstance(projects, Map):
        for key, value in projects.items():
            if isinstance(value, Map) and not key.startswith("x-"):
                yield key, value, projects.key_mark(key)
    for found in (projects, document.get("manifests")):
        if isinstance(found, Seq):
            for value, mark in zip(found, found.marks, strict=True):
                if isinstance(value, Map):
                    yield None, value, mark


def _with_defaults(entry: Entry, base: Entry) -> Entry:
    """What the entry leaves out, as the defaults say."""
    missing = {
        key: getattr(base, key)
        for key in ("project", "credentials", "endpoint", "state", "rate_limit")
        if getattr(entry, key) is None
    }
    places = {**base.places, **entry.places}
    return replace(entry, **missing, variables={**base.variables, **entry.variables}, places=places)


def _entry(fields: Map, mark: Mark, report: Report) -> Entry:
    project, name, names = text(fields, "project"), text(fields, "name"), child(fields, "credentials")
    if project is not None:
        project = _project(project, fields.value_mark("project"), report)
    if name is not None and not _NAME.fullmatch(name):
        report.error("wrong-value", "name holds signs that cannot be shown", fields.value_mark("name"))
    for key in ("endpoint", "state"):
        _check_url(fields, key, report)
    known = [key for key in fields if key in ("project", "credentials", "endpoint", "state", "rate_limit")]
    return Entry(
        globs=tuple(_globs(fields, "manifests", report)),
        exclude=texts(fields, "exclude"),
        name=name,
        project=project,
        credentials=None if names is None else _credentials(names),
        endpoint=None if (endpoint := text(fields, "endpoint")) is None else endpoint.rstrip("/"),
        state=text(fields, "state"),
        rate_limit=whole(fields, "rate_limit"),
        variables={key: _written_as(value) for key, value in (child(fields, "variables") or {}).items()},
        place=report.place(mark),
        places={key: report.place(fields.value_mark(key)) for key in known},
    )


def _credentials(fields: Map) -> CredentialNames:
    return CredentialNames(key=text(fields, "key") or "", secret=text(fields, "secret") or "")


def _project(value: str, mark: Mark, report: Report) -> str:
    if not is_id(value):
        hint = f"an id is {ID_IN_WORDS}" if "{{" not in value else "a fleet file has no templates: write the id"
        report.error("id", f"project {value[:140]!r} is not a valid id", mark, hint)
    return value


def _written_as(value: object) -> str:
    """A value as --var takes it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _globs(fields: Map, key: str, report: Report) -> Iterator[Glob]:
    value = fields.get(key)
    if isinstance(value, str):
        yield Glob(text=value, place=report.place(fields.value_mark(key)))
    elif isinstance(value, Seq):
        for item, mark in zip(value, value.marks, strict=True):
            if isinstance(item, str):
                yield Glob(text=item, place=report.place(mark))


# -- secrets


def _refuse_secrets(document: Map, report: Report) -> None:
    """An error, and no quote, for whatever stands where the name of a variable belongs, or looks like a secret."""
    for key, fields in _all_maps(document):
        for name, value in fields.items():
            if not isinstance(value, str):
                continue
            mark = fields.value_mark(name)
            if key == "credentials" and not _VARIABLE.fullmatch(value):
                report.hide(value)
                hint = "write the name of the variable that holds it, in capitals, e.g. TEAM_A_KEY"
                report.error("not-a-variable", f"{name} is no name of an environment variable", mark, hint)
            elif is_secret_value(value):
                report.hide(value)
                hint = "keep it in an environment variable, and name the variable under `credentials:`"
                report.error("secret-in-file", f"{name} looks like a secret", mark, hint)


def _all_maps(node: object, key: str = "") -> Iterator[tuple[str, Map]]:
    if isinstance(node, Map):
        yield key, node
        for name, value in node.items():
            yield from _all_maps(value, name)
    elif isinstance(node, Seq):
        for value in node:
            yield from _all_maps(value, key)


def _check_url(fields: Map, key: str, report: Report) -> None:
    """No password in a URL: the file is for everybody to read."""
    value = text(fields, key)
    if value is not None and "://" in value and has_credentials(value):
        report.hide(value)
        hint = "give it in the environment of those who run the fleet"
        report.error("secret-in-file", f"{key} holds a password or a query", fields.value_mark(key), hint)
