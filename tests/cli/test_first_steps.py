"""The first minute: init from wherever, and a way on where there is no manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from scenario_apply import __main__
from scenario_apply.cli.commands import init
from tests.dataset.build import make_picture

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a fresh clone holds of manifests."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(REPOSITORY / "manifests", tmp_path / "manifests", ignore=shutil.ignore_patterns(".scenario"))
    shutil.rmtree(tmp_path / "manifests" / "quickstart" / "state", ignore_errors=True)
    return tmp_path


def run(*words: str) -> int:
    return __main__.main(list(words))


def test_a_folder_without_a_manifest_names_those_below(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["plan"], ["plan", "manifests"], ["validate"]):
        assert run(*words) == 1
        err = capsys.readouterr().err
        assert "the folder manifests contains no manifest" in err
        assert "manifests/quickstart, manifests/examples/anchors.yaml" in err
        assert "manifests/examples/vars" not in err


def test_nothing_below_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(tmp_path / "manifests")
    assert run("plan") == 1
    assert "no scenario.yaml and no manifests/ in this directory" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run("plan", "empty") == 1
    assert "put a file that ends in .yaml there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("init manifest", "did you mean manifests?"),
        ("init manifests/quickstart/scenario.yaml", "it is a file: name the folder that contains the images"),
        ("destroy model.kael", "a manifest is expected here: --select model.kael selects a resource of it"),
        ("apply --dry-run", "`scenario-apply plan` shows what would be done"),
        ("version", "use scenario-apply --version"),
    ],
)
def test_a_usual_mistake_is_answered(words: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words.split()) in (1, 64)
    assert f"hint: {hint}\n" in capsys.readouterr().err


def test_the_example_of_init_works_and_leaves_the_quickstart_alone(capsys: pytest.CaptureFixture[str]) -> None:
    line = init.EXAMPLES.strip().splitlines()[0].split()
    assert run(*line[1:]) == 0
    printed = capsys.readouterr().out
    assert run("validate", "manifests/quickstart") == 0
    Path("scenario.yaml").write_text(printed)
    assert run("validate", "scenario.yaml") == 0
    assert run("plan", "--no-refresh") == 0


@pytest.mark.parametrize(
    ("folder", "words", "written"),
    [
        ("manifests/quickstart/kael", [], "scenario.yaml"),
        ("manifests/quickstart/kael", ["."], "scenario.yaml"),
        ("manifests/quickstart/props", ["../kael"], "../kael/scenario.yaml"),
        (".", ["manifests/quickstart/kael"], "scenario.yaml"),
        ("manifests/quickstart", ["kael", "--out", "kael.yaml"], "kael.yaml"),
    ],
)
def test_init_from_anywhere_writes_a_manifest_that_is_valid(
    folder: str, words: list[str], written: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice planned: the cache and the state beside the pictures are not taken for any."""
    monkeypatch.chdir(folder)
    assert run("init", *words) == 0
    assert run("validate", written) == 0
    for _ in range(2):
        assert run("plan", written, "--no-refresh", "--detailed-exitcode") == 2
    assert capsys.readouterr().out.count("8 images x ") == 2


def test_init_says_when_a_folder_would_be_read_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "manifests/quickstart/kael", "--out", "manifests/quickstart/first.yaml") == 0
    assert "manifests/quickstart/scenario.yaml is read, too" in capsys.readouterr().err


def test_init_overwrites_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("manifests/quickstart/scenario.yaml").read_bytes()
    assert run("init", "manifests/quickstart/kael", "--out", "manifests/quickstart/scenario.yaml") == 1
    assert "already exists" in capsys.readouterr().err
    assert Path("manifests/quickstart/scenario.yaml").read_bytes() == before


def test_init_suggests_parameters_in_a_comment_and_writes_them_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", "manifests/quickstart/kael", "--out", "-") == 0
    comment = capsys.readouterr().out
    assert "    # 8 images. For 5 to 10 images, the size table" in comment
    assert "    # parameters:\n    #   learningRate: 5.0e-05\n    #   nbEpochs: 17\n" in comment
    assert run("init", "manifests/quickstart/kael", "--suggest") == 0
    capsys.readouterr()
    assert run("dataset", "show", "kael") == 0
    assert "model.kael (flux.1-lora): 8 images x 24 repeats x 17 epochs = 3264 steps" in capsys.readouterr().out


SUGGESTED = """\
version: 1
defaults: {models: {type: flux.1-lora, dataset: ./manifests/quickstart/kael, parameters: {nbEpochs: 10}}}
models:
  fixed: {parameters: {maxTrainSteps: 750}}
  rates: {matrix: {learningRate: [1e-4, 2e-4]}}
  older: {type: sd-xl-lora, parameters: {nbEpochs: null}}
"""


def test_validate_suggests_a_block_that_can_be_pasted_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Steps that would decide are removed, what a matrix varies is left to it, and a type without epochs gets none."""
    Path("scenario.yaml").write_text(SUGGESTED)
    assert run("validate", "--suggest") == 0
    assert Path("scenario.yaml").read_text() == SUGGESTED
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed.replace("5.0e-05", "0.00005")) == {
        "models": {
            "fixed": {
                "parameters": {"learningRate": 5e-5, "nbEpochs": 17, "nbRepeats": 24, "maxTrainSteps": None},
            },
            "rates": {"parameters": {"nbEpochs": 17, "nbRepeats": 24}},
        }
    }
    for said in (
        "# now:       750 steps (epochs not counted: maxTrainSteps decides)",
        "# suggested: 8 images x 24 repeats x 17 epochs = 3264 steps",
        "# learningRate: left to the matrix",
        "# model.older, 8 images. No suggestion: sd-xl-lora is not counted in epochs",
    ):
        assert said in printed
    assert run("validate", "--suggest", "--format", "sarif") == 64
    capsys.readouterr()
    assert run("validate", "--suggest", "--format", "json") == 0
    assert [one["model"] for one in json.loads(capsys.readouterr().out)["suggestions"]] == ["fixed", "rates", "older"]


def test_init_finds_captions_in_json_and_one_folder_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It does not write `captions: auto` where `dataset show` would find captions."""
    make_picture(tmp_path / "a" / "01.png", seed=1, size=(64, 64))
    (tmp_path / "a" / "01.json").write_text('{"caption": "a fox"}')
    make_picture(tmp_path / "b" / "c" / "01.png", seed=2, size=(64, 64))
    (tmp_path / "b" / "metadata.csv").write_text("file_name,text\nc/01.png,a boat\n")
    for folder in ("a", "b"):
        assert run("init", folder, "--out", f"{folder}.yaml") == 0
        assert "auto" not in (tmp_path / f"{folder}.yaml").read_text()
    said = capsys.readouterr()
    assert "1 caption in .json files" in said.out + said.err
    assert "captions in ../metadata.csv" in said.out + said.err


def test_init_makes_one_dataset_of_numbered_folders(tmp_path: Path) -> None:
    """As `images:` reads them: without regularisation images and caches, and without losing the captions."""
    for at, name in enumerate(("img/10_kael/01.png", "img/3_pose/02.png", "reg/1_man/03.png", "img/cache/04.png")):
        make_picture(tmp_path / "kael" / name, seed=at, size=(64, 64))
    (tmp_path / "kael/img/10_kael/01.txt").write_text("a fox")
    (tmp_path / "kael/img/3_pose/02.txt").write_text("a boat")
    assert run("init", "kael", "--out", "kael.yaml") == 0
    assert yaml.safe_load((tmp_path / "kael.yaml").read_text())["datasets"] == {"img": {"images": "./kael/img"}}
