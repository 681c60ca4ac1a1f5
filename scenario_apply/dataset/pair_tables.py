"""The rows of a table or list of edit pairs: which two pictures each names, and with which instruction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from scenario_apply.dataset.captions.pair_columns import PAIR_COLUMNS, SeveralPictures, pair_of
from scenario_apply.dataset.captions.table_entries import Row, doubled_finding, is_empty
from scenario_apply.model.lint_rules import Finding

_MOST_PARTS = 12  # of a path of another machine


class TableRow(NamedTuple):
    """One pair of a table or of the manifest. before, after: relative to the root. file: the table's."""

    before: str
    after: str
    instruction: str | None
    file: str | None
    line: int | None


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
        if doubled := doubled_finding(row, PAIR_COLUMNS, file=file, header=header):
            if doubled not in findings[-1:]:
                findings.append(doubled)
            continue
        line = row.line if file is not None else None
        try:
            before, after, instruction = pair_of(row.fields)
        except SeveralPictures as error:
            what = f"a pair has one {error.side} picture, and {error.column} names another"
            findings.append(Finding("P01", what, file, line, f"leave {error.column} out: Scenario takes no second one"))
            continue
        if not before or not after:
            missing = "before" if not before else "after"
            what = f"the pair has no {missing} picture; found {', '.join(list(row.fields)[:6]) or 'nothing'}"
            findings.append(Finding("P01", what, file, line, "name the columns before, after and instruction"))
            continue
        sides = [_below(beside, name, exists) for name in (before, after)]
        found.append(TableRow(sides[0], sides[1], instruction, file, line))
    return found, findings


def _below(folder: str, name: str, exists: Callable[[str], bool] | None) -> str:
    name = name.strip().replace("\\", "/").removeprefix("./")
    first = f"{folder}/{name}" if folder and not name.startswith("/") else name
    if exists is None or ".." in name or exists(first):
        return first
    parts = name.split("/")[-_MOST_PARTS:]
    tails = ["/".join(parts[at:]) for at in range(len(parts))]
    candidates = (place for tail in tails for place in (f"{folder}/{tail}" if folder else tail, tail))
    return next((place for place in candidates if not place.startswith("/") and exists(place)), first)
