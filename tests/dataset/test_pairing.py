"""dataset.pairing: which columns of a table of pairs are the before picture, the after picture and the instruction."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.table_entries import Row
from scenario_apply.dataset.captions.tables import read_table
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.pair_tables import table_rows
from scenario_apply.dataset.pairing import pair_rows, pair_suffixes
from scenario_apply.model.lint_rules import Finding


@pytest.mark.parametrize(
    "columns",
    [
        "before after instruction",
        "control_path image_path caption",  # musubi-tuner
        "control_path_0 image_path caption",
        "control image_path caption",
        "Control_Path Image_Path Caption",
        "conditioning_image image text",  # diffusers, ControlNet
        "cond_image target_image caption",  # diffusers, Kontext
        "cond_image image caption",
        "input_image edited_image edit_prompt",  # InstructPix2Pix
        "original_image edited_image edit_prompt",
        "input_file_name output_file_name prompt",  # Hugging Face
        "image edited_image instruction",
        "file_name target prompt",
        "source image prompt",
    ],
)
def test_columns_of_other_trainers_are_known(columns: str) -> None:
    row = Row(1, dict(zip(columns.split(), ("a.png", "b.png", "turn it into a print"), strict=True)))
    rows, findings = table_rows([row], file="pairs.jsonl", beside="")
    assert not findings
    assert rows[0][:3] == ("a.png", "b.png", "turn it into a print")


def test_a_second_control_picture_is_an_error() -> None:
    fields = {"control_path_0": "a.png", "control_path_1": "c.png", "image_path": "b.png", "caption": "turn it"}
    rows, findings = table_rows([Row(3, fields)], file="pairs.jsonl", beside="")
    assert not rows
    assert [(f.code, f.line, "control_path_1" in f.what) for f in findings] == [("P01", 3, True)]
    assert table_rows([Row(3, {**fields, "control_path_1": ""})], file="pairs.jsonl", beside="")[0]


@pytest.mark.parametrize("text", ["fox.TXT", "fox.Caption", "fox_end.TXT"])
def test_instructions_of_suffix_pairs_may_end_in_capitals(text: str) -> None:
    images = tuple(FileEntry(name, name, 1, 1, 1) for name in ("fox_end.png", "fox_start.png"))
    selection = Selection(images=images, texts={text: FileEntry(text, text, 1, 1, 1)})
    assert any(path.lower().startswith("after/fox_end.") for path in pair_suffixes(selection, None).texts or {})


def of_one_folder(*names: str) -> tuple[list[tuple[str, str]], list[str]]:
    """The pairs of a folder with these pictures, and what is wrong."""
    images = tuple(FileEntry(name, name, 1, 1, 1) for name in names)
    result = pair_suffixes(Selection(images=images, texts={}), None)
    return [couple[:2] for couple in result.couples], [finding.what for finding in result.findings]


def test_suffixes_of_pairs_may_be_in_capitals() -> None:
    pairs, wrong = of_one_folder("fox_BEFORE.PNG", "fox_After.jpg", "owl_before.png", "owl_after.png")
    assert pairs == [("before/fox_BEFORE.PNG", "after/fox_After.jpg"), ("before/owl_before.png", "after/owl_after.png")]
    assert not wrong


def test_of_two_pictures_for_one_side_none_is_chosen_in_silence() -> None:
    pairs, wrong = of_one_folder("fox_start.jpg", "fox_start.png", "fox_end.png")
    assert pairs == [("before/fox_start.jpg", "after/fox_end.png")]
    assert wrong == ["fox_start.jpg and fox_start.png are both the before picture of fox"]


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
