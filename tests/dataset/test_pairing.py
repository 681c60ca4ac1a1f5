"""dataset.pairing: which columns of a table of pairs are the before picture, the after picture and the instruction."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.captions.table_entries import Row
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.pairing import pair_rows, pair_suffixes, table_rows


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


def test_a_pair_with_two_instructions_is_an_error() -> None:
    texts = ("turn it red", "turn it blue")
    given = [Row(at, {"before": "a.png", "after": "b.png", "instruction": text}) for at, text in enumerate(texts)]
    rows, _ = table_rows(given, file="pairs.csv", beside="")
    entries = {name: FileEntry(name, name, 1, 1, 1) for name in ("a.png", "b.png")}
    assert [(f.code, f.line) for f in pair_rows(rows, entries).findings] == [("C17", 1)]
    assert not pair_rows([rows[0], rows[0]], entries).findings


@pytest.mark.parametrize("text", ["fox.TXT", "fox.Caption", "fox_end.TXT"])
def test_instructions_of_suffix_pairs_may_end_in_capitals(text: str) -> None:
    images = tuple(FileEntry(name, name, 1, 1, 1) for name in ("fox_end.png", "fox_start.png"))
    selection = Selection(images=images, texts={text: FileEntry(text, text, 1, 1, 1)})
    assert any(path.lower().startswith("after/fox_end.") for path in pair_suffixes(selection, None).texts or {})
