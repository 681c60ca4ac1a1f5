"""Matches the before and after pictures of edit pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.pair_tables import TableRow
from scenario_apply.model.file_names import SIDECAR_SUFFIXES, NearestName, name_of, nfc, stem_of, suffix_of
from scenario_apply.model.lint_rules import Finding

BEFORE, AFTER = "before", "after"
_NUMBERED = re.compile(r"_\d{1,3}\Z")
SUFFIX_COUPLES = (
    ("_start", "_end"),
    ("_before", "_after"),
    ("_source", "_target"),
    ("_input", "_output"),
    ("_control", "_dataset"),
    ("_a", "_b"),
)


class Couple(NamedTuple):
    """Paths of the two pictures. instruction: from a table; None: not given there."""

    before: str
    after: str
    instruction: str | None = None


class Paired(Struct, frozen=True, kw_only=True):
    """images: both sides, paths before/... and after/...; texts: possible instruction files, by such paths."""

    images: tuple[FileEntry, ...]
    couples: tuple[Couple, ...]
    findings: tuple[Finding, ...] = ()
    texts: Mapping[str, FileEntry] | None = None


def pair_folders(selection: Selection) -> Paired:
    """Pairs of two folders, under before/ and after/, matched by stem; extensions may differ."""
    before = {stem_of(e.path).partition("/")[2]: e for e in selection.images if e.path.startswith("before/")}
    after = {stem_of(e.path).partition("/")[2]: e for e in selection.images if e.path.startswith("after/")}
    findings = _clashes(selection.images)
    findings += _numbered(before, after)
    couples = [Couple(entry.path, after[stem].path) for stem, entry in before.items() if stem in after]
    findings += _without_partner(before, after, "after")
    findings += _without_partner(after, before, "before")
    return Paired(images=selection.images, couples=tuple(couples), findings=tuple(findings), texts=selection.texts)


def _numbered(before: dict[str, FileEntry], after: Mapping[str, FileEntry]) -> list[Finding]:
    """Gives a control picture img_0, as musubi-tuner numbers them, the stem of its after picture img.

    Several of one picture are reported: they, and their after picture, are in no pair.
    """
    groups: dict[str, list[str]] = {}
    for stem in before:
        root = _NUMBERED.sub("", stem)
        if stem not in after and root in after and root not in before:
            groups.setdefault(root, []).append(stem)
    findings = []
    for root, stems in groups.items():
        entries = [before.pop(stem) for stem in stems]
        before[root] = entries[0]
        if len(entries) > 1:
            names = ", ".join(name_of(entry.path) for entry in entries[:4])
            what = (
                f"{name_of(after[root].path)} has several before pictures ({names}): Scenario takes one for each pair"
            )
            hint = "list those that are not meant under `exclude:`"
            findings.append(Finding("P01", what, after[root].file, hint=hint))
    return findings


def _clashes(images: Sequence[FileEntry]) -> list[Finding]:
    by_stem: dict[str, FileEntry] = {}
    findings = []
    for entry in images:
        if (twin := by_stem.setdefault(stem_of(entry.path), entry)) is not entry:
            what = f"{name_of(entry.path)} and {name_of(twin.path)} are the same side of one pair"
            findings.append(Finding("P01", what, entry.file, hint="rename one of them"))
    return findings


def _without_partner(side: Mapping[str, FileEntry], other: Mapping[str, FileEntry], other_side: str) -> list[Finding]:
    findings = []
    free = NearestName([stem for stem in other if stem not in side])
    for stem, entry in side.items():
        if stem not in other:
            near = free.of(stem)
            what = f"{name_of(entry.path)} has no {other_side} picture"
            hint = f"did you mean {name_of(other[near].path)}? rename one of them" if near else None
            findings.append(Finding("P01", what, entry.file, hint=hint or f"add {stem} to the {other_side} side"))
    return findings


def pair_suffixes(selection: Selection, suffixes: tuple[str, str] | None) -> Paired:
    """Pairs of one folder: ROOT_start.png, ROOT_end.png and ROOT.txt. suffixes None: the usual ones that fit best."""
    if suffixes is None and selection.images and not any(_fitting(selection, couple) for couple in SUFFIX_COUPLES):
        return Paired(images=selection.images, couples=(), findings=(_no_endings(selection),))
    couple = suffixes or max(SUFFIX_COUPLES, key=lambda c: _fitting(selection, c))
    sides: tuple[dict[str, FileEntry], dict[str, FileEntry]] = ({}, {})
    findings = []
    texts = {f"{AFTER}/{path}": entry for path, entry in selection.texts.items()}
    for entry in selection.images:
        stem = stem_of(entry.path)
        for ending, held, side in zip(couple, sides, (BEFORE, AFTER), strict=True):
            root = _root_of(stem, ending)
            if root is None:
                continue
            if root in held:
                twin = name_of(held[root].path)
                what = f"{twin} and {name_of(entry.path)} are both the {side} picture of {name_of(root)}"
                findings.append(Finding("P01", what, entry.file, hint="keep one of them"))
            else:
                held[root] = entry._replace(path=f"{side}/{entry.path}")
            break
        else:
            what = f"{name_of(entry.path)} ends in neither {couple[0]} nor {couple[1]}"
            if couple[0].casefold() in stem.casefold():
                what = f"{name_of(entry.path)} is a further before picture: Scenario takes one for each pair"
            findings.append(Finding("P01", what, entry.file, hint="rename it, or list it under `exclude:`"))
    of_pairs: dict[str, list[str]] = {}
    for text in selection.texts:
        if suffix_of(text) in SIDECAR_SUFFIXES:
            of_pairs.setdefault(stem_of(text), []).append(text)
    for root, entry in sides[1].items():
        for text in of_pairs.get(root, ()):
            texts.setdefault(stem_of(entry.path) + text[len(root) :], selection.texts[text])
            texts.pop(f"{AFTER}/{text}", None)
    findings += [*_without_partner(*sides, "after"), *_without_partner(sides[1], sides[0], "before")]
    couples = [Couple(entry.path, sides[1][root].path) for root, entry in sides[0].items() if root in sides[1]]
    images = (*sides[0].values(), *sides[1].values())
    return Paired(images=images, couples=tuple(couples), findings=tuple(findings), texts=texts)


def _no_endings(selection: Selection) -> Finding:
    known = ", ".join("/".join(couple) for couple in SUFFIX_COUPLES)
    what = f"no two pictures have names that end like those of a pair ({known})"
    hint = "name the two endings: `pairs: { folder: ..., suffixes: [_x, _y] }`, or two folders: `before:` and `after:`"
    return Finding("P01", what, selection.images[0].file, hint=hint)


def _root_of(stem: str, ending: str) -> str | None:
    """The stem without its ending, which may be in capitals; None when it has another one."""
    if stem[-len(ending) :].casefold() == ending.casefold():
        return stem[: -len(ending)]
    return None


def _fitting(selection: Selection, couple: tuple[str, str]) -> int:
    stems = [stem_of(entry.path) for entry in selection.images]
    before, after = ({_root_of(stem, ending) for stem in stems} - {None} for ending in couple)
    return len(before & after)


def pair_rows(rows: Sequence[TableRow], entries: Mapping[str, FileEntry], texts: Sequence[FileEntry] = ()) -> Paired:
    """Pairs from rows. entries: the existing pictures, by file relative to the root, in NFC.

    texts: caption files, of which those beside the pictures are the instructions of rows that have none.
    """
    findings = []
    named: dict[tuple[str, str], FileEntry] = {}
    complete = []
    nearest = NearestName(entries)
    for row in rows:
        lost = [name for name in (row.before, row.after) if nfc(name) not in entries]
        for name in lost:
            near = nearest.of(name)
            hint = f"did you mean {near}?" if near else "names are relative to the table's folder"
            findings.append(Finding("P01", f"{name} does not exist", row.file, row.line, hint))
        if not lost:
            complete.append(row)
    for side in (BEFORE, AFTER):
        files = {nfc(getattr(row, side)) for row in complete}
        names = _short_names(files)
        for file in files:
            named[side, file] = entries[file]._replace(path=f"{side}/{names[file]}")
    couples: dict[tuple[str, str], Couple] = {}
    for row in complete:
        couple = Couple(named[BEFORE, nfc(row.before)].path, named[AFTER, nfc(row.after)].path, row.instruction)
        twin = couples.setdefault(couple[:2], couple)
        if (twin.instruction or "").strip() != (row.instruction or "").strip():
            what = f"{row.before} and {row.after} are listed twice, with different instructions"
            findings.append(Finding("C17", what, row.file, row.line, "keep one of them"))
    wanting = {path for couple in couples.values() if not couple.instruction for path in couple[:2]}
    return Paired(
        images=tuple(sorted(named.values())),
        couples=tuple(couples.values()),
        findings=tuple(findings),
        texts=dict(_texts_beside([entry for entry in named.values() if entry.path in wanting], texts)),
    )


def _texts_beside(images: Sequence[FileEntry], texts: Sequence[FileEntry]) -> Iterator[tuple[str, FileEntry]]:
    """Caption files with the stem or the name of a picture in the same folder, by their path beside that picture."""
    by_stem: dict[str, list[FileEntry]] = {}
    for text in texts:
        if suffix_of(text.file) in SIDECAR_SUFFIXES:
            by_stem.setdefault(nfc(stem_of(text.file)), []).append(text)
    for image in images:
        for form, stem in ((stem_of(image.path), stem_of(nfc(image.file))), (image.path, nfc(image.file))):
            for text in by_stem.get(stem, ()):
                yield form + suffix_of(text.file), text


def _short_names(files: set[str]) -> dict[str, str]:
    """File names if they are all different; otherwise the paths."""
    bare = {name_of(file) for file in files}
    return {file: name_of(file) if len(bare) == len(files) else file for file in files}


def side_of(selection_images: Sequence[FileEntry], side: str, texts: Mapping[str, FileEntry] | None) -> Selection:
    """The pictures and texts of one side, to find its instructions."""
    images = tuple(entry for entry in selection_images if entry.path.startswith(side + "/"))
    held = {path: entry for path, entry in (texts or {}).items() if path.startswith(side + "/")}
    return Selection(images=images, texts=held)
