"""manifest/sample_specs.py: what a sample is, what is wrong with it, and what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.manifest.spec import SampleSpec
from scenario_apply.model.address import Address
from scenario_apply.model.samples import SampleSettings, derived_seed
from tests.manifest.load import load, problems

KAEL = Address("model", "kael")


def text(samples: str, more: str = "", trigger: str = ", trigger: KAEL_07") -> str:
    return (
        f"datasets: {{ kael: {{ images: ./kael{trigger} }} }}\n"
        f"models: {{ kael: {{ type: flux.1-lora, dataset: kael{more}, samples: {samples} }} }}\n"
    )


def drawn(folder: Path, samples: str, more: str = "") -> list[SampleSpec]:
    manifest = load(folder, text(samples, more))
    return [sample for model in manifest.models.values() for sample in model.samples.samples]


def test_a_prompt_knows_the_trigger_the_variables_and_the_environment(tmp_path: Path) -> None:
    """Whole, as part of a text, or through a filter."""
    manifest = load(
        tmp_path,
        text('["{{ trigger }}", "{{ trigger | lower }} {{ place }}", "{{ env.WHO }} at {{ var.place }}"]')
        + "variables: { place: { default: sea } }",
        env={"WHO": "Kael"},
    )
    assert [s.prompt for s in manifest.models[KAEL].samples.samples] == ["KAEL_07", "kael_07 sea", "Kael at sea"]


def test_what_a_template_gives_is_no_template_again(tmp_path: Path) -> None:
    """A prompt is rendered once: the environment is not trusted with templates, and braces stay as they are."""
    manifest = load(
        tmp_path,
        text('["{{ env.WHO }}", "{{ trigger }} {{ env.WHO }}", "{{ list[0] }}", "{{ all_triggers }}"]')
        + "variables: { list: { default: ['{{ \"{{ trigger }}\" }}'] }, all_triggers: { default: A } }",
        env={"WHO": "{{ trigger }} {{ env.WHO }}"},
    )
    who = "{{ trigger }} {{ env.WHO }}"
    drawn = [s.prompt for s in manifest.models[KAEL].samples.samples]
    assert drawn == [who, f"KAEL_07 {who}", "{{ trigger }}", "A"]


def test_every_setting_arrives_as_it_is_sent(tmp_path: Path) -> None:
    settings = "seed: 3, scale: 1, size: 1024x768, count: 2, guidance: 4, steps: 30, base: b, reference: r.png"
    [sample] = drawn(tmp_path, f"[{{ prompt: a, {settings} }}]")
    assert sample.settings == SampleSettings(scale=1.0, width=1024, height=768, count=2, guidance=4.0, steps=30)
    assert (sample.seed, sample.base, sample.reference) == (3, "b", "r.png")


def test_a_reference_is_not_sent_to_a_base_that_edits_nothing(tmp_path: Path) -> None:
    """Such as that of the defaults, where some models edit and others do not."""
    written = "[{ prompt: a, reference: r.png }, { prompt: a, reference: r.png, base: model_flux-kontext-editing }]"
    manifest = load(tmp_path, text(written))
    assert [s.reference for s in manifest.models[KAEL].samples.samples] == [None, "r.png"]
    [problem] = manifest.problems
    assert (problem.code, problem.severity) == ("sample-reference", "warning")
    assert "model_bfl-flux-1-dev draws flux.1-lora from the prompt alone" in problem.message


@pytest.mark.parametrize("size", ["512", "512x512", "[512, 512]", '"512 X 512"', '"{{ 500 + 12 }}"'])
def test_a_size_may_be_written_in_several_ways(size: str, tmp_path: Path) -> None:
    [sample] = drawn(tmp_path, f"[{{ prompt: a, size: {size} }}]")
    assert (sample.settings.width, sample.settings.height) == (512, 512)


def test_seeds_come_of_address_and_prompt_and_are_those_of_every_child(tmp_path: Path) -> None:
    """Children of a matrix are compared: their pictures differ in nothing but the training."""
    samples = drawn(tmp_path, "[a, b]", ", matrix: { rank: [8, 16] }")
    assert [s.seed for s in samples] == [derived_seed(KAEL, "a"), derived_seed(KAEL, "b")] * 2


@pytest.mark.parametrize(
    ("written", "code", "what", "hint", "marked"),
    [
        ("[{ seed: 3 }]", "missing-key", "has no prompt", "add `prompt:`", "{ seed"),
        ('[""]', "empty-value", "is empty", "set a value", '""'),
        ('["{{ trigger[:0] }}"]', "empty-value", "is empty", "write what", '"{{'),
        (f"[{'a' * 10_001}]", "too-long", "10001 characters; at most 10000", "shorten", "aaa"),
        ("[{ prompt: a, scale: 2.5 }]", "scale-range", "scale is 2.5", "0 to 2", "2.5"),
        ("[{ prompt: a, scale: -0.5 }]", "scale-range", "scale is -0.5", "0 to 2", "-0.5"),
        ("[{ prompt: a, count: 5 }]", "out-of-range", "count is 5", "1 to 4", "5"),
        ("[{ prompt: a, seed: 2147483648 }]", "out-of-range", "seed is 2.14", "0 to", "2147"),
        ("[{ prompt: a, guidance: 21 }]", "out-of-range", "guidance is 21", "0 to 20", "21"),
        ("[{ prompt: a, steps: 0 }]", "out-of-range", "steps is 0", "1 to 50", "0"),
        ("[{ prompt: a, size: 250 }]", "out-of-range", "size is 250", "256 to 2048", "250"),
        (
            "[{ prompt: a, size: 1000x1001 }]",
            "sample-size",
            "a side of 1001, no multiple of 8",
            "as 1000",
            "1000x",
        ),
        ("[{ prompt: a, size: 4096x512 }]", "sample-size", "a side of 4096, out of range", "such as 2048", "4096"),
        ("[{ prompt: a, size: large }]", "sample-size", "'large' is not a size", "write 1024x768", "large"),
        ("[{ prompt: a, size: [512] }]", "empty-value", "1 entry; at least 2", "write 1024x768", "[512"),
        ("[{ prompt: a, size: [512, 512, 3] }]", "too-long", "at most 2", "write 1024x768", "[512"),
        ("[{ prompt: a, size: { width: 512 } }]", "wrong-type", "not a map", "write 1024x768", "{ width"),
        ("[{ prompt: a, size: true }]", "wrong-type", "not true or false", "write 1024x768", "true"),
        ("[{ prompt: a, size: [512, large] }]", "wrong-type", "must be a whole number", "write a number", "large"),
        ("[{ prompt: a, scale: .nan }]", "not-a-number", ".nan", "finite", ".nan"),
        ("[{ prompt: a, seed: \"{{ 'nan' | float }}\" }]", "template-refused", "not a finite number", "", '"{{'),
        ('[{ prompt: "a\\e[31m" }]', "control-character", "'\\x1b'", "remove it", '"a'),
        ("[{ prompt: a, seed: '{{ trigger }}' }]", "undefined-variable", "only in captions", "", "'{{"),
        ("['{{ triger }} at sea']", "undefined-variable", "triger", "did you mean trigger?", "'{{"),
        ("{ portrait: a, sise: 768 }", "wrong-type", "sise must be text", "did you mean size?", "768"),
        ("{ on: later, prompts: [a] }", "wrong-value", "on must be trained or manual", "", "later"),
        ("{ on: [], prompts: [a] }", "empty-value", "on is an empty list", "", "[]"),
        ("[{ prompt: a, base: a/b }]", "id", "is not a valid id", "letters", "a/b"),
        ("[{ prompt: a, name: '2' }, b]", "sample-name", "two samples named 2", "the first is at", "b"),
        ("[{ prompt: a, numOutputs: 2 }]", "unknown-key", "numOutputs", "did you mean count?", "numOutputs"),
        ("[{ prompt: a, num_inference_steps: 2 }]", "unknown-key", "num_inf", "did you mean steps?", "num_inf"),
        ("[{ prompt: a, cfg: 2 }]", "unknown-key", "cfg", "did you mean guidance?", "cfg"),
        ("[{ prompt: a, lora_scale: 2 }]", "unknown-key", "lora_scale", "did you mean scale?", "lora_scale"),
        ("[{ prompt: a, width: 512 }]", "unknown-key", "width", "write size: 1024x768", "width"),
        ("[{ prompt: a, negative_prompt: b }]", "unknown-key", "negative", "take no negative prompt", "negative"),
        ("[{ prompt: a, sede: 2 }]", "unknown-key", "sede", "did you mean seed?", "sede"),
        ("{ prompts: [a], num_images: 2 }", "unknown-key", "num_images", "did you mean count?", "num_images"),
        ("{ prompts: [a], portrait: b }", "unknown-key", "portrait", "prompts: { portrait: ... }", "portrait"),
        ("{ prompt: a, seed: 3 }", "unknown-key", "prompt", "write prompts: with a list", "prompt"),
        ("{ portrait: 5 }", "wrong-type", "portrait must be", "quotes", "5"),
        ("[{ prompt: [a, b] }]", "wrong-type", "must be text, not a list", "a sample for each prompt", "[a"),
        ("[5]", "wrong-type", "must be text or a map", "quotes", "5"),
        ("just one", "wrong-type", "samples must be a list or a map", "write [just one]", "just"),
        ('"rain, at sea"', "wrong-type", "not text", 'write ["rain, at sea"]', '"rain'),
        ('"{{ trigger }} at sea"', "wrong-type", "not text", 'write ["{{ trigger }} at sea"]', '"{{'),
        ("[{ prompt: a, portrait: b }]", "unknown-key", "portrait", "{ name: portrait, prompt: ... }", "portrait"),
    ],
)
def test_what_is_wrong_is_named_where_it_is_with_a_hint(
    written: str, code: str, what: str, hint: str, marked: str, tmp_path: Path
) -> None:
    [problem] = problems(tmp_path, text(written))
    assert problem.location is not None
    assert problem.location.column is not None
    at = (tmp_path / "scenario.yaml").read_text().splitlines()[2][problem.location.column - 1 :]
    assert (problem.code, at[: len(marked)]) == (code, marked)
    assert what in problem.message
    assert hint in (problem.hint or "")


def test_samples_belong_to_models_and_compositions(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, f"samples: [a]\n{text('[a]')}")
    assert problem.message == "unknown key samples at the top level"
    assert "below a model or a composition" in (problem.hint or "")


def test_the_same_sample_twice_is_drawn_once_and_said(tmp_path: Path) -> None:
    manifest = load(tmp_path, text("{ hero: a, villain: a, other: { prompt: a, seed: 3 } }"))
    assert [sample.name for sample in manifest.models[KAEL].samples.samples] == ["hero", "other"]
    [problem] = manifest.problems
    assert (problem.code, problem.severity) == ("sample-twice", "warning")
    assert "sample villain is the same as sample hero" in problem.message


def test_a_trigger_that_the_dataset_lacks_is_an_error(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, text('["{{ trigger }} at sea"]', trigger=""))
    assert problem.code == "undefined-variable"
    assert problem.message == "trigger is not defined: dataset.kael has none"
    assert "add `trigger:`" in (problem.hint or "")


@pytest.mark.parametrize(
    ("triggers", "wanted"),
    [
        ((", trigger: A", ""), "A at sea"),
        ((", trigger: A", ", trigger: B"), "model.a and model.b of composition.mix each have one"),
        (("", ""), "no declared part of composition.mix has one"),
    ],
)
def test_the_trigger_of_a_composition_is_not_guessed(triggers: tuple[str, str], wanted: str, tmp_path: Path) -> None:
    """That of the one part that has one; else the prompt has to say which."""
    a, b = triggers
    written = (
        f"datasets: {{ a: {{ images: ./a{a} }}, b: {{ images: ./b{b} }} }}\n"
        "models: { a: { type: flux.1-lora, dataset: a }, b: { type: flux.1-lora, dataset: b } }\n"
        "compositions: { mix: { concepts: [{ model: a, scale: 1 }, { model: b, scale: 1 }],"
        ' samples: ["{{ trigger }} at sea"] } }'
    )
    if "sea" in wanted:
        [mix] = load(tmp_path, written).compositions.values()
        assert mix.samples.samples[0].prompt == wanted
        return
    [problem] = problems(tmp_path, written)
    assert (problem.code, wanted in problem.message) == ("undefined-variable", True)


def test_a_sample_of_a_composition_takes_no_scale(tmp_path: Path) -> None:
    written = "compositions: { mix: { concepts: [{ modelId: m, scale: 1 }], samples: [{ prompt: a, scale: 0.5 }] } }"
    [problem] = problems(tmp_path, written)
    assert (problem.code, problem.hint) == ("sample-scale", "set the scale of its concepts")


def test_a_default_prompt_is_compiled_once_for_many_models(tmp_path: Path) -> None:
    """The limit on the templates of a manifest does not count it for each."""
    model = "{ type: flux.1-lora, dataset: { images: ./a, trigger: T%d } }"
    models = "".join(f"  m{n}: {model % n}\n" for n in range(300))
    prompt = "{{ trigger }} " + "x" * 1500
    manifest = load(tmp_path, f"defaults: {{ samples: ['{prompt}'] }}\nmodels:\n{models}")
    assert manifest.models[Address("model", "m299")].samples.samples[0].prompt.startswith("T299 xxx")


def test_settings_without_any_prompt_are_said_where_they_are_written(tmp_path: Path) -> None:
    """Once for those of defaults, and only where no resource has prompts for them."""

    def places(text: str) -> list[tuple[int | None, int | None]]:
        found = [p for p in load(tmp_path, text).problems if p.code == "samples-empty"]
        return [(p.location.line, p.location.column) for p in found if p.location is not None]

    two = "  a: { type: flux.1-lora, dataset: k }\n  b: { type: flux.1-lora, dataset: k, name: B%s }\n"
    head = "datasets: { k: { images: ./kael } }\n"
    defaults = "defaults: { samples: { on: [trained], size: 512 } }\nmodels:\n"
    assert places(head + defaults + two % "") == [(3, 22)]
    assert places(head + defaults + two % ", samples: [a knight]") == []
    assert places(head + "models:\n" + two % ", samples: { on: [trained] }") == [(5, 57)]
    assert places(head + "models:\n" + two % ", samples: []") == []


@pytest.mark.parametrize("key", ["sampels", "sample_pictures"])
def test_below_a_misspelt_key_only_the_key_is_wrong(tmp_path: Path, key: str) -> None:
    written = text('{ a: ["{{ trigger }} at sea", "{{ colour }}"] }').replace("samples:", f"{key}:")
    assert [problem.code for problem in problems(tmp_path, written)] == ["unknown-key"]
