"""Edits of values in the files of a manifest, and whether the manifest with them says what is meant. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.scan.caption_writing import NotWritten, read_own_file
from scenario_apply.errors import Location, ManifestError
from scenario_apply.manifest.spec import Manifest, SamplesSpec
from scenario_apply.manifest.yaml.edits import YamlEdit, with_values
from scenario_apply.manifest.yaml.own_maps import CannotEdit, line_of_use

_NOWHERE = Location(file="")
_MARK = b"\xef\xbb\xbf"
Reload = Callable[[Mapping[str, bytes]], Manifest]
"""Loads the manifest with other contents of files, by their paths."""


class FileEdit(Struct, frozen=True, kw_only=True):
    """file: relative to the manifest's root. before: None: it is made."""

    file: str
    before: bytes | None
    after: bytes


def edited_files(
    manifest: Manifest,
    cwd: str,
    edits: Sequence[tuple[str, YamlEdit]],
    known: Mapping[str, FileEdit],
    reload: Reload,
    meant: Manifest,
) -> list[FileEdit]:
    """The files with these values. edits: each with its file, seen from cwd. known: earlier edits, by file.

    Raises CannotEdit unless the manifest, loaded with them, says exactly what is meant.
    """
    by_file: dict[str, list[YamlEdit]] = {}
    for file, edit in edits:
        by_file.setdefault(file, []).append(edit)
    found = [_edited(manifest, cwd, shown, of_file, known) for shown, of_file in by_file.items()]
    whole = {**known, **{edit.file: edit for edit in found}}
    try:
        made = reload({os.path.join(manifest.root, edit.file): edit.after for edit in whole.values()})
    except ManifestError as error:
        raise _refused("the manifest would not be valid with it", manifest, cwd, by_file) from error
    if _bare(made) != _bare(meant):
        raise _refused("other entries would change with it", manifest, cwd, by_file)
    return found


def _edited(
    manifest: Manifest, cwd: str, shown: str, edits: Sequence[YamlEdit], known: Mapping[str, FileEdit]
) -> FileEdit:
    if shown.endswith((".j2", "(rendered)")):
        raise CannotEdit("its file is a template")
    file = os.path.relpath(os.path.join(cwd, shown), manifest.root)
    try:
        before = _bytes(manifest, file)
        mark, text = decoded(known[file].after if file in known else before)
        return FileEdit(file=file, before=before, after=mark + with_values(text, edits).encode())
    except CannotEdit as error:
        if error.line is None:
            raise
        raise CannotEdit(str(error), error.line, shown) from error


def _refused(why: str, manifest: Manifest, cwd: str, by_file: Mapping[str, Sequence[YamlEdit]]) -> CannotEdit:
    """With the line of an alias that shares what would be edited."""
    for shown, edits in by_file.items():
        _, text = decoded(_bytes(manifest, os.path.relpath(os.path.join(cwd, shown), manifest.root)))
        for keys in dict.fromkeys(edit.keys[:-1] for edit in edits):
            if (line := line_of_use(text, keys)) is not None:
                return CannotEdit("another entry shares it by an alias", line, shown)
    return CannotEdit(why)


def _bytes(manifest: Manifest, file: str) -> bytes:
    """A file of the manifest as it was loaded. Raises CannotEdit when it cannot be read any more."""
    try:
        return read_own_file(manifest.root, file)
    except NotWritten as error:
        raise CannotEdit(f"{file}: {error}") from error


def decoded(data: bytes) -> tuple[bytes, str]:
    """The byte order mark and the text. Raises CannotEdit for another encoding."""
    mark = _MARK if data.startswith(_MARK) else b""
    try:
        return mark, data[len(mark) :].decode()
    except UnicodeDecodeError as error:
        raise CannotEdit("it is not UTF-8") from error


def _bare(manifest: Manifest) -> object:
    """Everything a manifest says, without where."""
    models = {
        address: replace(spec, place=_NOWHERE, places={}, inherited=frozenset(), samples=_placeless(spec.samples))
        for address, spec in manifest.models.items()
    }
    compositions = {
        address: replace(
            spec,
            place=_NOWHERE,
            places={},
            concepts=tuple(replace(c, place=_NOWHERE) for c in spec.concepts),
            samples=_placeless(spec.samples),
        )
        for address, spec in manifest.compositions.items()
    }
    datasets = {name: replace(spec, place=_NOWHERE) for name, spec in manifest.datasets.items()}
    others = (manifest.limits, manifest.project, manifest.state, manifest.variables)
    return models, compositions, datasets, others


def _placeless(samples: SamplesSpec) -> SamplesSpec:
    return replace(samples, samples=tuple(replace(sample, place=_NOWHERE) for sample in samples.samples))
