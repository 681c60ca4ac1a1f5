"""Secrets in a manifest: the one place that takes them, every other that does not, and what is said of either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenario_apply.errors import ManifestError
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.manifest.spec import Manifest
from scenario_apply.model.address import parse_address
from scenario_apply.model.secret import Secret
from tests.manifest.load import load

ENVIRONMENT = {"WANDB_API_KEY": "hunter2hunter2", "SECOND_KEY": "another-secret", "TEAM": "art", "PLAIN": "plainkey"}
BASE = "models: { kael: { type: flux.1-lora, dataset: ./kael, %s } }\n"


def key_of(manifest: Manifest, address: str) -> object:
    return manifest.models[parse_address(address)].parameters.get("wandbKey")


@pytest.mark.parametrize(
    ("text", "address", "secret"),
    [
        (BASE % "parameters: { wandbKey: '{{ env.WANDB_API_KEY }}' }", "model.kael", "hunter2hunter2"),
        (BASE % "parameters: { wandbKey: '{{ env.PLAIN }}' }", "model.kael", "plainkey"),
        (BASE % "parameters: { wandbKey: \"{{ env.NOPE | default(env['SECOND_KEY']) }}\" }",
         "model.kael", "another-secret"),
        ("defaults: { models: { parameters: { wandbKey: '{{ env.WANDB_API_KEY }}' } } }\n" + BASE % "tags: [a]",
         "model.kael", "hunter2hunter2"),
        ("variables: { key: { default: '{{ env.PLAIN }}', secret: true } }\n"
         + BASE % "parameters: { wandbKey: '{{ key }}' }", "model.kael", "plainkey"),
        (BASE % "matrix: { wandbKey: { a: '{{ env.WANDB_API_KEY }}', b: '{{ env.SECOND_KEY }}' } }",
         "model.kael/b", "another-secret"),
        (BASE % "matrix: { rank: [4], include: [{ label: x, wandbKey: '{{ env.WANDB_API_KEY }}' }] }",
         "model.kael/x", "hunter2hunter2"),
        (BASE % ("matrix: { wandbKey: { a: '{{ env.WANDB_API_KEY }}' }, rank: [4, 8],"
                 " exclude: [{ wandbKey: a, rank: 8 }] }"),
         "model.kael/a,4", "hunter2hunter2"),
        ("models:\n  base: { type: flux.1-lora, dataset: ./kael,"
         " parameters: { wandbKey: '{{ env.WANDB_API_KEY }}' } }\n"
         "  kael: { extends: base }\n", "model.kael", "hunter2hunter2"),
        (BASE % "allow_unknown_type: true, parameters: { wandbKey: '{{ env.WANDB_API_KEY }}' }"
         .replace("flux.1-lora", "flux.9-lora"), "model.kael", "hunter2hunter2"),
    ],
)  # fmt: skip
def test_a_secret_parameter_takes_a_secret(tmp_path: Path, text: str, address: str, secret: str) -> None:
    """Given whole, from an allowed variable, by defaults, extends and labelled matrices; shown nowhere."""
    manifest = load(tmp_path, text, env=ENVIRONMENT, allow_env=[*ENVIRONMENT, "NOPE"])
    assert key_of(manifest, address) == Secret(secret)
    shown = f"{manifest}{json.dumps(dict(manifest.expanded))}{[str(a) for a in manifest.models]}"
    assert not any(value in shown for name, value in ENVIRONMENT.items() if name != "TEAM")
    assert "(secret)" in json.dumps(dict(manifest.expanded))


NAMES = ("{{ env.WANDB_API_KEY }}", "{{ env['WANDB_API_KEY'] }}", "{{ key }}", "{{ var.key }}")
VARIABLES = "variables: { key: { default: '{{ env.WANDB_API_KEY }}', secret: true } }\n"
SHARED = "x-shared: &shared { wandbKey: %s }\n"
ELSEWHERE = (
    "project: %s",
    "state: %s",
    "limits: { cost: %s }",
    "variables: { other: %s }",
    "variables: { other: { default: [%s] } }",
    "variables: { other: { default: [%s], secret: true } }",
    "datasets: { wandbKey: %s }",
    "datasets: { d: { images: %s } }",
    "datasets: { d: { images: ./d, lint: { wandbKey: %s } } }",
    "datasets: { d: { images: ./d, captions: { wandbKey: %s } } }",
    "datasets: { d: { images: ./d, captions: { map: { 01.png: %s } } } }",
    "datasets: { d: { images: ./d, caption: %s } }",
    "datasets: { d: { images: ./d, caption_template: %s } }",
    "datasets: { d: { images: ./d, prefix: %s, suffix: %s } }",
    "datasets: { d: { images: ./d, trigger: %s } }",
    "datasets: { d: { before: ./d, after: ./e, instruction: %s } }",
    "datasets: { d: { pairs: [{ before: a, after: b, instruction: %s }] } }",
    "defaults: { datasets: { caption: %s } }",
    "defaults: { datasets: { lint: { wandbKey: %s } } }",
    "defaults: { compositions: { tags: [%s] } }",
    "defaults: { models: { name: %s } }",
    "defaults: { models: { matrix: { wandbKey: { a: %s } } } }",
    "models: { wandbKey: %s }",
    "models: { kael: { wandbKey: %s, type: flux.1-lora, dataset: ./d } }",
    BASE % "name: %s",
    BASE % "description: %s",
    BASE % "tags: [%s]",
    BASE % "parameters: { samplePrompts: [%s] }",
    BASE % "parameters: { samplePrompts: %s }",
    BASE % "parameters: { wandbKey: [%s] }",
    BASE % "parameters: { wandbKey: { a: %s } }",
    BASE % "lifecycle: { on_change: %s }",
    BASE % "matrix: { wandbKey: [%s] }",
    BASE % "matrix: { wandbKey: [guess, %s] }",
    BASE % "matrix: { wandbKey: %s }",
    BASE % "matrix: { name: { a: %s } }",
    BASE % "matrix: { rank: { a: %s } }",
    BASE % "matrix: { include: [{ wandbKey: %s }] }",
    BASE % "matrix: { include: [{ label: %s, rank: 4 }] }",
    BASE % "matrix: { rank: [4, 8], exclude: [{ wandbKey: %s }] }",
    "compositions: { c: { name: %s, concepts: [{ modelId: a, scale: 1 }] } }",
    "compositions: { c: { concepts: [{ modelId: %s, scale: 1 }] } }",
    "compositions: { c: { concepts: [{ find: { name: %s, type: flux.1-lora }, scale: 1 }] } }",
    "moved: [{ from: %s, to: model.a }]",
    "import: [{ to: model.a, id: %s }]",
    "removed: [%s]",
    SHARED + BASE % "parameters: *shared" + "datasets: { d: { images: ./d, lint: *shared } }",
    SHARED + "datasets: { d: { images: ./d, lint: *shared } }\n" + BASE % "parameters: *shared",
)  # fmt: skip


@pytest.mark.parametrize("place", ELSEWHERE)
@pytest.mark.parametrize("template", [*NAMES, "a {{ env.WANDB_API_KEY }} b", "{{ env.WANDB_API_KEY | lower }}"])
def test_nothing_else_takes_a_secret(tmp_path: Path, place: str, template: str) -> None:
    """Not even a key of the same name: an error at the place, which does not say what the secret is."""
    text = place.replace("%s", json.dumps(template))
    if "variables:" not in text:
        text = VARIABLES + text
    elif "key" in template.replace("KEY", ""):
        text = text.replace("variables: {", VARIABLES.rstrip()[:-1] + ",")
    said = refused(tmp_path, text)
    assert "secret-in-clear" in said or "matrix-label" in said
    assert "hunter2" not in said


def test_two_secrets_are_not_compared(tmp_path: Path) -> None:
    """Whether the entry's secret is the one of a label is not told: it needs a label in any case."""
    both = "matrix: { wandbKey: { a: '{{ env.WANDB_API_KEY }}' }, include: [{ wandbKey: '{{ env.%s }}', rank: 4 }] }"
    said = {refused(tmp_path, BASE % (both % name)).replace(name, "X") for name in ("WANDB_API_KEY", "SECOND_KEY")}
    assert all("matrix-label an entry with wandbKey needs a label" in one for one in said)


def refused(folder: Path, text: str, **options: object) -> str:
    """Everything that is said of a manifest that is refused."""
    with pytest.raises(ManifestError) as raised:
        load(folder, text, env=ENVIRONMENT, **options)  # type: ignore[arg-type]  # variables and var_files
    return "\n".join(
        f"{p.code} {p.message} {p.hint} {p.location} {p.location and p.location.text}" for p in raised.value.problems
    )


WRITTEN = (
    BASE % "parameters: { wandbKey: hunter2hunter2 }",
    BASE % "parameters: { wandbKey: \"hunter2hunter2\", rank: 9999 }",
    BASE % "parameters: { rank: 9999, wandbKey: 'hunter2 hunter2' }",
    BASE % "parameters: { wandbkey: hunter2hunter2 }",
    BASE % "parameters: { wandb_api_key: hunter2hunter2 }",
    BASE % "parameters: { wandbKey: hunter2hunter2, wandbKey: again }",
    BASE % "parameters: { wandbKey: hunter2hunter2",
    BASE % "parameters: { wandbKey: \"hunter2hunter2 }",
    BASE % "parameters: { wandbKey: hunter2hunter2hunter2hunter2hunter2hunter2hunter2 }",
    BASE % "parameters: { wandbKey: \"{{ env.NOPE | default('hunter2hunter2') }}\" }",
    BASE % "matrix: { wandbKey: [hunter2hunter2, hunter2hunter2] }",
    BASE % "matrix: { wandbKey: [hunter2/hunter2] }",
    BASE % "matrix: { wandbKey: { a: hunter2hunter2 } }",
    BASE % "matrix: { include: [{ wandbKey: hunter2hunter2 }] }",
    "defaults: { models: { parameters: { wandbKey: hunter2hunter2 } } }\n" + BASE % "tags: [a]",
    "models: { kael: { type: sd-xl-lora, dataset: ./kael, parameters: { wandbKey: hunter2hunter2 } } }\n",
    (BASE % "allow_unknown_type: true, parameters: { wandbKey: hunter2 }").replace("flux.1", "flux.9"),
    "x-key: &key hunter2hunter2\n" + BASE % "parameters: { wandbKey: *key }",
    "variables: { key: { default: hunter2hunter2, secret: true } }\n" + BASE % "parameters: { wandbKey: '{{ key }}' }",
    BASE % "parameters: { wandbKey:\n    hunter2hunter2 }",
    BASE % "parameters: { wandbKey: >-\n    hunter2hunter2\n }",
)  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_a_secret_that_was_written_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    """Not in the sentence, not in the line it quotes; also where the file is no YAML, or wrong for other reasons."""
    assert "hunter2" not in refused(tmp_path, text, allow_env=[*ENVIRONMENT, "NOPE"])


def test_a_secret_variable_is_not_given_on_a_command_line(tmp_path: Path) -> None:
    """Other users see it there, and so do logs."""
    said = refused(tmp_path, VARIABLES + BASE % "tags: [a]", variables={"key": "hunter2hunter2"})
    assert "secret-in-clear --var key: the variable is secret" in said
    assert "hunter2" not in said


def test_a_file_of_variables_gives_secrets_and_is_never_quoted(tmp_path: Path) -> None:
    """Neither when a value is wrong nor when the file cannot be read."""
    declared = "variables: { key: { secret: true }, rank: { type: integer } }\n"
    text = declared + BASE % "parameters: { wandbKey: '{{ key }}' }"
    file = tmp_path / "v.yaml"
    file.write_text("key: hunter2hunter2\nrank: 4\n")
    assert key_of(load(tmp_path, text, var_files=["v.yaml"]), "model.kael") == Secret("hunter2hunter2")
    for wrong in ("key: hunter2hunter2\nrank: hunter2\n", "key: hunter2: [\n", "kye: hunter2\n", "key: [hunter2]\n- x"):
        file.write_text(wrong)
        assert "hunter2" not in refused(tmp_path, text, var_files=["v.yaml"])


def test_no_digest_lets_a_secret_be_guessed(tmp_path: Path) -> None:
    """The manifest's digest stands in plans and states: it does not depend on what a secret is."""
    text = VARIABLES + BASE % "name: '{{ env.TEAM }}', parameters: { wandbKey: '{{ key }}' }"
    (tmp_path / "v.yaml").write_text("key: one\n")
    (tmp_path / "w.yaml").write_text("key: two\n")

    def digest(**environment: str) -> str:
        return load(tmp_path, text, env={**ENVIRONMENT, **environment}).digest

    assert digest() == digest(WANDB_API_KEY="0000")
    assert digest() != digest(TEAM="other")
    assert load(tmp_path, text, env=ENVIRONMENT, var_files=["v.yaml"]).digest == (
        load(tmp_path, text, env=ENVIRONMENT, var_files=["w.yaml"]).digest
    )


def test_a_file_that_is_a_template_takes_no_secret_and_only_what_is_allowed(tmp_path: Path) -> None:
    """*.yaml.j2 is rendered whole: its text is shown in errors. raw leaves a secret for later."""

    def read(text: str) -> Manifest:
        (tmp_path / "scenario.yaml.j2").write_text("version: 1\n" + text)
        return load_manifest(
            "scenario.yaml.j2",
            variables={},
            var_files=["v.yaml"],
            env=ENVIRONMENT,
            cwd=str(tmp_path),
            allow_env=["WANDB_API_KEY"],
        )

    (tmp_path / "v.yaml").write_text("key: hunter2hunter2\n")
    declared = "variables: { key: { secret: true } }\n"
    whole = read(declared + "{% raw %}" + BASE % 'parameters: { wandbKey: "{{ key }}" }' + "{% endraw %}")
    assert key_of(whole, "model.kael") == Secret("hunter2hunter2")
    for text, expected in (
        (BASE % 'parameters: { wandbKey: "{{ env.WANDB_API_KEY }}" }', "secret-in-clear scenario.yaml.j2:3:"),
        (BASE % 'parameters: { wandbKey: "{{ key }}" }', "secret-in-clear scenario.yaml.j2:3:"),
        ("{% if env.WANDB_API_KEY == 'hunter2' %}x{% endif %}", "secret-in-clear scenario.yaml.j2:3:7"),
        ("{% for c in env.WANDB_API_KEY %}x{% endfor %}", "secret-in-clear scenario.yaml.j2:3:13"),
        ("\n{{ env.TEAM | default('x') }}", "env-not-allowed scenario.yaml.j2:4:4"),
        ("{% set name = env.SECOND_KEY %}", "env-not-allowed scenario.yaml.j2:3:15"),
    ):
        with pytest.raises(ManifestError) as raised:
            read(declared + text)
        problem = raised.value.problems[0]
        assert f"{problem.code} {problem.location}".startswith(expected)
        assert "hunter2" not in f"{raised.value.problems}".replace("'hunter2'", "")
