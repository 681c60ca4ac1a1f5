"""manifest.datasets: options of other trainers have an answer, and a wrong value is marked where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.dataset.scan.scan_all import scan_datasets
from tests.dataset.build import make_picture
from tests.manifest.load import load, problems

MODEL = "models: { m: { type: flux.1-lora, dataset: d } }\n"


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("shuffle_caption: true", "one fixed text"),
        ("keep_tokens: 1", "one fixed text"),
        ("caption_dropout_rate: 0.1", "one fixed text"),
        ("num_repeats: 10", "nbRepeats"),
        ("nbRepeats: 10", "nbRepeats"),
        ("batch_size: 2", "batchSize"),
        ("caption_extension: .txt", "captions: { suffix: .txt }"),
        ("caption_ext: txt", "captions: { suffix: .txt }"),
        ("instance_prompt: a photo", "`caption:`"),
        ("class_tokens: a man", "`caption:`"),
        ("default_caption: a photo", "`caption:`"),
        ("trigger_word: KAEL", "`trigger:`"),
        ("flip_aug: true", "as they are"),
        ("is_reg: false", "regularisation"),
        ("class_data_dir: ./reg", "regularisation"),
        ("resolution: 1024", "Scenario decides"),
        ("enable_bucket: true", "Scenario decides"),
        ("metadata_file: ./m.jsonl", "`captions: ./FILE`"),
        ("image_dir: ./x", "`images:`"),
        ("folder_path: ./x", "`images:`"),
        ("control_path: ./x", "`before:`"),
        ("captoins: auto", "did you mean captions"),
        ("tag_dropout_rate: 0.1", "one fixed text"),
        ("prompt_list: ./p.txt", "one fixed text"),
        ("captions: { shuffle: true, lines: first }", "one fixed text"),
        ("control_path_1: ./x", "one before picture"),
        ("control_images: [./x]", "one before picture"),
        ("regularization_images: ./x", "regularisation"),
    ],
)
@pytest.mark.parametrize(
    "form", ["datasets: {{ d: {{ images: ./set, {} }} }}\n", "defaults: {{ datasets: {{ {} }} }}\n"]
)
def test_an_option_of_another_trainer_has_an_answer(key: str, part: str, form: str, tmp_path: Path) -> None:
    found = problems(tmp_path, form.format(key) + MODEL)
    assert any(p.code == "unknown-key" and part in str(p.hint) for p in found), found


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("captions: { shuffle_caption: true }", "one fixed text"),
        ("captions: random", "one fixed text"),
        ("captions: [a, b]", "one fixed text"),
        ("caption: [a, b]", "one fixed text"),
        ("before: [./a, ./b]", "one before picture"),
        ("captions: { lines: random }", "lines must be join, comma, space or first"),
    ],
)
def test_a_value_of_another_trainer_has_an_answer_where_it_stands(line: str, part: str, tmp_path: Path) -> None:
    """Lists of captions that are picked at random, several folders of before pictures, unknown ways to join lines."""
    found = problems(tmp_path, f"datasets:\n  d:\n    images: ./set\n    {line}\n" + MODEL)
    (one,) = [p for p in found if part in f"{p.message} {p.hint}"]
    assert one.location is not None
    assert one.location.line == 5


@pytest.mark.parametrize("value", [".txt", "txt", "caption", "none", "true", "Auto"])
def test_a_word_that_is_no_source_of_captions_is_marked(value: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f"datasets:\n  d:\n    images: ./set\n    captions: {value}\n" + MODEL)
    assert found.location is not None
    assert (found.location.line, found.location.column) == (5, 15)
    assert any(part in str(found.hint) for part in ("captions: sidecar", "did you mean auto"))


def test_a_decimal_comma_in_a_flow_map_has_an_answer(tmp_path: Path) -> None:
    model = "{ type: flux.1-lora, dataset: ./set, parameters: { learningRate: 0,0001 } }"
    found = problems(tmp_path, f"models: {{ m: {model} }}\n")
    assert any("with a point" in str(p.hint) for p in found), found


@pytest.mark.parametrize(
    ("dataset", "code", "column"),
    [
        ("{ images: ./gone }", "N01", 16),
        ("{ images: [./set, ./gone] }", "N01", 24),
        ("{ images: ./set/*.webp }", "N01", 16),
        ("./gone", "N01", 6),
        ("{ images: ./set, captions: ./gone.csv }", "C18", 33),
        ("{ images: ./set, captions: { file: ./gone.csv } }", "C18", 35),
        ("{ images: ./set, captions: { map: { gone: a fox } } }", "C04", 0),
        ("{ images: ./set, captions: ../outside.csv }", "outside-root", 33),
        ("{ before: ./set, after: ./gone }", "N01", 30),
        ("{ pairs: ./gone.csv }", "C18", 15),
        ("{ pairs: { folder: ./gone } }", "N01", 17),
        ("{ images: ./set, exclude: [a.png, gone.png] }", "N09", 40),
        ("{ images: ./set, lint: { X99: off } }", "lint-setting", 31),
    ],
)
def test_the_marker_stands_under_the_value_that_is_wrong(dataset: str, code: str, column: int, tmp_path: Path) -> None:
    """Not under the dataset's key, which is at column 3."""
    for at, name in enumerate("abc"):
        make_picture(tmp_path / "set" / f"{name}.png", seed=at)
        (tmp_path / "set" / f"{name}.txt").write_text(f"a fox {name}")
    model = MODEL if "images" in dataset or dataset[0] == "." else MODEL.replace("flux.1", "flux.2-dev-edit")
    manifest = load(tmp_path, f"datasets:\n  d: {dataset}\n" + model)
    scanned = scan_datasets(
        manifest.datasets, root=manifest.root, cache_path=None, types_of={"d": ()}, cwd=str(tmp_path)
    )["d"]
    places = [p.location for p in scanned.problems if p.code == code]
    assert places
    assert places[0] is not None
    assert (places[0].file, places[0].line) == ("scenario.yaml", 3)
    assert places[0].column == column or (not column and (places[0].column or 0) > 20)


def test_an_exclude_of_the_defaults_may_leave_nothing_out(tmp_path: Path) -> None:
    """It is meant for all datasets; one that a dataset has itself is meant for a picture of it."""
    make_picture(tmp_path / "set" / "a.png")
    text = "defaults: { datasets: { exclude: ['*_draft.png'] } }\ndatasets: { d: { images: ./set } }\n" + MODEL
    manifest = load(tmp_path, text)
    scanned = scan_datasets(manifest.datasets, root=manifest.root, cache_path=None, types_of={}, cwd=str(tmp_path))
    assert "N09" not in {p.code for p in scanned["d"].problems}


def test_an_included_file_is_found_behind_backslashes(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "d.yaml").write_text("version: 1\ndatasets: { d: { images: ./set } }\n")
    assert "d" in load(tmp_path, "include: ['parts\\d.yaml']\n" + MODEL).datasets
    assert problems(tmp_path, "include: ['..\\outside.yaml']\n" + MODEL)[0].code == "outside-root"


def test_a_dataset_knows_whether_its_models_set_repeats(tmp_path: Path) -> None:
    """Then the numbers in the names of its folders need no warning."""
    text = "datasets: { d: ./a, e: ./b }\nmodels:\n"
    for name, dataset, repeats in (("one", "d", 10), ("two", "d", None), ("three", "e", 5)):
        parameters = f", parameters: {{ nbRepeats: {repeats} }}" if repeats else ""
        text += f"  {name}: {{ type: flux.1-lora, dataset: {dataset}{parameters} }}\n"
    found = load(tmp_path, text).datasets
    assert (found["d"].has_repeats, found["e"].has_repeats) == (False, True)


def test_an_instruction_of_single_images_is_named_as_unused(tmp_path: Path) -> None:
    text = MODEL + "datasets: { d: { images: ./kael, instruction: turn it } }"
    (problem,) = load(tmp_path, text).problems
    assert (problem.code, problem.severity, "caption:" in (problem.hint or "")) == ("dataset-shape", "warning", True)
