"""manifest/parameters.py: parameters against the table of training types."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manifest.load import load, problems

MUSUBI = ("flux.2-dev-lora", "flux.2-klein-base-9b-lora", "qwen-image-2512-lora", "zimage-turbo-lora")


def model(kind: str, prompt: str) -> str:
    return f"models: {{ kael: {{ type: {kind}, dataset: ./kael, parameters: {{ conceptPrompt: {prompt!r} }} }} }}"


@pytest.mark.parametrize("kind", MUSUBI)
def test_the_newer_families_take_a_concept_prompt_of_twenty_characters(kind: str, tmp_path: Path) -> None:
    manifest = load(tmp_path, model(kind, "KAEL_07 é" + "x" * 11))
    [spec] = manifest.models.values()
    assert spec.parameters == {"conceptPrompt": "KAEL_07 é" + "x" * 11}
    assert manifest.problems == ()
    [problem] = problems(tmp_path, model(kind, "x" * 21))
    assert (problem.code, problem.hint) == ("parameter-range", "shorten it")
    assert f"21 characters long; at most 20 are allowed ({kind})" in problem.message


def test_edit_types_take_one_too(tmp_path: Path) -> None:
    pairs = "{ before: ./day, after: ./night, instruction: make it night }"
    text = "models: { night: { type: qwen-image-edit-2511-lora, dataset: %s, parameters: { conceptPrompt: DUSK } } }"
    [spec] = load(tmp_path, text % pairs).models.values()
    assert spec.parameters == {"conceptPrompt": "DUSK"}


def test_flux_1_takes_a_longer_one(tmp_path: Path) -> None:
    [spec] = load(tmp_path, model("flux.1-lora", "x" * 200)).models.values()
    assert spec.parameters == {"conceptPrompt": "x" * 200}


def test_an_inherited_concept_prompt_is_sent_for_every_family(tmp_path: Path) -> None:
    manifest = load(
        tmp_path,
        """
        defaults: { models: { dataset: ./kael, parameters: { conceptPrompt: KAEL } } }
        models: { one: { type: flux.1-lora }, two: { type: zimage-lora } }
        """,
    )
    assert [spec.parameters for spec in manifest.models.values()] == [{"conceptPrompt": "KAEL"}] * 2
    assert manifest.problems == ()


@pytest.mark.parametrize(
    ("value", "kind", "hint"),
    [
        (
            "conceptPrompt: a photo of KAEL_07 the ranger",
            "flux.2-dev-lora",
            "shorten it, or write `conceptPrompt: null`",
        ),
        ("rank: 100", "flux.1-lora", "use 2 to 64, or write `rank: null`"),
    ],
)
def test_an_inherited_value_that_does_not_fit_can_be_left_out(value: str, kind: str, hint: str, tmp_path: Path) -> None:
    """It may be right for the other models that inherit it."""
    defaults = f"defaults: {{ models: {{ dataset: ./kael, parameters: {{ {value} }} }} }}"
    text = f"{defaults}\nmodels: {{ one: {{ type: {kind} %s }} }}"
    [problem] = problems(tmp_path, text % "")
    assert problem.hint == f"{hint} under parameters of model.one"
    name = value.partition(":")[0]
    [spec] = load(tmp_path, text % f", parameters: {{ {name}: null }}").models.values()
    assert spec.parameters == {}
