"""planning/model_rules.py: rules that need models and the contents of their datasets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.types import Contents, Dataset, Image
from scenario_apply.planning.model_rules import shared_pictures, with_step_counts
from tests.manifest.load import load

REST: dict[str, Any] = {"file": "x.png", "size_bytes": 1, "mime": "image/png", "width": 1, "height": 1}


def dataset(name: str, captions: Mapping[str, str | None], pairs: int = 0) -> Dataset:
    """captions: the digest of each picture -> its caption."""
    images = tuple(Image(path=f"{sha}.png", sha256=sha, caption=text, **REST) for sha, text in captions.items())
    contents = Contents(images=images)
    return Dataset(
        name=name,
        digest="",
        source_digest="",
        image_count=len(images),
        pair_count=pairs,
        problems=(),
        load=lambda: contents,
    )


def steps(folder: Path, model: str, images: int, lint: str = "{}", **sizes: int) -> list[tuple[str, str, int | None]]:
    """Code, severity and line of what is said about the steps of a model."""
    manifest = load(folder, f"datasets: {{ a: {{ images: ./a, lint: {lint} }} }}\nmodels:\n  m: {model}\n")
    held = dataset("a", {str(n): None for n in range(images)}, **sizes)
    found = with_step_counts(manifest, {"a": held}).problems[len(manifest.problems) :]
    assert all("=" in problem.message for problem in found)
    return [(p.code, p.severity, p.location.line if p.location else None) for p in found]


QWEN = "{ type: qwen-image-lora, dataset: a, parameters: { nbEpochs: 100, nbRepeats: 10 } }"


def test_more_steps_than_the_type_takes_are_a_warning_at_the_parameter(tmp_path: Path) -> None:
    """N06: images x repeats x epochs / batch above 10,000; exactly so many are fine."""
    assert steps(tmp_path, QWEN, 10) == []
    assert steps(tmp_path, QWEN, 11) == [("N06", "warning", 4)]
    assert steps(tmp_path, QWEN.replace("nbRepeats: 10", "nbRepeats: 10, batchSize: 2"), 20) == []
    assert steps(tmp_path, "{ type: qwen-image-lora, dataset: a }", 50) == []  # the defaults


def test_sdxl_may_take_forty_thousand_steps(tmp_path: Path) -> None:
    assert steps(tmp_path, "{ type: sd-xl-lora, dataset: a }", 100) == []


@pytest.mark.parametrize(
    ("lint", "said"),
    [
        ("{ N06: off }", []),
        ("{ too-many-steps: error }", ["error"]),
        ("{ max-steps: 20000 }", []),
        ("{ N06: 5000 }", ["warning"]),
    ],
)
def test_a_dataset_sets_the_limit_of_steps(lint: str, said: list[str], tmp_path: Path) -> None:
    assert [severity for _, severity, _ in steps(tmp_path, QWEN, 11, lint)] == said


def shared(folder: Path, one: Mapping[str, str | None], other: Mapping[str, str | None], lint: str = "{}") -> list[str]:
    manifest = load(
        folder,
        f"datasets: {{ a: ./a, b: {{ images: ./b, lint: {lint} }} }}\n"
        "models: { m: { type: flux.1-lora, dataset: a }, n: { type: flux.1-lora, dataset: b } }\n",
    )
    found = shared_pictures(manifest, {"a": dataset("a", one), "b": dataset("b", other)})
    assert all(problem.code == "D06" for problem in found)
    return [f"{problem.severity}: {problem.message}" for problem in found]


def test_one_picture_with_two_captions_is_a_note(tmp_path: Path) -> None:
    """D06; the same caption, or a picture twice in one dataset, is no such case."""
    assert shared(tmp_path, {"1": "KAEL, a cat", "2": "x"}, {"1": "MIRA, a cat", "3": "y"}) == [
        "info: 1 picture is in dataset.b and dataset.a with different captions: 1.png"
    ]
    assert shared(tmp_path, {"1": "a cat"}, {"1": "a cat"}) == []
    assert shared(tmp_path, {"1": None}, {"1": None}) == []
    assert shared(tmp_path, {"1": "a cat"}, {"1": None}, "{ D06: off }") == []
    assert shared(tmp_path, {"1": "a cat"}, {"1": None}, "{ D06: warning }")[0].startswith("warning: ")
