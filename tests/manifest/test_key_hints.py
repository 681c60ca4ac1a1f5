"""manifest.schema.key_hints: a key that is written at the wrong place gets the hint of its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifest.load import problems

MODEL = "models: {{ m: {{ type: flux.1-lora, dataset: ./p, {key} }} }}"
DATASET = "datasets: {{ d: {{ images: ./p, {key} }} }}"
MIX = "compositions: {{ c: {{ concepts: [{{ modelId: model_1, scale: 1 }}], {key} }} }}"
TOP = "models: {{}}\n{key}\n"

OF_A_DATASET = "it belongs to a dataset: put it below datasets:, or into dataset: { ... } of a model"


@pytest.mark.parametrize(
    ("place", "key", "hint"),
    [
        (MODEL, "captions: { missing: auto }", OF_A_DATASET),
        (MODEL, "images: ./p", OF_A_DATASET),
        (MODEL, "nbEpochs: 3", "did you mean parameters.nbEpochs?"),
        (MODEL, "keep_versions: 2", "put it below lifecycle: of a model or a composition"),
        (MODEL, "limits: { cost: 3 }", "put it at the top level, beside models:"),
        (MODEL, "prompt: a ship", "put it below samples:"),
        (MODEL, "base: flux", "type: says what is trained, as in type: flux.1-lora; the base of samples belongs below"),
        (DATASET, "type: flux.1-lora", "put it below a model or a composition"),
        (DATASET, "learningRate: 1e-4", "put it below parameters: of a model"),
        (MIX, "scale: 0.4", "put it into the entries of concepts:"),
        (MIX, "models: [m]", "did you mean concepts?"),
        (MIX, "dataset: ./p", "put it below a model"),
        (TOP, "captions: auto", OF_A_DATASET),
        (TOP, "dataset: {}", "did you mean datasets?"),
    ],
)
def test_a_key_of_another_place_is_sent_there(tmp_path: Path, place: str, key: str, hint: str) -> None:
    [found] = [one for one in problems(tmp_path, place.format(key=key)) if one.code == "unknown-key"]
    assert str(found.hint).startswith(hint)
