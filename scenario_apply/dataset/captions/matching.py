"""Matches captions with pictures: sidecar files, tables, maps, file names. Captions are composed in compose.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from scenario_apply.dataset.captions.table_entries import CaptionRow
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.model.file_names import SIDECAR_SUFFIXES, NearestName, is_prose, name_of, nfc, stem_of, suffix_of
from scenario_apply.model.lint_rules import Finding

_COUNTER = re.compile(r"^\W*\d+[\W_]+(?=\D)")


class Raw(NamedTuple):
    """A caption as found. file and line: where it was found; None for one written in the manifest."""

    text: str
    file: str | None = None
    line: int | None = None


class Sidecars(NamedTuple):
    """of: image path -> its caption file. orphans: caption files without an image."""

    of: Mapping[str, FileEntry]
    orphans: tuple[FileEntry, ...]
    findings: tuple[Finding, ...]


def find_sidecars(
    images: Sequence[FileEntry], texts: Mapping[str, FileEntry], suffix: str | None, excluded: Iterable[str] = ()
) -> Sidecars:
    """Caption files beside their images: 01.txt, 01.caption or 01.png.txt for 01.png.

    suffix: the only ending to accept; None: the usual ones. excluded: images left out on purpose.
    """
    suffixes = (suffix,) if suffix else SIDECAR_SUFFIXES
    of: dict[str, FileEntry] = {}
    findings: list[Finding] = []
    by_text: dict[str, list[FileEntry]] = {}
    for image in images:
        stem = stem_of(image.path)
        found = [texts[name] for end in suffixes if (name := image.path + end) in texts]
        if not found:
            found = [texts[name] for end in suffixes if (name := stem + end) in texts]
        if len(found) > 1:
            names = " and ".join(name_of(entry.path) for entry in found)
            findings.append(
                Finding("C17", f"{name_of(image.path)} has two captions: {names}", image.file, hint="keep one of them")
            )
        if found:
            of[image.path] = found[0]
            by_text.setdefault(found[0].path, []).append(image)
    for path, owners in by_text.items():
        if len(owners) > 1:
            names = " and ".join(name_of(owner.path) for owner in owners)
            hint = f"name the captions {', '.join(name_of(owner.path) + '.txt' for owner in owners[:3])}"
            findings.append(Finding("C05", f"{names} share the caption {name_of(path)}", texts[path].file, hint=hint))
    left = texts.keys() - {entry.path for entry in of.values()}
    left = {path for path in left if path.endswith(suffixes) and not is_prose(name_of(path))}
    if left:
        for path in (*(image.path for image in images), *excluded):
            left.difference_update([path + end for end in suffixes], [stem_of(path) + end for end in suffixes])
    orphans = tuple([texts[path] for path in sorted(left)])
    return Sidecars(of, orphans, tuple(findings))


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


class Lookup:
    """Finds images by file name, relative path or stem, in Unicode NFC."""

    def __init__(self, images: Sequence[FileEntry]) -> None:
        self._by: dict[str, list[FileEntry]] = {}
        self._nearest_path = NearestName(image.path for image in images)
        self._nearest_name = NearestName(self._by)
        for image in images:
            path, file = image.path, nfc(image.file)
            for key in {path, file, name_of(path), stem_of(path), stem_of(name_of(path))}:
                self._by.setdefault(key, []).append(image)

    def find(self, key: str, *, beside: str = "") -> list[FileEntry]:
        """The images that a key may refer to. beside: folder of the table, relative to the root."""
        name = nfc(key.replace("\\", "/").strip()).removeprefix("./")
        candidates = [name, f"{beside}/{name}" if beside not in ("", ".") else name]
        if "/" in name:
            candidates.append(name_of(name))  # paths on the machine where the table was written
        for candidate in candidates:
            if found := self._by.get(candidate):
                exact = [image for image in found if candidate in (image.path, nfc(image.file))]
                return exact[:1] if exact else found
        return []

    def nearest(self, key: str) -> str | None:
        name = name_of(nfc(key.replace("\\", "/")))
        return self._nearest_path.of(name) or self._nearest_name.of(name)


def match_rows(
    rows: Iterable[CaptionRow], lookup: Lookup, *, file: str | None, beside: str = ""
) -> tuple[dict[str, Raw], list[Finding]]:
    """Image path -> caption. A key without an image is C04 (an error in the manifest); an ambiguous one is C05."""
    raws: dict[str, Raw] = {}
    findings: list[Finding] = []
    for key, text, line in rows:
        where = line if file is not None else None
        found = lookup.find(key, beside=beside)
        if not found:
            near = lookup.nearest(key)
            findings.append(
                Finding(
                    "C04",
                    f"no image matches the caption key {key!r}",
                    file,
                    where,
                    f"did you mean {near}?" if near else "delete the caption, or restore the image",
                    "error" if file is None else None,
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
    return raws, findings


def from_file_name(path: str) -> str:
    """The stem without its leading number, underscores as spaces: 01_red-cloak_forest.png -> "red-cloak forest"."""
    stem = stem_of(name_of(path))
    return " ".join(_COUNTER.sub("", stem).replace("_", " ").split())
