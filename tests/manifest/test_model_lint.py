"""manifest/model_lint.py: lint rules about models follow the `lint:` of their datasets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifest.load import load, problems


def rates(folder: Path, rate: str, kind: str = "flux.1-lora", lint: str = "{}") -> list[tuple[str, str]]:
    model = f"{{ type: {kind}, dataset: a, parameters: {{ learningRate: {rate} }} }}"
    manifest = load(folder, f"datasets: {{ a: {{ images: ./a, lint: {lint} }} }}\nmodels: {{ m: {model} }}")
    return [(problem.code, problem.severity) for problem in manifest.problems if problem.code == "M03"]


@pytest.mark.parametrize("rate", ["1", "0.01", "1e-2", "1e-8", "5"])
def test_a_learning_rate_of_another_magnitude_is_a_warning(rate: str, tmp_path: Path) -> None:
    assert rates(tmp_path, rate) == [("M03", "warning")]


@pytest.mark.parametrize(
    ("rate", "kind"),
    [*((rate, "flux.1-lora") for rate in ("1e-4", "4e-4", "1e-3", "1e-5", "1e-6")), ("5e-6", "sd-xl-lora")],
)
def test_usual_learning_rates_are_not_reported(rate: str, kind: str, tmp_path: Path) -> None:
    assert rates(tmp_path, rate, kind) == []


def test_the_dataset_sets_the_bounds_and_the_severity(tmp_path: Path) -> None:
    assert rates(tmp_path, "0.01", lint="{ M03: off }") == []
    assert rates(tmp_path, "0.01", lint="{ max-learning-rate: 0.1 }") == []
    assert rates(tmp_path, "1e-8", lint="{ min-learning-rate: 1e-9 }") == []


def test_a_rule_that_is_an_error_stops(tmp_path: Path) -> None:
    [problem] = problems(
        tmp_path,
        "datasets: { a: { images: ./a, lint: { learning-rate: error } } }\n"
        "models: { m: { type: flux.1-lora, dataset: a, parameters: { learningRate: 1 } } }",
    )
    assert (problem.code, problem.severity) == ("M03", "error")


def test_a_parameter_of_another_type_is_left_out_where_the_rule_is_lowered(tmp_path: Path) -> None:
    text = (
        "datasets: {{ a: {{ images: ./a, lint: {{ {lint} }} }} }}\n"
        "models: {{ m: {{ type: sd-xl-lora, dataset: a, parameters: {{ nbEpochs: 3 }} }} }}"
    )
    [problem] = [p for p in problems(tmp_path, text.format(lint="")) if p.severity == "error"]
    assert problem.code == "M02"
    manifest = load(tmp_path, text.format(lint="M02: warning"))
    assert ("M02", "warning") in [(p.code, p.severity) for p in manifest.problems]
    assert [dict(model.parameters) for model in manifest.models.values()] == [{}]
    assert "M02" not in [p.code for p in load(tmp_path, text.format(lint="parameter-of-another-type: off")).problems]


def test_a_dataset_of_another_shape_may_be_allowed(tmp_path: Path) -> None:
    model = "models: { m: { type: qwen-image-edit-lora, dataset: a } }\n"
    assert [p.code for p in problems(tmp_path, f"datasets: {{ a: ./a }}\n{model}")] == ["M01"]
    lowered = load(tmp_path, f"datasets: {{ a: {{ images: ./a, lint: {{ M01: warning }} }} }}\n{model}")
    assert [(p.code, p.severity) for p in lowered.problems] == [("M01", "warning")]
