"""Names captions that lie beside the pictures and are not used: nothing that a person wrote is left out in silence.

A dataset whose pictures have no captions while captions lie there stops: Scenario would write its own for all of them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.matching import Lookup
from scenario_apply.dataset.captions.parquet_tables import ENDING, INSTALL, can_read_parquet
from scenario_apply.dataset.captions.table_entries import FILE_COLUMNS, MOST_ROWS, Row, caption_of, first_of
from scenario_apply.dataset.captions.tables import read_table
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import (
    CAPTION_SUFFIXES,
    CAPTION_TABLE_STEMS,
    IMAGE_SUFFIXES,
    METADATA_FILES,
    SIDECAR_SUFFIXES,
    UNREADABLE_TABLE_SUFFIXES,
    is_prose,
    is_table_name,
    name_of,
    stem_of,
    suffix_of,
)
from scenario_apply.model.lint_rules import Finding

if TYPE_CHECKING:
    from scenario_apply.errors import Severity

_CAPTION_ENDINGS = CAPTION_SUFFIXES | {
    *(
        ".json",
        ".yaml",
        ".yml",
        ".md",
        ".text",
        ".cap",
        ".tag",
        ".tags",
        ".prompt",
        ".prompts",
        ".desc",
        ".description",
    ),
    *(".rtf", ".doc", ".docx", ".odt"),
}
"""Endings of files that may hold the caption of the picture of the same name."""
_NO_PLAIN_TEXT = frozenset({".rtf", ".doc", ".docx", ".odt"})
_LISTED = re.compile(
    r"\s*[\"']?([^\s\"',;:|][^\"',;:|\t]{0,200}?\.(?:png|jpe?g|webp|bmp|tiff?|avif))[\"']?[\s,;:|]+\S", re.I
)
"""A line that begins with the name of a picture."""
_AS_CSV = "write it as a CSV file that begins with file_name,text, and name that: `captions: ./captions.csv`"
_MOST_TABLES = 20  # that are opened to see whether they name the pictures
_MOST_NAMED = 3


class Captioning(NamedTuple):
    """captioned: paths of images with a caption, or with one that an error speaks of. used: paths of texts read."""

    captioned: frozenset[str]
    used: frozenset[str]
    orphans: tuple[FileEntry, ...]


def unread_captions(
    spec: DatasetSpec, selection: Selection, have: Captioning, read: Callable[[str], bytes | Finding]
) -> list[Finding]:
    """C21: an error where no image has a caption, a warning where some lack theirs, else a note."""
    if not selection.images or not (
        selection.texts or selection.parent_tables or selection.above or selection.elsewhere
    ):
        return []
    lacking = [image for image in selection.images if image.path not in have.captioned]
    kind = spec.captions.kind
    # Asked for, so that what lies there is only mentioned.
    chosen = kind in ("auto", "filename") or (kind != "recognise" and spec.caption is not None)
    severity: Severity = (
        "info" if chosen or not lacking else "error" if len(lacking) == len(selection.images) else "warning"
    )
    own = posixpath.normpath(spec.captions.path) if spec.captions.path else None
    left = [entry for path, entry in selection.texts.items() if path not in have.used and entry.file != own]
    if chosen or not lacking:
        return [*_beside(spec, left, selection.images, "info"), *_named_tables(left)]
    findings = [*_tables(spec, selection, [*left, *selection.parent_tables], lacking, severity, read)]
    if not findings:
        findings += _tables(spec, selection, selection.above, lacking, severity, read, only_paths=True)
    findings += _lists(spec, selection, have.orphans, lacking, severity, read)
    findings += _beside(spec, left, lacking, severity)
    findings += _elsewhere(selection, lacking, severity)
    if not findings and severity == "error" and spec.captions.kind == "recognise":
        findings += _fitting_none(have.orphans, selection)
    return findings


def _tables(
    spec: DatasetSpec,
    selection: Selection,
    texts: Iterable[FileEntry],
    lacking: list[FileEntry],
    severity: Severity,
    read: Callable[[str], bytes | Finding],
    *,
    only_paths: bool = False,
) -> Iterator[Finding]:
    """Tables whose rows name images without a caption, and such as cannot be read.

    only_paths: only rows count that name a folder, as in a/01.png.
    """
    stems = {stem_of(image.path) for image in lacking}
    candidates = [entry for entry in texts if is_table_name(entry.path) and stem_of(entry.path) not in stems]
    candidates.sort(key=lambda entry: (stem_of(name_of(entry.path)).lower() not in CAPTION_TABLE_STEMS, entry.path))
    lookup = Lookup(lacking, identity=selection.identity)
    for entry in candidates[:_MOST_TABLES]:
        file = entry.file
        if suffix_of(file) == ENDING and not can_read_parquet() and not only_paths:
            what = f"{file} may hold the captions, and parquet files are read with pyarrow"
            yield Finding("C21", what, file, None, INSTALL, severity)
            continue
        if suffix_of(file) in UNREADABLE_TABLE_SUFFIXES and not only_paths:
            what = f"{file} may hold the captions, and files of this kind are not read"
            yield Finding(
                "C21", what, file, None, "export it as CSV, and name that: `captions: ./captions.csv`", severity
            )
            continue
        rows = _rows_of(entry, spec, read)
        named = list(_naming(rows or (), entry, lookup, only_paths=only_paths))
        if named:
            count = len({image for image, _ in named})
            what = f"{file} names {count} of the images that have no caption, and is not read"
            has_texts = any(caption_of(row.fields) is not None for _, row in named)
            hint = f"write `captions: ./{file}` in the dataset" if has_texts else _AS_CSV
            yield Finding("C21", what, file, None, hint, severity)
        elif rows == () and _has_usual_name(entry) and not only_paths:
            hint = "write file_name and text of each image in it, or delete it"
            mild: Severity = "warning" if severity == "error" and spec.missing == "auto" else severity
            yield Finding("C21", f"{file} holds no captions", file, None, hint, mild)


def _rows_of(entry: FileEntry, spec: DatasetSpec, read: Callable[[str], bytes | Finding]) -> tuple[Row, ...] | None:
    """The rows of a table; None for one that cannot be read."""
    data = read(entry.file)
    text = data if isinstance(data, Finding) else decode(data, file=entry.file, encoding=spec.encoding)
    if isinstance(text, Finding):
        return None
    table = read_table(text, file=entry.file)
    return None if table.findings and not table.rows else table.rows


def _naming(rows: Iterable[Row], entry: FileEntry, lookup: Lookup, *, only_paths: bool) -> Iterator[tuple[str, Row]]:
    """The rows of a table that name one image each, with its path."""
    folder = entry.file.rpartition("/")[0]
    for row in rows:
        key = (first_of(row.fields, FILE_COLUMNS) or "").replace("\\", "/").removeprefix("./")
        if key and (not only_paths or "/" in key) and len(found := lookup.find(key, beside=folder).images) == 1:
            yield found[0].path, row


def _lists(
    spec: DatasetSpec,
    selection: Selection,
    texts: Iterable[FileEntry],
    lacking: list[FileEntry],
    severity: Severity,
    read: Callable[[str], bytes | Finding],
) -> Iterator[Finding]:
    """Text files that list images, one a line, each with a text after it: a table of a form that is not read."""
    lookup = Lookup(lacking, identity=selection.identity)
    for entry in [entry for entry in texts if not is_prose(name_of(entry.path))][:_MOST_TABLES]:
        data = read(entry.file)
        text = data if isinstance(data, Finding) else decode(data, file=entry.file, encoding=spec.encoding)
        if isinstance(text, Finding):
            continue
        folder = entry.file.rpartition("/")[0]
        keys = [match[1] for line in text.splitlines()[:MOST_ROWS] if (match := _LISTED.match(line))]
        count = len({found[0].path for key in keys if len(found := lookup.find(key, beside=folder).images) == 1})
        if count > 1 and 2 * count >= len(lacking):  # remarks on a few pictures are no captions
            what = f"{entry.file} names {count} of the images that have no caption, and is not read"
            yield Finding("C21", what, entry.file, None, _AS_CSV, severity)


def _beside(
    spec: DatasetSpec, texts: Iterable[FileEntry], images: Iterable[FileEntry], severity: Severity
) -> Iterator[Finding]:
    """Files with the name of an image and the ending of a text, one finding for each ending."""
    forms = {form.casefold() for image in images for form in (image.path, stem_of(image.path))}
    by_ending: dict[str, list[FileEntry]] = {}
    for entry in texts:
        ending, base = suffix_of(entry.path), stem_of(entry.path)
        if suffix_of(base) in IMAGE_SUFFIXES and base.casefold() not in forms:
            base = stem_of(base)
        if suffix_of(base) in CAPTION_SUFFIXES and stem_of(base).casefold() in forms:  # 01.txt.bak, 01.txt_old
            base, ending = stem_of(base), suffix_of(base) + ending
        is_text = ending in _CAPTION_ENDINGS or ending.startswith(SIDECAR_SUFFIXES)
        if is_text and base.casefold() in forms:
            by_ending.setdefault(ending, []).append(entry)
    for ending, entries in sorted(by_ending.items()):
        names = ", ".join(name_of(entry.path) for entry in entries[:_MOST_NAMED])
        more = f" and {len(entries) - _MOST_NAMED} more" if len(entries) > _MOST_NAMED else ""
        what = f"{names}{more} beside the images {'is' if len(entries) == 1 else 'are'} not read as captions"
        yield Finding("C21", what, entries[0].file, None, _hint_beside(spec, ending, severity), severity)


def _elsewhere(selection: Selection, lacking: Iterable[FileEntry], severity: Severity) -> Iterator[Finding]:
    """Folders with caption files of the names of images without a caption."""
    names = [{stem_of(name_of(image.path)).casefold(), name_of(image.path).casefold()} for image in lacking]
    for folder, stems in selection.elsewhere.items():
        count = sum(not stems.isdisjoint(forms) for forms in names)
        if count:
            what = f"{folder} holds caption files of the names of {count} images, and is not read"
            hint = "put them beside the images, where captions are looked for"
            yield Finding("C21", what, folder, None, hint, severity)


def _hint_beside(spec: DatasetSpec, ending: str, severity: Severity) -> str | None:
    if severity == "info":
        return None
    if ending in _NO_PLAIN_TEXT:
        return "save the captions as .txt files"
    if ending.count(".") > 1:
        return f"rename them to end in {ending[: ending.rfind('.')]}, or delete them"
    if ending in CAPTION_SUFFIXES and spec.captions.suffix is None:
        return "write `captions: sidecar`, or delete what is not used"
    return f"write `captions: {{ suffix: {ending} }}` in the dataset, or delete what is not used"


def _named_tables(texts: Iterable[FileEntry]) -> Iterator[Finding]:
    """A note for each table whose name says that it holds captions."""
    for entry in texts:
        if _has_usual_name(entry):
            yield Finding("C21", f"{entry.file} is not read", entry.file, severity="info")


def _has_usual_name(entry: FileEntry) -> bool:
    """Whether a file is called as tables of captions are."""
    name = name_of(entry.path).lower()
    return name in METADATA_FILES or (is_table_name(entry.path) and stem_of(name) in CAPTION_TABLE_STEMS)


def _fitting_none(orphans: Iterable[FileEntry], selection: Selection) -> Iterator[Finding]:
    """Caption files of which none fits an image, where no image has a caption."""
    texts = [entry for entry in orphans if not is_prose(name_of(entry.path))]
    if not texts:
        return
    names = ", ".join(name_of(entry.path) for entry in texts[:_MOST_NAMED])
    fit = "1 caption file fits" if len(texts) == 1 else f"{len(texts)} caption files fit"
    what = f"{fit} none of the {len(selection.images)} images: {names}"
    # A stray text among pictures is no reason to stop; as many texts as pictures are their captions.
    severity: Severity = "error" if len(texts) * 2 >= len(selection.images) and len(texts) > 1 else "warning"
    yield Finding("C21", what, texts[0].file, None, "name each caption like its image: 01.txt for 01.png", severity)
