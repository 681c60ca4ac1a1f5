"""The files of a manifest -> one map, as if it had been written in one file."""

from __future__ import annotations

from collections.abc import Sequence

from scenario_apply.manifest.fields import is_extension
from scenario_apply.manifest.positions import Map, Seq, kind_of
from scenario_apply.manifest.report import Report

_PER_FILE = ("$schema", "include")  # each file has its own
_SECTIONS = frozenset(
    (
        *("version", "project", "state", "include", "variables", "defaults", "limits"),
        *("datasets", "models", "compositions", "moved", "import", "removed"),
    )
)


def merged(documents: Sequence[Map], report: Report) -> Map:
    """Maps of the top level are joined key by key, lists end to end; anything declared twice is an error.

    One file comes back as it is. version may be set in every file.
    """
    for document in documents:
        _refuse_own_file(document, report)
    if len(documents) == 1:
        return documents[0]
    whole = Map(documents[0].start)
    for document in documents:
        if not any(key in _SECTIONS for key in document):
            what = "this file has no key of a manifest"
            hint = "move it to another folder"
            report.error("not-a-manifest", what, document.start, hint)
            continue
        for key, value in document.items():
            if is_extension(key) or key in _PER_FILE:
                continue
            known = whole.get(key)
            if key not in whole or known is None:
                twin = value.copied() if isinstance(value, Map) else _copied(value) if isinstance(value, Seq) else value
                whole.put(key, twin, document.marks[key])
            elif value is None:
                continue
            elif isinstance(known, Map) and isinstance(value, Map):
                _join(key, known, value, report)
            elif isinstance(known, Seq) and isinstance(value, Seq):
                known.extend(value)
                known.marks.extend(value.marks)
            elif key == "version" and known == value:
                continue
            elif isinstance(known, Map | Seq) or isinstance(value, Map | Seq):
                place = report.place(whole.value_mark(key))
                what = f"{key} is {kind_of(value)} here and {kind_of(known)} at {place}"
                report.error("wrong-type", what, document.value_mark(key))
            else:
                _twice(key, key, whole, document, report)
    return whole


def _refuse_own_file(document: Map, report: Report) -> None:
    """Raises ManifestError for JSON of this tool, which would be a list of keys that no manifest has."""
    is_fleet = "projects" in document and not _SECTIONS & document.keys() - {"version", "limits", "defaults"}
    if not is_fleet and ("format_version" not in document or "version" in document):
        return
    what, hint = "a file of scenario-apply", "name the manifest itself"
    if is_fleet:
        what, hint = "a fleet file", "`scenario-apply fleet plan` reads it; here, name one of its manifests"
    elif "steps" in document:
        what, hint = "a saved plan", "`plan FILE` shows it, `apply FILE` carries it out; here, name its manifest"
    elif "lineage" in document:
        what, hint = "a state", "name the manifest it belongs to, or pass it as --state FILE"
    report.error("not-a-manifest", f"this is {what}, not a manifest", document.start, hint)
    report.raise_errors()


def _copied(items: Seq) -> Seq:
    twin = Seq(items.start)
    twin.extend(items)
    twin.marks.extend(items.marks)
    return twin


def _join(section: str, into: Map, more: Map, report: Report) -> None:
    for key, value in more.items():
        if key not in into:
            into.put(key, value, more.marks[key])
        elif not is_extension(key):
            _twice(f"{section}.{key}", key, into, more, report)


def _twice(name: str, key: str, first: Map, second: Map, report: Report) -> None:
    place = report.place(first.key_mark(key))
    report.error(
        "declared-twice",
        f"{name} is declared twice; the first is at {place}",
        second.key_mark(key),
        "keep one of them, or rename one",
    )
