"""Reads a dataset's captions from the source that its manifest names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from msgspec import Struct, field

from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.matching import (
    Lookup,
    Raw,
    from_file_name,
    match_rows,
    orphan_findings,
)
from scenario_apply.dataset.captions.parquet_tables import ENDING, can_read_parquet
from scenario_apply.dataset.captions.sidecars import find_sidecars
from scenario_apply.dataset.captions.table_entries import CaptionRow
from scenario_apply.dataset.captions.tables import caption_in_file, caption_rows, read_table
from scenario_apply.dataset.captions.unread import Captioning, unread_captions
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import (
    CAPTION_FILES,
    METADATA_FILES,
    METADATA_PARQUET,
    METADATA_TSV,
    name_of,
    nfc,
    suffix_of,
)
from scenario_apply.model.lint_rules import REFUSED_CODES, Finding

# Findings on captions that exist but could not be read: their pictures are not reported as uncaptioned.
UNREAD_CAPTIONS = REFUSED_CODES | {"C05", "C06", "C18"}
_NAMES_BESIDE = CAPTION_FILES | {METADATA_TSV, METADATA_PARQUET}
_NAMES_ABOVE = frozenset({*METADATA_FILES, METADATA_TSV, METADATA_PARQUET})
_CAPTION_IN_JSON = re.compile(r'"(?:caption|text|tags)"\s*:|\A\s*["\[]', re.IGNORECASE)
# Reads a file, given relative to the root; returns a finding when it cannot be read.
Reader = Callable[[str], bytes | Finding]


class Gathered(Struct):
    """Captions as found. raws: by image path."""

    raws: dict[str, Raw] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)  # images whose caption, if any, could not be read
    lost_rows: bool = False  # a table or map has captions that could not be read or matched
    used: set[str] = field(default_factory=set)  # paths of the texts that were read
    orphans: tuple[FileEntry, ...] = ()  # caption files without an image
    forms: dict[str, str] = field(default_factory=dict)  # tables that were read, relative to the root -> their form


def gather(spec: DatasetSpec, selection: Selection, read: Reader) -> Gathered:
    """The caption of each image as found, from the source in `captions:`. Images without one are left out."""
    kind = spec.captions.kind
    out = Gathered()
    images = selection.images
    if kind == "filename":
        for image in images:
            out.raws[image.path] = Raw(from_file_name(image.path))
    elif kind == "map":
        rows = [CaptionRow(key, text, 0) for key, text in spec.captions.entries.items()]
        out.raws, out.findings = match_rows(rows, Lookup(images, selection.excluded), file=None)
        out.lost_rows = _loses_rows(out.findings)
    elif kind == "file" and spec.captions.path:
        _read_table(spec.captions.path, spec, Lookup(images, selection.excluded, selection.identity), read, out)
    elif kind in ("sidecar", "recognise"):
        if kind == "recognise":
            _read_metadata_tables(spec, selection, read, out)
        _read_sidecars(spec, selection, read, out)
        if spec.captions.suffix is None and not out.lost_rows:
            _read_other_forms(spec, selection, read, out)
    if out.lost_rows:
        out.unreadable.update(image.path for image in images if image.path not in out.raws)
    captioned = Captioning(frozenset([*out.raws, *out.unreadable]), frozenset(out.used), out.orphans)
    out.findings += unread_captions(spec, selection, captioned, read)
    return out


def _read_metadata_tables(spec: DatasetSpec, selection: Selection, read: Reader, out: Gathered) -> None:
    """Tables with one of the usual names. One in a folder with images speaks of these, and of those below it."""
    tables = sorted(entry for path, entry in selection.texts.items() if name_of(path).lower() in METADATA_FILES)
    if not tables:
        return
    lookup = Lookup(selection.images, selection.excluded, selection.identity)
    below: dict[str, list[FileEntry]] = {}
    for image in selection.images if any("/" in table.path for table in tables) else ():
        folder = image.path
        while folder := folder.rpartition("/")[0]:
            below.setdefault(folder, []).append(image)
    for table in tables:
        own = below.get(table.path.rpartition("/")[0])
        nearest = Lookup(own, selection.excluded, selection.identity) if own else lookup
        if _read_table(table.file, spec, nearest, read, out):
            out.used.add(table.path)


def _read_other_forms(spec: DatasetSpec, selection: Selection, read: Reader, out: Gathered) -> None:
    """Forms that some tools find by their names, for the images that have no caption of another."""
    lacking = [image for image in selection.images if image.path not in out.raws and image.path not in out.unreadable]
    if not lacking:
        return
    found = [_json_sidecars(spec, selection, lacking, read)]
    if spec.captions.kind == "recognise":
        lookup = Lookup(selection.images, selection.excluded, selection.identity)
        beside = [entry for path, entry in selection.texts.items() if name_of(path).lower() in _NAMES_BESIDE]
        above = [entry for entry in selection.parent_tables if name_of(entry.file).lower() in _NAMES_ABOVE]
        folders = frozenset(_with_folder(image.file) for image in selection.images)
        for table in (*beside, *above):
            if suffix_of(table.file) == ENDING and not can_read_parquet():
                continue  # unread.py names what has to be installed
            one = Gathered(used={table.path} if table in beside else set())
            _read_table(table.file, spec, lookup, read, one, only=None if table in beside else folders)
            found.append(one)
    for one in found:
        _add_form(one, frozenset(image.path for image in lacking), out)


def _add_form(one: Gathered, lacking: frozenset[str], out: Gathered) -> None:
    """Adds the captions of one form, if it has any for the images that lack theirs."""
    if not any(raw.text.strip() for path, raw in one.raws.items() if path in lacking):
        if one.used and not (one.raws or out.raws) and {finding.code for finding in one.findings} & {"C06", "C18"}:
            out.findings += one.findings  # captions.yaml that cannot be read is never no captions
            out.used |= one.used
            out.lost_rows = True
        return
    out.findings += one.findings
    out.findings += [_recognised(file) for file in one.forms]
    for path, raw in one.raws.items():
        other = out.raws.setdefault(path, raw)
        if other.text.strip() != raw.text.strip():
            out.findings.append(_two_captions(path, raw, other))
    out.unreadable |= one.unreadable
    out.used |= one.used
    out.forms |= one.forms
    out.lost_rows = out.lost_rows or one.lost_rows


def _json_sidecars(spec: DatasetSpec, selection: Selection, images: Sequence[FileEntry], read: Reader) -> Gathered:
    """01.json or 01.png.json beside 01.png, with a caption, a text or tags. A prompt alone is that of a generator."""
    out = Gathered()
    sidecars = find_sidecars(images, selection.texts, ".json", selection.excluded)
    out.findings += sidecars.findings
    for path, entry in sidecars.of.items():
        text = _text(entry.file, spec, read)
        if not isinstance(text, Finding) and _CAPTION_IN_JSON.search(text) is None:
            continue
        out.used.add(entry.path)
        caption, findings = (None, [text]) if isinstance(text, Finding) else caption_in_file(text, file=entry.file)
        out.findings += findings
        if caption is None:
            out.unreadable.add(path)
        else:
            out.raws[path] = Raw(caption, entry.file)
    return out


def _with_folder(file: str) -> str:
    """The file's name with that of its folder: set/01.png of data/set/01.png."""
    return "/".join(nfc(file).split("/")[-2:])


def _read_sidecars(spec: DatasetSpec, selection: Selection, read: Reader, out: Gathered) -> None:
    sidecars = find_sidecars(selection.images, selection.texts, spec.captions.suffix, selection.excluded)
    out.findings += sidecars.findings
    out.orphans = sidecars.orphans
    out.used |= sidecars.spare
    for path, entry in sidecars.of.items():
        out.used.add(entry.path)
        if path in out.raws:
            other = out.raws[path].file or "the manifest"
            what = f"{name_of(path)} has two captions: {name_of(entry.path)} and {name_of(other)}"
            hint = f"delete one, or choose one: `captions: sidecar` or `captions: ./{other}`"
            out.findings.append(Finding("C17", what, entry.file, hint=hint))
            continue
        text, findings = _sidecar_text(entry.file, spec, read)
        out.findings += findings
        if text is None:
            out.unreadable.add(path)
        else:
            out.raws[path] = Raw(text, entry.file)
    if sidecars.orphans:
        captioned = [*out.raws, *out.unreadable]
        out.findings += orphan_findings(sidecars.orphans, selection.images, captioned)


def _sidecar_text(file: str, spec: DatasetSpec, read: Reader) -> tuple[str | None, Sequence[Finding]]:
    """The caption in a file beside its image; None, with a finding, when it cannot be read."""
    text = _text(file, spec, read)
    if isinstance(text, Finding):
        return None, [text]
    return caption_in_file(text, file=file)


def _read_table(
    file: str,
    spec: DatasetSpec,
    lookup: Lookup,
    read: Reader,
    out: Gathered,
    *,
    only: frozenset[str] | None = None,
) -> bool:
    """Whether there is anything in it, read or not.

    only: of a table that was not asked for, the rows that name one of these, as _with_folder writes them.
    """
    file = file.removeprefix("./")
    data = read(file)
    if isinstance(data, Finding):
        # Nothing in a file that cannot be opened is wrong: the manifest's line that names it is.
        out.findings.append(data._replace(file=None, key="captions.file") if spec.captions.path else data)
        out.lost_rows = True
        return True
    text = decode(data, file=file, encoding=spec.encoding)
    if isinstance(text, Finding):
        out.findings.append(text)
        out.lost_rows = True
        return True
    table = read_table(text, file=file)
    out.forms[file] = table.form
    rows, findings = caption_rows(table, file=file)
    if only is not None:
        rows = [row for row in rows if _with_folder(row.key.replace("\\", "/")) in only]
    raws, more = match_rows(rows, lookup, file=file, beside=file.rpartition("/")[0])
    out.findings += [*findings, *more]
    misses = any(finding.code == "C04" and finding.severity == "error" for finding in more)
    out.lost_rows = out.lost_rows or misses or _loses_rows([*findings, *more])
    for path, raw in raws.items():
        if path in out.raws:
            out.findings.append(_two_captions(path, raw, out.raws[path]))
        else:
            out.raws[path] = raw
    return bool(table.rows or table.findings)


def _two_captions(path: str, raw: Raw, other: Raw) -> Finding:
    hint = f"keep one of them, or choose one, as in `captions: ./{raw.file}`"
    return Finding("C17", f"{path} has two captions; the other is in {other.file}", raw.file, raw.line, hint)


def _recognised(file: str) -> Finding:
    what = f"captions are read from {file}, which has a usual name and names images that have no other caption"
    return Finding("C30", what, file, hint=f"write `captions: ./{file}`, so that it is an error when the file is gone")


def _loses_rows(findings: Sequence[Finding]) -> bool:
    return any(finding.code in UNREAD_CAPTIONS for finding in findings)


def _text(file: str, spec: DatasetSpec, read: Reader) -> str | Finding:
    data = read(file)
    return data if isinstance(data, Finding) else decode(data, file=file, encoding=spec.encoding)
