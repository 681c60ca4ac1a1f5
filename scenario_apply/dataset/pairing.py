"""Matches the before and after pictures of edit pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scenario_apply.dataset.captions.table_entries import Row, doubled_finding, first_of, is_empty
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.model.file_names import NearestName, name_of, nfc, stem_of
from scenario_apply.model.lint_rules import Finding

BEFORE, AFTER = "before", "after"
SUFFIX_COUPLES = (
    ("_start", "_end"),
    ("_before", "_after"),
    ("_source", "_target"),
    ("_input", "_output"),
    ("_control", "_dataset"),
    ("_a", "_b"),
)
_BEFORE_COLUMNS = ("before", "source", "input", "input_file_name", "input_image", "cond_image", "image", "source_image")
_AFTER_COLUMNS = ("after", "target", "output", "output_file_name", "edited_image", "target_image")
_INSTRUCTION_COLUMNS = ("instruction", "edit_prompt", "prompt", "text", "caption")


class Couple(NamedTuple):
    """Paths of the two pictures. instruction: from a table; None: not given there."""

    before: str
    after: str
    instruction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """images: both sides, paths before/... and after/...; texts: possible instruction files, by such paths."""

    images: tuple[FileEntry, ...]
    couples: tuple[Couple, ...]
    findings: tuple[Finding, ...] = ()
    texts: Mapping[str, FileEntry] | None = None


class TableRow(NamedTuple):
    """One pair of a table or of the manifest. before, after: relative to the root. file: the table's."""

    before: str
    after: str
    instruction: str | None
    file: str | None
    line: int | None


def pair_folders(selection: Selection) -> Paired:
    """Pairs of two folders, under before/ and after/, matched by stem; extensions may differ."""
    before = {stem_of(e.path).partition("/")[2]: e for e in selection.images if e.path.startswith("before/")}
    after = {stem_of(e.path).partition("/")[2]: e for e in selection.images if e.path.startswith("after/")}
    couples = [Couple(entry.path, after[stem].path) for stem, entry in before.items() if stem in after]
    findings = _clashes(selection.images)
    findings += _without_partner(before, after, "after")
    findings += _without_partner(after, before, "before")
    return Paired(images=selection.images, couples=tuple(couples), findings=tuple(findings), texts=selection.texts)


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
    couple = suffixes or max(SUFFIX_COUPLES, key=lambda c: _fitting(selection, c))
    sides: tuple[dict[str, FileEntry], dict[str, FileEntry]] = ({}, {})
    findings = []
    texts = {f"{AFTER}/{path}": entry for path, entry in selection.texts.items()}
    for entry in selection.images:
        stem = stem_of(entry.path)
        for ending, held, side in zip(couple, sides, (BEFORE, AFTER), strict=True):
            if stem.endswith(ending):
                root = stem.removesuffix(ending)
                held[root] = entry._replace(path=f"{side}/{entry.path}")
                break
        else:
            what = f"{name_of(entry.path)} ends in neither {couple[0]} nor {couple[1]}"
            if couple[0] in stem:
                what = f"{name_of(entry.path)}: a pair has exactly one before picture"
            findings.append(Finding("P01", what, entry.file, hint="rename it, or list it under `exclude:`"))
    for root, entry in sides[1].items():
        for text in (f"{root}.txt", f"{root}.caption"):
            if text in selection.texts:
                own = stem_of(entry.path) + text[len(root) :]
                texts.setdefault(own, selection.texts[text])
                texts.pop(f"{AFTER}/{text}", None)
    findings += [*_without_partner(*sides, "after"), *_without_partner(sides[1], sides[0], "before")]
    couples = [Couple(entry.path, sides[1][root].path) for root, entry in sides[0].items() if root in sides[1]]
    images = (*sides[0].values(), *sides[1].values())
    return Paired(images=images, couples=tuple(couples), findings=tuple(findings), texts=texts)


def _fitting(selection: Selection, couple: tuple[str, str]) -> int:
    stems = {stem_of(entry.path) for entry in selection.images}
    return sum(stem.removesuffix(couple[0]) + couple[1] in stems for stem in stems if stem.endswith(couple[0]))


def table_rows(
    rows: Sequence[Row], *, file: str | None, beside: str, header: int | None = None
) -> tuple[list[TableRow], list[Finding]]:
    """The pairs of a table or a list. beside: the table's folder; names are relative to that. header: its line."""
    found: list[TableRow] = []
    findings: list[Finding] = []
    for row in rows:
        if is_empty(row.fields) and file is not None:
            continue
        columns = (*_BEFORE_COLUMNS, *_AFTER_COLUMNS, *_INSTRUCTION_COLUMNS)
        if doubled := doubled_finding(row, columns, file=file, header=header):
            if doubled not in findings[-1:]:
                findings.append(doubled)
            continue
        before, after = first_of(row.fields, _BEFORE_COLUMNS), first_of(row.fields, _AFTER_COLUMNS)
        line = row.line if file is not None else None
        if not before or not after:
            missing = "before" if not before else "after"
            what = f"the pair has no {missing} picture; found {', '.join(list(row.fields)[:6]) or 'nothing'}"
            findings.append(Finding("P01", what, file, line, "name the columns before, after and instruction"))
            continue
        instruction = first_of(row.fields, _INSTRUCTION_COLUMNS)
        found.append(TableRow(_below(beside, before), _below(beside, after), instruction, file, line))
    return found, findings


def _below(folder: str, name: str) -> str:
    name = name.replace("\\", "/").removeprefix("./")
    return f"{folder}/{name}" if folder and not name.startswith("/") else name


def pair_rows(rows: Sequence[TableRow], entries: Mapping[str, FileEntry]) -> Paired:
    """Pairs from rows. entries: the existing pictures, by file relative to the root, in NFC."""
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
    images = sorted(named.values())
    return Paired(
        images=tuple(images),
        couples=tuple(couples.values()),
        findings=tuple(findings),
    )


def _short_names(files: set[str]) -> dict[str, str]:
    """File names if they are all different; otherwise the paths."""
    bare = {name_of(file) for file in files}
    return {file: name_of(file) if len(bare) == len(files) else file for file in files}


def side_of(selection_images: Sequence[FileEntry], side: str, texts: Mapping[str, FileEntry] | None) -> Selection:
    """The pictures and texts of one side, to find its instructions."""
    images = tuple(entry for entry in selection_images if entry.path.startswith(side + "/"))
    held = {path: entry for path, entry in (texts or {}).items() if path.startswith(side + "/")}
    return Selection(images=images, texts=held)
