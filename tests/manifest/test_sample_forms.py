"""manifest/sample_forms.py: every form of samples means the same, over the defaults too."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.manifest.spec import SamplesSpec
from scenario_apply.model.address import Address
from tests.manifest.load import load

KAEL = "datasets: { kael: { images: ./kael, trigger: KAEL_07 } }\nmodels: { kael: { type: flux.1-lora, dataset: kael"


def samples(folder: Path, written: str, defaults: str = "") -> SamplesSpec:
    """Those of a model whose `samples:` is written; nothing: it says nothing of samples."""
    own = f", samples: {written}" if written else ""
    manifest = load(folder, f"{KAEL}{own} }} }}\ndefaults: {{ {defaults} }}")
    return manifest.models[Address("model", "kael")].samples


def shown(spec: SamplesSpec) -> list[tuple[str, str]]:
    return [(sample.name, sample.prompt) for sample in spec.samples]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("[a, b]", [("1", "a"), ("2", "b")]),
        ("[{ prompt: a, name: front }, b]", [("front", "a"), ("2", "b")]),
        ("{ portrait: a, sea: [b, c] }", [("portrait", "a"), ("sea", "b"), ("sea/2", "c")]),
        ("{ on: manual, prompts: [a] }", [("1", "a")]),
        ("{ seed: 3, prompts: { portrait: [a, { prompt: b, name: x }] } }", [("portrait", "a"), ("portrait/x", "b")]),
        ("{ x-note: mine, portrait: a }", [("portrait", "a")]),
        ("[]", []),
        ("null", []),
        ("{ prompts: null }", []),
    ],
)
def test_the_forms_of_samples(written: str, wanted: list[tuple[str, str]], tmp_path: Path) -> None:
    """A list, named sets, or settings with either of them, in the order written."""
    assert shown(samples(tmp_path, written)) == wanted


@pytest.mark.parametrize(
    ("defaults", "written", "wanted"),
    [
        ("samples: [a]", "", [("1", "a")]),
        ("models: { samples: [a] }", "", [("1", "a")]),
        ("samples: [a], models: { samples: [b] }", "", [("1", "b")]),
        ("samples: { p: a, q: b }", "{ p: c, r: d }", [("p", "c"), ("r", "d"), ("q", "b")]),
        ("samples: { p: a, q: b }", "{ p: null }", [("q", "b")]),
        (
            "samples: { p: a }, models: { samples: { q: b } }",
            "{ prompts: { r: c } }",
            [("r", "c"), ("q", "b"), ("p", "a")],
        ),
        ("samples: { p: a }", "[c]", [("1", "c")]),
        ("samples: [a]", "{ p: c }", [("p", "c")]),
        ("samples: [a]", "null", []),
        ("samples: [a]", "{ size: 512 }", [("1", "a")]),
    ],
)
def test_over_the_defaults_sets_are_merged_by_name_and_a_list_replaces(
    defaults: str, written: str, wanted: list[tuple[str, str]], tmp_path: Path
) -> None:
    """Those of the defaults come last."""
    assert shown(samples(tmp_path, written, defaults)) == wanted


def test_settings_are_common_to_the_prompts_and_each_may_have_its_own(tmp_path: Path) -> None:
    """Those of the defaults hold for a model's own list too."""
    found = samples(tmp_path, "[a, { prompt: b, scale: 1 }]", "samples: { scale: 0.5, on: manual, seed: 7 }")
    assert [(sample.settings.scale, sample.seed) for sample in found.samples] == [(0.5, 7), (1.0, 7)]
    assert found.on == ("manual",)


def test_a_model_takes_over_those_of_the_model_it_extends(tmp_path: Path) -> None:
    text = f"{KAEL}, samples: {{ p: a }} }}, two: {{ extends: kael, samples: {{ q: b }} }} }}"
    manifest = load(tmp_path, text)
    assert shown(manifest.models[Address("model", "two")].samples) == [("q", "b"), ("p", "a")]


def test_a_composition_leaves_out_the_scale_of_the_common_defaults(tmp_path: Path) -> None:
    text = f"{KAEL} }} }}\ncompositions: {{ mix: {{ concepts: [{{ model: kael, scale: 1 }}] }} }}"
    common = "defaults: { samples: { scale: 0.5, prompts: [a, { prompt: b, scale: 0.7 }] } }"
    manifest = load(tmp_path, f"{text}\n{common}")
    [mix], [kael] = manifest.compositions.values(), manifest.models.values()
    assert [sample.settings.scale for sample in mix.samples.samples] == [None, None]
    assert [sample.settings.scale for sample in kael.samples.samples] == [0.5, 0.7]
