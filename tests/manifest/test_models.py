"""manifest/models.py: which datasets a training type is trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.model.address import Address
from tests.manifest.load import load, problems

KONTEXT = Address("model", "night")


@pytest.mark.parametrize(
    "dataset", ["{ before: ./day, after: ./night, instruction: make it night }", "{ pairs: ./p.csv }"]
)
def test_kontext_is_trained_on_pairs(dataset: str, tmp_path: Path) -> None:
    manifest = load(tmp_path, f"models: {{ night: {{ type: flux.1-kontext-lora, dataset: {dataset} }} }}")
    assert manifest.models[KONTEXT].type == "flux.1-kontext-lora"
    assert manifest.problems == ()


def test_kontext_takes_single_images_with_one_warning_for_a_whole_matrix(tmp_path: Path) -> None:
    """The service was not seen to refuse them: the manifest stays valid, and what is unusual is said once, in place."""
    manifest = load(
        tmp_path,
        """
        datasets: { night: ./night }
        models:
          night: { type: flux.1-kontext-lora, dataset: night }
          rates: { type: flux.1-kontext-lora, dataset: night, matrix: { rank: [8, 16, 32] } }
        """,
    )
    assert len(manifest.models) == 4
    [problem] = manifest.problems
    assert (problem.severity, problem.code) == ("warning", "single-images")
    assert "model.night, model.rates/8, model.rates/16 and 1 more" in problem.message
    assert problem.location is not None
    assert (problem.location.line, problem.location.column) == (5, 48)


def test_other_types_of_pairs_refuse_single_images(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "models: { night: { type: qwen-image-edit-lora, dataset: ./night } }")
    assert problem.code == "M01"


def test_krea_is_still_trained_on_single_images(tmp_path: Path) -> None:
    pairs = "{ before: ./day, after: ./night, instruction: make it night }"
    [problem] = problems(tmp_path, f"models: {{ night: {{ type: flux.1-krea-lora, dataset: {pairs} }} }}")
    assert (problem.code, problem.severity) == ("M01", "error")
