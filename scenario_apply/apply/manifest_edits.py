"""Edits of values in the files of a manifest, and whether the manifest with them says what is meant. Writes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.scan.caption_writing import NotWritten, read_own_file
from scenario_apply.errors import Location
from scenario_apply.manifest.spec import Manifest, SamplesSpec
from scenario_apply.manifest.yaml.edits import CannotEdit, YamlEdit, with_values

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
    manifest: Manifest, cwd: str, edits: Sequence[tuple[str, YamlEdit]], known: Mapping[str, FileEdit]
) -> list[FileEdit]:
    """The files with these values. edits: each with its file, seen from cwd. known: earlier edits, by file.

    Raises CannotEdit for the first that cannot be set alone.
    """
    by_file: dict[str, list[YamlEdit]] = {}
    for file, edit in edits:
        by_file.setdefault(file, []).append(edit)
    found = []
    for shown, of_file in by_file.items():
        if shown.endswith((".j2", "(rendered)")):
            raise CannotEdit("its file is a template")
        file = os.path.relpath(os.path.join(cwd, shown), manifest.root)
        before = _bytes(manifest, file)
        mark, text = decoded(known[file].after if file in known else before)
        found.append(FileEdit(file=file, before=before, after=mark + with_values(text, of_file).encode()))
    return found


def check_meaning(manifest: Manifest, edits: Iterable[FileEdit], reload: Reload, meant: Manifest) -> None:
    """Raises CannotEdit unless the manifest, loaded with the edits, says exactly what is meant; ManifestError."""
    made = reload({os.path.join(manifest.root, edit.file): edit.after for edit in edits})
    if _bare(made) != _bare(meant):
        raise CannotEdit("other entries would change with it")


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
