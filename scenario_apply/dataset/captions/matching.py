"""Matches captions with pictures: tables, maps, file names. Sidecar files are in sidecars.py."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from scenario_apply.dataset.captions.table_entries import CaptionRow
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.model.file_names import IMAGE_SUFFIXES, NearestName, name_of, nfc, stem_of, suffix_of
from scenario_apply.model.lint_rules import Finding

_COUNTER = re.compile(r"^\W*\d+[\W_]+(?=\D)")


class Raw(NamedTuple):
    """A caption as found. file and line: where it was found; None for one written in the manifest."""

    text: str
    file: str | None = None
    line: int | None = None


def orphan_findings(
    orphans: Iterable[FileEntry], images: Sequence[FileEntry], captioned: Iterable[str]
) -> list[Finding]:
    """C04 for caption files without an image; the hint names an image without a caption and with a similar name."""
    have = set(captioned)
    uncaptioned = {stem_of(name_of(i.path)): name_of(i.path) for i in images if i.path not in have}
    nearest = NearestName(uncaptioned)
    suffix = suffix_of(images[0].path) if images else ""
    findings = []
    for entry in sorted(orphans):
        name = name_of(entry.path)
        stem = stem_of(name)
        near = nearest.of(stem)
        if near:
            hint = f"rename it to {near}{name[len(stem) :]} if it belongs to {uncaptioned[near]}"
        else:
            hint = f"delete it, or restore {stem}{suffix}" if suffix else "delete it, or restore its image"
        findings.append(Finding("C04", f"{name} has no image", entry.file, hint=hint))
    return findings


class Match(NamedTuple):
    """images: those that a key may refer to. is_loose: they differ from it in case, or in the ending of a picture.

    is_excluded: the key names an image that was left out on purpose. is_elsewhere: it names a file outside the dataset.
    """

    images: list[FileEntry]
    is_loose: bool = False
    is_excluded: bool = False
    is_elsewhere: bool = False


class Lookup:
    """Finds images by file name, relative path or stem, in Unicode NFC. excluded: path -> file of those left out.

    identity: of any file, relative to the root; None where there is none.
    """

    def __init__(
        self,
        images: Sequence[FileEntry],
        excluded: Mapping[str, str] | None = None,
        identity: Callable[[str], int | None] = lambda _: None,
    ) -> None:
        self._by: dict[str, list[FileEntry]] = {}
        self._loosely: dict[str, list[FileEntry]] | None = None
        self._images = images
        self._identity = identity
        self._own = {image.identity for image in images}
        self._excluded = {nfc(key) for item in (excluded or {}).items() for key in item}
        self._nearest_path = NearestName(image.path for image in images)
        self._nearest_name = NearestName(self._by)
        for image in images:
            path, file = image.path, nfc(image.file)
            for key in {path, file, name_of(path), stem_of(path), stem_of(name_of(path))}:
                self._by.setdefault(key, []).append(image)

    @property
    def is_empty(self) -> bool:
        return not self._images

    def find(self, key: str, *, beside: str | None = None) -> Match:
        """The images that a key may refer to. beside: folder of the table, relative to the root; None: no table.

        A name is relative to the table first: one that exists there never means an image of another folder.
        """
        name = _normal(key)
        own = name if beside in (None, "", ".") else posixpath.normpath(f"{nfc(beside or '')}/{name}")
        candidates = dict.fromkeys((own, name, name_of(name)))  # the last: paths of the machine that wrote the table
        for candidate in candidates:
            if exact := [i for i in self._by.get(candidate, ()) if candidate in (nfc(i.file), i.path)]:
                return Match(exact[:1])
            if candidate in self._excluded and candidate in (own, name):
                return Match([], is_excluded=True)
            if (candidate == own or "/" in candidate) and self._is_elsewhere(candidate):
                return Match([], is_elsewhere=True)
            if found := self._by.get(candidate):
                return Match(_nearest_folder(found, name, beside))
        return Match(_nearest_folder(self._find_loosely(name), name, beside), is_loose=True)

    def _is_elsewhere(self, file: str) -> bool:
        """Whether it is a picture that is no image of the dataset, not even under another path."""
        if suffix_of(file) not in IMAGE_SUFFIXES or file.startswith(("/", "..")):
            return False
        identity = self._identity(file)
        return identity is not None and identity not in self._own

    def _find_loosely(self, name: str) -> list[FileEntry]:
        """The images whose path or name differs in case or in the ending of a picture only."""
        if self._loosely is None:
            self._loosely = {}
            for image in self._images:
                for key in {stem_of(image.path), stem_of(name_of(image.path)), stem_of(nfc(image.file))}:
                    self._loosely.setdefault(key.casefold(), []).append(image)
        for candidate in (name, name_of(name)):
            stem = stem_of(candidate) if suffix_of(candidate) in IMAGE_SUFFIXES else candidate
            if found := self._loosely.get(stem.casefold()):
                return found
        return []

    def nearest(self, key: str) -> str | None:
        name = name_of(_normal(key))
        return self._nearest_path.of(name) or self._nearest_name.of(name)


def _normal(key: str) -> str:
    return nfc(key.replace("\\", "/").strip()).removeprefix("./")


def _nearest_folder(found: list[FileEntry], name: str, beside: str | None) -> list[FileEntry]:
    """Of several images of one name, those beside the table, else those whose folders the key names, too."""
    if len(found) < 2:
        return found
    folders = [nfc(image.file).rpartition("/")[0] for image in found]
    if beside is not None and "/" not in name and (own := nfc(beside).removeprefix(".")) in folders:
        return [image for image, folder in zip(found, folders, strict=True) if folder == own]
    wanted = name.split("/")[-2::-1]
    shared = [_common(wanted, folder.split("/")[::-1]) for folder in folders]
    return [image for image, length in zip(found, shared, strict=True) if length == max(shared)]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts are equal from the start on."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def match_rows(
    rows: Sequence[CaptionRow], lookup: Lookup, *, file: str | None, beside: str = ""
) -> tuple[dict[str, Raw], list[Finding]]:
    """Image path -> caption. A key without an image is C04 (an error in the manifest); an ambiguous one is C05.

    A table of which no row fits is one error: to continue without any of its captions is never what was meant.
    """
    raws: dict[str, Raw] = {}
    findings: list[Finding] = []
    excluded = elsewhere = 0
    for key, text, line in rows:
        where = line if file is not None else None
        match = lookup.find(key, beside=beside if file is not None else None)
        found = match.images
        if match.is_excluded:
            excluded += 1
        elif match.is_elsewhere:
            elsewhere += 1
        elif not found:
            near = lookup.nearest(key)
            findings.append(
                Finding(
                    "C04",
                    f"no image matches the caption key {key!r}",
                    file,
                    where,
                    f"did you mean {near}?" if near else "delete the caption, or restore the image",
                    "error" if file is None else None,
                    None if file is not None else f"captions.{key}",
                )
            )
        elif len(found) > 1:
            names = ", ".join(image.path for image in found[:4])
            findings.append(Finding("C05", f"{key!r} is ambiguous: {names}", file, where, "write the whole file name"))
        elif found[0].path in raws:
            what = f"{found[0].path} has two captions; {key!r} is the second"
            findings.append(Finding("C17", what, file, where, "keep one of them"))
        else:
            raws[found[0].path] = Raw(text, file, where)
            if match.is_loose:
                what = f"the caption of {key!r} is used for {found[0].path}"
                findings.append(Finding("C22", what, file, where, "write the name as the file has it"))
    if (
        (findings or elsewhere)
        and file is not None
        and not (raws or excluded or lookup.is_empty)
        and {*map(_code, findings)} <= {"C04"}
    ):
        first = findings[0] if findings else Finding("C04", "", file, rows[0].line, "name a table of its images")
        said = f"none of its {len(rows)} captions names" if len(rows) > 1 else "its one caption does not name"
        what = f"{said} an image of this dataset; {'the first' if len(rows) > 1 else 'it'} is for {rows[0].key!r}"
        findings = [first._replace(what=what, severity="error")]
    return raws, findings


def _code(finding: Finding) -> str:
    return finding.code


def from_file_name(path: str) -> str:
    """The stem without its leading number, underscores as spaces: 01_red-cloak_forest.png -> "red-cloak forest"."""
    stem = stem_of(name_of(path))
    return " ".join(_COUNTER.sub("", stem).replace("_", " ").split())
