"""What a dataset is made of, from its listing: a selection of pictures, or pairs with their two sides."""

from __future__ import annotations

from dataclasses import replace

from scenario_apply.dataset.assemble import DatasetInputs
from scenario_apply.dataset.captions.decode import decode
from scenario_apply.dataset.captions.gather import Reader
from scenario_apply.dataset.captions.table_entries import Row
from scenario_apply.dataset.captions.tables import read_table
from scenario_apply.dataset.image_limits import MOST_IMAGES
from scenario_apply.dataset.pairing import TableRow, pair_folders, pair_rows, pair_suffixes, table_rows
from scenario_apply.dataset.scan.caption_files import reader_below
from scenario_apply.dataset.scan.sources import Listing, Sources, selection_of, unentered
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import nfc
from scenario_apply.model.lint_rules import BARRED_CODES, Finding

_LOST_FOLDER = BARRED_CODES | {"N01"}


def list_rows(listing: Listing, sources: Sources, spec: DatasetSpec) -> None:
    """Adds the pairs of a table or a list to the listing, and the folders their pictures are in."""
    rows, findings = _rows(spec, reader_below(listing.guard, listing.barred))
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
        more, wrong = table_rows(table.rows, file=file, beside=file.rpartition("/")[0])
        rows += more
        findings += [*table.findings, *wrong]
    return rows, findings


def _nameless(file: str) -> Finding:
    what = f"the name {file} is not UTF-8: it cannot be sent or recorded"
    return Finding("F11", what, file, hint="rename it", severity="error")


def material_of(listing: Listing, spec: DatasetSpec, root: str) -> DatasetInputs:
    """Opens nothing; lists sub-folders that were not entered, to be able to say so.

    Raises ManifestError for more pictures than any training takes by far: nothing is read of them.
    """
    selection = selection_of(listing, spec)
    of_table = bool(listing.rows) or (spec.pairs is not None and spec.pairs.table is not None)
    if not of_table:  # of whose folders only some pictures are meant
        _check_count(spec, len(selection.images))
    findings = tuple(dict.fromkeys([*listing.findings, *(_nameless(file) for file in selection.nameless)]))
    if not spec.is_pairs:
        skipped = unentered(listing, spec, root)
        return DatasetInputs(images=selection.images, selection=selection, findings=findings, skipped_folders=skipped)
    if of_table:
        paired = pair_rows(listing.rows, {nfc(entry.file): entry for entry in selection.images})
        _check_count(spec, len(paired.images))
    elif spec.pairs is not None:
        paired = pair_suffixes(selection, spec.pairs.suffixes)
    else:
        paired = pair_folders(selection)
    if _LOST_FOLDER.intersection(finding.code for finding in findings):
        paired = replace(paired, findings=())  # the pictures of a folder that is not there have no partner either
    return DatasetInputs(images=paired.images, paired=paired, findings=findings)


def _check_count(spec: DatasetSpec, count: int) -> None:
    if count > MOST_IMAGES:
        raise ManifestError(
            f"dataset {spec.name} has {count} images, at most {MOST_IMAGES} are read; no training takes more than 100",
            location=spec.place,
            hint="take the best of them, or split the dataset",
            code="too-many-images",
        )
