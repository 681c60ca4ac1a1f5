"""The files of a dataset, from its listing: a selection of pictures, or pairs with two sides."""

from __future__ import annotations

from dataclasses import replace

from scenario_apply.dataset.assemble import DatasetInputs
from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.gather import Reader
from scenario_apply.dataset.captions.table_entries import Row
from scenario_apply.dataset.captions.tables import read_table
from scenario_apply.dataset.image_limits import MOST_IMAGES
from scenario_apply.dataset.pairing import TableRow, pair_folders, pair_rows, pair_suffixes, table_rows
from scenario_apply.dataset.scan.caption_files import caption_reader
from scenario_apply.dataset.scan.sources import Listing, Sources, selection_of, skipped_folders_of
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import nfc
from scenario_apply.model.lint_rules import REFUSED_CODES, Finding

_LOST_FOLDER = REFUSED_CODES | {"N01"}


def list_rows(listing: Listing, sources: Sources, spec: DatasetSpec) -> None:
    """Adds the pairs of a table or a list to the listing, and the folders their pictures are in."""
    rows, findings = _rows(spec, caption_reader(listing.guard, listing.refused))
    listing.rows += rows
    listing.findings += findings
    sources.add_folders_of(listing, spec, [file for row in rows for file in (row.before, row.after)])


def _rows(spec: DatasetSpec, read: Reader) -> tuple[list[TableRow], list[Finding]]:
    assert spec.pairs is not None
    rows, findings = table_rows([Row(0, fields) for fields in spec.pairs.entries], file=None, beside="")
    if spec.pairs.table is not None:
        file = spec.pairs.table.removeprefix("./")
        data = read(file)
        text = data if isinstance(data, Finding) else decode(data, file=file, encoding=spec.encoding)
        if isinstance(text, Finding):
            return rows, [*findings, text]
        table = read_table(text, file=file)
        more, wrong = table_rows(table.rows, file=file, beside=file.rpartition("/")[0], header=table.header)
        rows += more
        findings += [*table.findings, *wrong]
    return rows, findings


def _not_unicode(file: str) -> Finding:
    what = f"the name {file} is not UTF-8, so it cannot be uploaded or recorded"
    return Finding("F11", what, file, hint="rename it", severity="error")


def inputs_of(listing: Listing, spec: DatasetSpec, root: str) -> DatasetInputs:
    """The inputs of a dataset. Opens no file, but lists sub-folders that are not read, to report them.

    Raises ManifestError for more than MOST_IMAGES pictures, before any of them is read.
    """
    selection = selection_of(listing, spec)
    of_table = bool(listing.rows) or (spec.pairs is not None and spec.pairs.table is not None)
    if not of_table:  # a table uses only some pictures of its folders
        _check_count(spec, len(selection.images))
    findings = tuple(dict.fromkeys([*listing.findings, *(_not_unicode(file) for file in selection.nameless)]))
    if not spec.is_pairs:
        skipped = skipped_folders_of(listing, spec, root)
        return DatasetInputs(images=selection.images, selection=selection, findings=findings, skipped_folders=skipped)
    if of_table:
        paired = pair_rows(listing.rows, {nfc(entry.file): entry for entry in selection.images})
        _check_count(spec, len(paired.images))
    elif spec.pairs is not None:
        paired = pair_suffixes(selection, spec.pairs.suffixes)
    else:
        paired = pair_folders(selection)
    if _LOST_FOLDER.intersection(finding.code for finding in findings):
        paired = replace(paired, findings=())  # with a folder missing, all pictures of the other lack a partner
    return DatasetInputs(images=paired.images, paired=paired, findings=findings)


def _check_count(spec: DatasetSpec, count: int) -> None:
    if count > MOST_IMAGES:
        raise ManifestError(
            f"dataset {spec.name} has {count} images, at most {MOST_IMAGES} are read; trainings accept up to 100",
            location=spec.place,
            hint="keep the best images, or split the dataset",
            code="too-many-images",
        )
