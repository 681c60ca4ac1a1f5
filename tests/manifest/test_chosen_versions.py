"""manifest/chosen_versions.py: `epoch:` and `best:` of models."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.manifest.spec import BestVersion, ModelSpec
from scenario_apply.model.address import Address, parse_address
from tests.manifest.load import load, problems


def text(more: str, kind: str = "flux.1-lora") -> str:
    return f"models: {{ kael: {{ type: {kind}, dataset: {{ images: ./kael, trigger: T }}, {more} }} }}"


def model(folder: Path, more: str) -> ModelSpec:
    return load(folder, text(more)).models[Address("model", "kael")]


@pytest.mark.parametrize("written", ["8", "8.0", '"8"', '"{{ 4 + 4 }}"', "8, parameters: { nbEpochs: 8 }"])
def test_an_epoch_is_a_number_or_text(written: str, tmp_path: Path) -> None:
    assert model(tmp_path, f"epoch: {written}").epoch == "8"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("epoch: 9, parameters: { nbEpochs: 8 }", "epoch-range"),
        ('epoch: "9", parameters: { nbEpochs: 8 }', "epoch-range"),
        ("epoch: 0", "out-of-range"),
        ("epoch: [1]", "wrong-type"),
        ("best: { epoch: 8 }", "missing-key"),
        ("best: { version: 0 }", "out-of-range"),
        ("best: { version: 1, at: yesterday }", "wrong-value"),
        ("best: { version: 1, reason: cloak }", "unknown-key"),
        ("best: 3", "wrong-type"),
        ("best: { version: 1 }, matrix: { rank: [8, 16] }", "best-of-matrix"),
    ],
)
def test_what_cannot_be_chosen(more: str, code: str, tmp_path: Path) -> None:
    [problem] = problems(tmp_path, text(more))
    assert problem.code == code
    assert problem.location is not None


def test_a_bare_number_is_written_as_a_version(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, text("best: 3"))
    assert (problem.hint or "").startswith("write best: { version: 3 }")


def test_a_type_without_a_documented_choice_is_warned_about(tmp_path: Path) -> None:
    [problem] = load(tmp_path, text("epoch: 8", "zimage-lora")).problems
    assert (problem.code, problem.severity) == ("epoch-type", "warning")
    assert "flux.1-lora and flux.1-kontext-lora, not for zimage-lora" in problem.message


def test_the_best_version_is_recorded_with_who_when_and_why(tmp_path: Path) -> None:
    """A date needs no quotes; null is nothing."""
    found = model(tmp_path, "best: { version: 3, epoch: 8, by: Ada, at: 2026-11-27, why: the cloak }")
    assert found.best == BestVersion(version=3, epoch="8", by="Ada", at="2026-11-27", why="the cloak")
    assert model(tmp_path, "best: null, epoch: null").best is None


def test_what_was_chosen_of_a_model_is_not_that_of_one_that_extends_it(tmp_path: Path) -> None:
    written = text("epoch: 8, best: { version: 3 }").removesuffix("}") + ", two: { extends: kael } }"
    two = load(tmp_path, written).models[Address("model", "two")]
    assert (two.epoch, two.best) == (None, None)


def test_a_child_of_a_matrix_may_have_its_own(tmp_path: Path) -> None:
    """Under `include:`, and what is wrong there is found."""
    of_child = "epoch: 4, best: { version: 2 }, samples: ['{{ trigger }}']"
    models = load(tmp_path, text(f"matrix: {{ include: [{{ rank: 8, {of_child} }}, {{ rank: 16 }}] }}")).models
    found, other = models[parse_address("model.kael/8")], models[parse_address("model.kael/16")]
    assert found.best is not None
    assert (found.epoch, found.best.version, [s.prompt for s in found.samples.samples]) == ("4", 2, ["T"])
    assert (other.epoch, other.best, other.samples.samples) == (None, None, ())
    wrong = "epoch: 0, best: 3, samples: [5], tags: red"
    found_problems = problems(tmp_path, text(f"matrix: {{ include: [{{ rank: 8, {wrong} }}] }}"))
    assert sorted(p.code for p in found_problems) == ["out-of-range", "wrong-type", "wrong-type", "wrong-type"]
