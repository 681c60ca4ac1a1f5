"""manifest.picture_keys: the keys of a dataset that make its pictures fit."""

from __future__ import annotations

from pathlib import Path

from scenario_apply.model.picture_options import PictureOptions
from tests.manifest.load import load, problems

MODELS = "models:\n  m: { type: flux.1-lora, dataset: a }\n"


def options(folder: Path, keys: str) -> PictureOptions:
    return load(folder, f"datasets:\n  a: {{ images: ./a, {keys} }}\n{MODELS}").datasets["a"].pictures


def test_pictures_are_turned_upright_and_stripped_unless_the_dataset_says_otherwise(tmp_path: Path) -> None:
    assert options(tmp_path, "trigger: X") == PictureOptions()
    assert PictureOptions().text == ""
    kept = options(tmp_path, "orient: keep, metadata: keep")
    assert kept.text == "orient=keep;metadata=keep"


def test_every_key_is_read(tmp_path: Path) -> None:
    keys = 'background: "#FFaa00", convert: jpeg, icc: srgb, max_side: 1536'
    assert options(tmp_path, keys) == PictureOptions(icc="srgb", background="#ffaa00", max_side=1536, convert="jpeg"), (
        "colours are compared in one form"
    )


def test_a_wrong_value_is_reported_where_it_stands_with_what_to_write(tmp_path: Path) -> None:
    keys = "orient: aply, background: red, convert: jpg, icc: rgb, max_side: 8, metadat: keep"
    found = problems(tmp_path, f"datasets:\n  a: {{ images: ./a, {keys} }}\n{MODELS}")
    hints = {problem.message.split()[0]: problem.hint for problem in found}
    assert {problem.location.line for problem in found if problem.location} == {3}
    assert "did you mean apply?" in hints.values()
    assert "did you mean metadata?" in hints.values()
    assert "use 64 to 65000" in hints.values()
    assert len(found) == 6


def test_a_colour_without_quotes_is_explained(tmp_path: Path) -> None:
    """YAML takes it for a comment."""
    [problem] = problems(tmp_path, f"datasets:\n  a:\n    images: ./a\n    background: #ffffff\n{MODELS}")
    assert problem.code == "wrong-type"
    assert "in quotes" in str(problem.hint)
