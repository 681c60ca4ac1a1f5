"""The files of a dataset, from its listing: a selection of pictures, or pairs with two sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace
from msgspec.structs import replace as with_fields

from scenario_apply.dataset.assemble import DatasetInputs
from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.gather import Reader
from scenario_apply.dataset.captions.table_entries import Row
from scenario_apply.dataset.captions.tables import read_table
from scenario_apply.dataset.exclusion import normal_pattern
from scenario_apply.dataset.image_limits import MOST_IMAGES
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.pair_tables import TableRow, table_rows
from scenario_apply.dataset.pairing import pair_folders, pair_rows, pair_suffixes
from scenario_apply.dataset.scan.caption_files import caption_reader
from scenario_apply.dataset.scan.caption_folders import caption_folders_of
from scenario_apply.dataset.scan.listed_selection import selection_of
from scenario_apply.dataset.scan.skipped_folders import skipped_folders_of, skipped_junk_of
from scenario_apply.dataset.scan.sources import Listing, SourceFolder, Sources
from scenario_apply.dataset.scan.written_paths import identities_below
from scenario_apply.dataset.splits import without_other_splits
from scenario_apply.dataset.types import Convention
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import NearestName, name_of, nfc
from scenario_apply.model.globs import has_magic
from scenario_apply.model.lint_rules import REFUSED_CODES, Finding

_LOST_FOLDER = REFUSED_CODES | {"N01"}


def list_rows(listing: Listing, sources: Sources, spec: DatasetSpec) -> None:
    """Adds the pairs of a table or a list to the listing, and the folders their pictures are in."""
    rows, findings = _rows(spec, caption_reader(listing.guard, listing.refused), sources.exists)
    listing.rows += rows
    listing.findings += findings
    sources.add_folders_of(listing, spec, [file for row in rows for file in (row.before, row.after)])


def _rows(spec: DatasetSpec, read: Reader, exists: Callable[[str], bool]) -> tuple[list[TableRow], list[Finding]]:
    assert spec.pairs is not None
    listed = [Row(0, fields) for fields in spec.pairs.entries]
    rows, findings = table_rows(listed, file=None, beside="")
    if spec.pairs.table is not None:
        file = spec.pairs.table.removeprefix("./")
        data = read(file)
        if isinstance(data, Finding):
            return rows, [*findings, data._replace(file=None, key="pairs.table")]
        text = decode(data, file=file, encoding=spec.encoding)
        if isinstance(text, Finding):
            return rows, [*findings, text]
        table = read_table(text, file=file)
        beside = file.rpartition("/")[0]
        more, wrong = table_rows(table.rows, file=file, beside=beside, header=table.header, exists=exists)
        rows += more
        findings += [*table.findings, *wrong]
    return rows, findings


def _not_unicode(file: str) -> Finding:
    what = f"the name {file} is not UTF-8, so it cannot be uploaded or recorded"
    return Finding("F11", what, file, hint="rename it", severity="error")


def _twin(files: tuple[str, str]) -> Finding:
    """Two files that are one path in Unicode NFC: only one of them could be sent."""
    kept, other = files
    here, there = kept.rpartition("/")[0], other.rpartition("/")[0]
    shown = (name_of(kept), name_of(other)) if here == there else files
    at = next(at for at, (one, two) in enumerate(zip(kept, other, strict=False)) if one != two)
    apart = nfc(kept[at:])[0]
    what = (
        f"{shown[0]} and {shown[1]} are two files whose names differ only in how {apart} is written (composed or not)"
    )
    return Finding("F11", what, other, hint="rename one of them", severity="error")


def _unused(spec: DatasetSpec, selection: Selection) -> Iterator[Finding]:
    """N09: patterns of the dataset's own `exclude` that leave nothing out, so that what they mean is trained on."""
    if not selection.unused or "exclude" not in spec.own:
        return
    nearest = NearestName([form for image in selection.images for form in {image.path, name_of(image.path)}])
    for index, pattern in enumerate(spec.exclude):
        if pattern in selection.unused:
            near = None if has_magic(pattern) else nearest.of(normal_pattern(pattern))
            hint = f"did you mean {near}?" if near else "remove it, or write a name or path as `dataset show` prints it"
            yield Finding("N09", f"exclude: {pattern} leaves nothing out", hint=hint, key=f"exclude.{index}")


def inputs_of(listing: Listing, spec: DatasetSpec, root: str) -> DatasetInputs:
    """The inputs of a dataset. Opens no file, but lists sub-folders that are not read, to report them.

    Raises ManifestError for more than MOST_IMAGES pictures, before any of them is read.
    """
    selection = selection_of(listing, spec)
    of_table = bool(listing.rows) or (spec.pairs is not None and spec.pairs.table is not None)
    if not of_table:  # a table uses only some pictures of its folders
        _check_count(spec, len(selection.images))
    more = [*map(_not_unicode, selection.nameless), *map(_twin, selection.twins), *_unused(spec, selection)]
    findings = tuple(dict.fromkeys([*listing.findings, *more]))
    if not spec.is_pairs:
        elsewhere = caption_folders_of(listing, root, recursive=spec.recursive)
        junk = (*selection.junk, *dict.fromkeys(skipped_junk_of(listing)))
        selection = with_fields(selection, elsewhere=elsewhere, identity=identities_below(root), junk=junk)
        selection, layout, left = _by_layout(listing, spec, selection)
        return DatasetInputs(
            images=selection.images,
            selection=selection,
            findings=(*findings, *left),
            skipped_folders=skipped_folders_of(listing, spec, root, selection.excluded_folders),
            layout=layout,
        )
    if of_table:
        by_file = {nfc(entry.file): entry for entry in selection.images}
        paired = pair_rows(listing.rows, by_file, tuple(selection.texts.values()))
        _check_count(spec, len(paired.images))
    elif spec.pairs is not None:
        paired = pair_suffixes(selection, spec.pairs.suffixes)
    else:
        paired = pair_folders(selection)
    if _LOST_FOLDER.intersection(finding.code for finding in findings):
        paired = replace(paired, findings=())  # with a folder missing, all pictures of the other lack a partner
    skipped = {} if of_table else skipped_folders_of(listing, spec, root, selection.excluded_folders)
    return DatasetInputs(images=paired.images, paired=paired, findings=findings, skipped_folders=skipped)


def _by_layout(
    listing: Listing, spec: DatasetSpec, selection: Selection
) -> tuple[Selection, tuple[Convention, ...], tuple[Finding, ...]]:
    """Without the pictures of other splits; how the pictures are kept; and a note of what is left out."""
    found = tuple([_layout_of(place, selection) for place in listing.places if place.layout])
    if found:
        return selection, found, ()
    if spec.recursive or any(place.keep is not None or place.names is not None for place in listing.places):
        return selection, (), ()
    return without_other_splits(selection)


def _layout_of(place: SourceFolder, selection: Selection) -> Convention:
    """Of a folder whose pictures lie in folders below it."""
    below = [folder.within for folder in place.folders[1:]]
    files = {within if place.file == "." else f"{place.file}/{within}" for within in below}
    number = sum(image.file.rpartition("/")[0] in files for image in selection.images)
    return Convention(place.layout, number, ", ".join(below))


def _check_count(spec: DatasetSpec, count: int) -> None:
    if count > MOST_IMAGES:
        raise ManifestError(
            f"dataset {spec.name} has {count} images, at most {MOST_IMAGES} are read; trainings accept up to 100",
            location=spec.place,
            hint="keep the best images, or split the dataset",
            code="too-many-images",
        )
