"""Matches the before and after pictures of edit pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scenario_apply.dataset.captions.table_entries import Row, doubled_finding, first_of, is_empty
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.model.file_names import SIDECAR_SUFFIXES, NearestName, name_of, nfc, stem_of, suffix_of
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
# Those of the Hugging Face image folder, diffusers, InstructPix2Pix, musubi-tuner, ai-toolkit and SimpleTuner.
_BEFORE_COLUMNS = (
    *("before", "source", "input", "input_file_name", "input_image", "source_image", "original_image", "original"),
    *("before_image", "source_path", "input_path", "source_file_name", "before_file_name", "before_path"),
)
_CONTROL_COLUMNS = (
    *("control_path", "control_path_0", "control", "control_image", "control_0", "control_file_name"),
    *("cond_image", "conditioning_image", "conditioning", "cond", "cond_path", "conditioning_image_path"),
    *("cond_file_name", "conditioning_file_name", "reference", "reference_image"),
)
_AFTER_COLUMNS = (
    *("after", "target", "output", "output_file_name", "edited_image", "target_image", "edited", "output_image"),
    *("after_image", "target_path", "output_path", "target_file_name", "after_file_name", "edited_file_name"),
    "after_path",
)
_IMAGE_COLUMNS = ("image_path", "image", "file_name", "image_file_name", "filename", "file", "path")
"""The after picture beside a control picture, else the before picture beside an after picture."""
_MORE_CONTROLS = re.compile(r"(?:control|control_path|control_image)_[1-9]\d*|start[2-9]")
_MOST_PARTS = 12  # of a path of another machine
_INSTRUCTION_COLUMNS = ("instruction", "edit_prompt", "edit_instruction", "prompt", "text", "caption")


_COLUMNS = (*_BEFORE_COLUMNS, *_CONTROL_COLUMNS, *_AFTER_COLUMNS, *_IMAGE_COLUMNS, *_INSTRUCTION_COLUMNS)


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
                what = f"{name_of(entry.path)}: a pair has exactly one before picture"
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


def _root_of(stem: str, ending: str) -> str | None:
    """The stem without its ending, which may be in capitals; None when it has another one."""
    if stem[-len(ending) :].casefold() == ending.casefold():
        return stem[: -len(ending)]
    return None


def _fitting(selection: Selection, couple: tuple[str, str]) -> int:
    stems = [stem_of(entry.path) for entry in selection.images]
    before, after = ({_root_of(stem, ending) for stem in stems} - {None} for ending in couple)
    return len(before & after)


def table_rows(
    rows: Sequence[Row],
    *,
    file: str | None,
    beside: str,
    header: int | None = None,
    exists: Callable[[str], bool] | None = None,
) -> tuple[list[TableRow], list[Finding]]:
    """The pairs of a table or a list. beside: the table's folder; names are relative to that. header: its line.

    exists: whether there is a file of that name, relative to the root. Where there is none beside the table, a name is
    relative to the root, or a path of the machine that wrote the table, whose end is the same here.
    """
    found: list[TableRow] = []
    findings: list[Finding] = []
    for row in rows:
        if is_empty(row.fields) and file is not None:
            continue
        if doubled := doubled_finding(row, _COLUMNS, file=file, header=header):
            if doubled not in findings[-1:]:
                findings.append(doubled)
            continue
        fields = {name.strip().casefold(): value for name, value in row.fields.items()}
        before, after = _sides(fields)
        line = row.line if file is not None else None
        more = next((name for name, value in fields.items() if value and _MORE_CONTROLS.fullmatch(name)), None)
        if more is not None:
            what = f"a pair has one before picture, and {more} names another"
            findings.append(Finding("P01", what, file, line, f"leave {more} out: Scenario takes no second one"))
            continue
        if not before or not after:
            missing = "before" if not before else "after"
            what = f"the pair has no {missing} picture; found {', '.join(list(row.fields)[:6]) or 'nothing'}"
            findings.append(Finding("P01", what, file, line, "name the columns before, after and instruction"))
            continue
        instruction = first_of(fields, _INSTRUCTION_COLUMNS)
        sides = [_below(beside, name, exists) for name in (before, after)]
        found.append(TableRow(sides[0], sides[1], instruction, file, line))
    return found, findings


def _sides(fields: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The before and the after picture of a row. Beside a control picture, the image is what it is turned into."""
    before, after = first_of(fields, _BEFORE_COLUMNS), first_of(fields, _AFTER_COLUMNS)
    image, control = first_of(fields, _IMAGE_COLUMNS), first_of(fields, _CONTROL_COLUMNS)
    if before is None and control is not None:
        return control, after if after is not None else image
    if before is None:
        return image, after
    return before, after if after is not None else image


def _below(folder: str, name: str, exists: Callable[[str], bool] | None) -> str:
    name = name.strip().replace("\\", "/").removeprefix("./")
    first = f"{folder}/{name}" if folder and not name.startswith("/") else name
    if exists is None or ".." in name or exists(first):
        return first
    parts = name.split("/")[-_MOST_PARTS:]
    tails = ["/".join(parts[at:]) for at in range(len(parts))]
    candidates = (place for tail in tails for place in (f"{folder}/{tail}" if folder else tail, tail))
    return next((place for place in candidates if not place.startswith("/") and exists(place)), first)


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
