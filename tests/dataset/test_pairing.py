"""dataset.pairing: pairs of a table."""

from __future__ import annotations

from scenario_apply.dataset.captions.tables import read_table
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.pairing import pair_rows, table_rows
from scenario_apply.model.lint_rules import Finding


def paired(text: str, name: str = "pairs.csv") -> tuple[list[tuple[str, str, str | None]], list[Finding]]:
    """The pairs (before, after, instruction) of a table beside a.png to d.png."""
    table = read_table(text, file=name)
    rows, findings = table_rows(table.rows, file=name, beside="", header=table.header)
    entries = {f"{stem}.png": FileEntry(f"{stem}.png", f"{stem}.png", 1, 1, 1) for stem in "abcd"}
    result = pair_rows(rows, entries)
    return [(c.before, c.after, c.instruction) for c in result.couples], [*table.findings, *findings, *result.findings]


def test_a_pair_listed_twice_with_different_instructions_is_an_error() -> None:
    _, findings = paired("before,after,instruction\na.png,b.png,make it red\na.png,b.png,make it blue\n")
    assert [(finding.code, finding.line) for finding in findings] == [("C17", 3)]


def test_a_pair_listed_twice_in_the_same_words_counts_once() -> None:
    pairs, findings = paired("before,after,instruction\na.png,b.png,make it red\na.png,b.png,make it red\n,,\n")
    assert pairs == [("before/a.png", "after/b.png", "make it red")]
    assert not findings


def test_a_column_of_pairs_given_twice_is_reported_once_at_the_header() -> None:
    pairs, findings = paired("before,after,Instruction,instruction\na.png,b.png,x,y\nc.png,d.png,x,y\n")
    assert not pairs
    assert [(finding.code, finding.line) for finding in findings] == [("C18", 1)]


def test_a_table_of_pairs_without_a_header_is_told_which_one_to_add() -> None:
    _, findings = paired("a.png,b.png,make it red\nc.png,d.png,make it blue\n")
    assert [(finding.line, finding.hint) for finding in findings] == [(1, "add before,after,instruction above it")]
