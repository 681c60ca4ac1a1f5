"""From files on disk to a Manifest: what each feature of the manifest means."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenario_apply.errors import ManifestError
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.manifest.matrix import label_of
from scenario_apply.manifest.spec import Concept, Manifest, ModelSpec
from scenario_apply.model.address import Address, parse_address
from scenario_apply.model.secret import Secret, without_secrets

from .load import load, problems

ROOT = Path(__file__).parents[2]
KAEL = """
models:
  kael: { type: flux.1-lora, dataset: ./kael }
"""


def model(manifest: Manifest, address: str) -> ModelSpec:
    return manifest.models[parse_address(address)]


def addresses(manifest: Manifest) -> list[str]:
    return [str(address) for address in manifest.models]


def test_the_smallest_manifest(tmp_path: Path) -> None:
    """A model on a folder: the dataset is named after it, everything else has its default."""
    manifest = load(tmp_path, KAEL)
    kael = model(manifest, "model.kael")
    assert (kael.name, kael.type, kael.dataset, dict(kael.parameters)) == ("kael", "flux.1-lora", "kael", {})
    assert manifest.datasets["kael"].images == ("./kael",)
    assert (manifest.path, manifest.name, manifest.root) == ("scenario.yaml", "scenario", str(tmp_path))
    assert manifest.files == ("scenario.yaml",)
    assert str(kael.place) == "scenario.yaml:4:3"
    assert str(kael.places["type"]) == "scenario.yaml:4:17"


def test_defaults_lie_under_each_resource(tmp_path: Path) -> None:
    """Maps are merged, lists replaced; a null removes an inherited value; what a type does not accept is left out."""
    manifest = load(
        tmp_path,
        """
        defaults:
          models:
            { type: flux.1-lora, tags: [a, b], parameters: { nbEpochs: 10, rank: 32 }, lifecycle: { train: manual } }
          compositions: { lifecycle: { prevent_destroy: true } }
          datasets: { missing: auto }
        models:
          kael: { dataset: ./kael, parameters: { rank: 8 }, tags: [c], lifecycle: { keep_versions: 3 } }
          props: { dataset: ./props, parameters: { nbEpochs: null } }
          old: { type: sd-xl-lora, dataset: ./old }
        compositions:
          ink: { concepts: [{ model: kael, scale: 0.5 }] }
        """,
    )
    kael = model(manifest, "model.kael")
    assert dict(kael.parameters) == {"nbEpochs": 10, "rank": 8}
    assert kael.tags == ("c",)
    assert (kael.lifecycle.train, kael.lifecycle.keep_versions) == ("manual", 3)
    assert dict(model(manifest, "model.props").parameters) == {"rank": 32}
    assert dict(model(manifest, "model.old").parameters) == {}
    assert manifest.datasets["kael"].missing == "auto"
    assert manifest.compositions[Address("composition", "ink")].lifecycle.prevent_destroy
    left_out = [problem for problem in manifest.problems if problem.code == "parameter-left-out"]
    assert [problem.severity for problem in left_out] == ["info", "info"]
    assert str(kael.places["parameters.nbEpochs"]) == "scenario.yaml:5:64"


def test_extends_takes_over_what_is_not_said(tmp_path: Path) -> None:
    """All but name, matrix and enabled; several layers; an x- model is only there to be extended."""
    manifest = load(
        tmp_path,
        """
        models:
          x-base: { type: flux.1-lora, parameters: { rank: 8, nbEpochs: 5 } }
          kael: { extends: x-base, name: Kael, enabled: false, dataset: ./kael, parameters: { rank: 16 } }
          kael-long: { extends: kael, parameters: { nbEpochs: 20 } }
        """,
    )
    assert addresses(manifest) == ["model.kael", "model.kael-long"]
    long = model(manifest, "model.kael-long")
    assert (long.name, long.enabled, dict(long.parameters)) == ("kael-long", True, {"nbEpochs": 20, "rank": 16})


def test_matrix_children(tmp_path: Path) -> None:
    """Labels are the values, crossed in order; exclude and include; parameters, type, name and dataset alike."""
    manifest = load(
        tmp_path,
        """
        variables: { low: 1e-5 }
        models:
          grid:
            name: Kael
            type: flux.1-lora
            dataset: ./kael
            parameters: { nbEpochs: 3 }
            matrix:
              rank: { small: 8, big: 16 }
              learningRate: [5e-5, 1e-4, "{{ low }}"]
              exclude: [{ rank: small, learningRate: 5e-5 }, { rank: big, learningRate: 1e-05 }]
              include: [{ label: long, rank: big, nbEpochs: 20 }]
          kinds:
            matrix:
              type: [flux.1-lora, qwen-image-lora]
              dataset: [./a, ./b]
              name: { one: One }
        """,
    )
    assert addresses(manifest) == [
        "model.grid/small,1e-4",
        "model.grid/small,1e-5",
        "model.grid/big,5e-5",
        "model.grid/big,1e-4",
        "model.grid/long",
        *(f"model.kinds/{kind}-lora,{folder},one" for kind in ("flux.1", "qwen-image") for folder in ("a", "b")),
    ]
    child = model(manifest, "model.grid/big,5e-5")
    assert (child.name, child.dataset) == ("Kael (big,5e-5)", "grid")
    assert dict(child.parameters) == {"nbEpochs": 3, "rank": 16, "learningRate": 5e-5}
    assert dict(model(manifest, "model.grid/long").parameters) == {"nbEpochs": 20, "rank": 16}
    other = model(manifest, "model.kinds/qwen-image-lora,b,one")
    assert (other.name, other.type) == ("One", "qwen-image-lora")
    assert manifest.datasets[other.dataset].images == ("./b",)


@pytest.mark.parametrize("spelled", ["1e-4", "0.0001", "1.0e-04", "+1E-4", '"{{ rate }}"', "*rate"])
def test_one_number_has_one_address_however_it_is_spelled(tmp_path: Path, spelled: str) -> None:
    """Also where it stands among the excluded and the included, whose axes come in the order of the matrix."""
    manifest = load(
        tmp_path,
        f"""
        variables: {{ rate: 0.0001 }}
        x-rate: &rate 1e-4
        models:
          grid:
            type: flux.1-lora
            dataset: ./kael
            matrix:
              rank: [8, 16.0]
              learningRate: [{spelled}, 0.01]
              exclude: [{{ rank: 8.0, learningRate: {spelled} }}]
              include: [{{ nbEpochs: 3, learningRate: {spelled}, rank: 32 }}]
        """,
    )
    labels = ["8,0.01", "16,1e-4", "16,0.01", "32,1e-4,3"]
    assert addresses(manifest) == [f"model.grid/{label}" for label in labels]


def test_numbers_as_labels() -> None:
    """As a person would write them; each reads back as the number it is."""
    numbers = [5e-5, 2e-4, 1.5e-4, 0.001, 0.0015, 0.05, 0.1 + 0.2, 16, 16.0, 1e6, 1e20, -0.5, -1e-7]
    spelled = [
        "5e-5",
        "2e-4",
        "1.5e-4",
        "0.001",
        "0.0015",
        "0.05",
        "0.30000000000000004",
        "16",
        "16",
        "1000000",
        "1e20",
        "-0.5",
        "-1e-7",
    ]
    assert [label_of(number) for number in numbers] == spelled
    assert [float(label) for label in spelled] == numbers


def test_compositions(tmp_path: Path) -> None:
    """Concepts by key, by address, by matrix child, by id and by name; the guides' 0 to 1 is a warning only."""
    manifest = load(
        tmp_path,
        """
        models:
          kael: { type: flux.1-lora, dataset: ./kael }
          lr: { type: flux.1-lora, dataset: kael-set, matrix: { learningRate: { slow: 5e-5 } } }
        datasets: { kael-set: ./kael }
        compositions:
          ink:
            concepts:
              - { model: kael, scale: 1, epoch: 8 }
              - { model: model.lr/slow, scale: -0.5 }
              - { modelId: V2anp75q, scale: 0.25, modelEpoch: "3" }
              - { find: { name: Ink Wash }, scale: 0.3 }
        """,
    )
    concepts = manifest.compositions[Address("composition", "ink")].concepts

    def part(concept: Concept) -> tuple[object, float, str | None]:
        return concept.model or concept.model_id or concept.find, concept.scale, concept.epoch

    assert [part(concept) for concept in concepts] == [
        (Address("model", "kael"), 1.0, "8"),
        (Address("model", "lr", "slow"), -0.5, None),
        ("V2anp75q", 0.25, "3"),
        (("Ink Wash", "flux.1-lora"), 0.3, None),
    ]
    assert [problem.code for problem in manifest.problems] == ["scale-unusual"]


def test_variables_come_from_the_command_line_then_files_then_defaults(tmp_path: Path) -> None:
    """The later the stronger; --var is read as YAML; a value alone keeps its type."""
    (tmp_path / "a.yaml").write_text("rank: 8\nname: from a\n")
    (tmp_path / "b.json").write_text('{"rank": 12}')
    manifest = load(
        tmp_path,
        """
        variables:
          rank: 4
          rate: { default: 1e-4, type: number }
          name: none
          tags: { default: [x, "{{ env.TEAM }}"] }
          note: { type: text }
        models:
          kael:
            name: "{{ name }} of {{ env.TEAM }}"
            type: flux.1-lora
            dataset: ./kael
            tags: "{{ tags }}"
            description: "{{ note }}"
            parameters: { rank: "{{ rank }}", learningRate: "{{ var.rate }}" }
        """,
        variables={"rate": "2e-4", "note": "007"},
        var_files=["a.yaml", "b.json"],
        env={"TEAM": "art"},
    )
    kael = model(manifest, "model.kael")
    assert (kael.name, kael.tags, kael.description) == ("from a of art", ("x", "art"), "007")
    assert dict(kael.parameters) == {"rank": 12, "learningRate": 2e-4}
    assert manifest.variables["rate"] == 2e-4


def test_captions_keep_what_only_an_image_knows(tmp_path: Path) -> None:
    """Per-image names stay for later, with the variables they are used with; the rest is rendered."""
    manifest = load(
        tmp_path,
        """
        variables: { style: ink }
        datasets:
          kael:
            images: ./kael
            caption: "{{ style }} of {{ trigger }}"
            prefix: "{{ style }}"
            suffix: "{{ stem }}"
            caption_template: "{{ trigger }}, {{ caption }}"
            captions: { 01: "{{ style }}", 02: "{{ stem }}" }
        """,
    )
    kael = manifest.datasets["kael"]
    assert kael.caption == '{% set style = "ink" %}{{ style }} of {{ trigger }}'
    assert (kael.prefix, kael.suffix, kael.caption_template) == ("ink", "{{ stem }}", "{{ trigger }}, {{ caption }}")
    assert dict(kael.captions.entries) == {"01": "ink", "02": "{{ stem }}"}


def test_a_wandb_key_is_used_and_never_shown(tmp_path: Path) -> None:
    """It stays in the parameters as a Secret; what is stored or printed has the mask, not even a digest."""
    manifest = load(
        tmp_path,
        """
        variables: { key: { default: "{{ env.OTHER }}", secret: true } }
        models:
          kael: { type: flux.1-lora, dataset: ./kael, parameters: { wandbKey: "{{ env.WANDB_KEY }}" } }
          props: { type: flux.1-lora, dataset: ./props, parameters: { wandbKey: "{{ key }}" } }
        """,
        env={"WANDB_KEY": "hunter2", "OTHER": "hunter3"},
    )
    key = model(manifest, "model.kael").parameters["wandbKey"]
    assert isinstance(key, Secret)
    assert key.reveal() == "hunter2"
    with pytest.raises(TypeError):
        json.dumps({"wandbKey": key})
    other = model(manifest, "model.props").parameters["wandbKey"]
    assert isinstance(other, Secret)
    assert other.reveal() == "hunter3"
    shown = f"{manifest}{manifest.expanded}{key}{key!r}{key:>3}%s" % key + json.dumps(dict(manifest.expanded))
    assert "hunter" not in shown
    stored = json.dumps(without_secrets(dict(model(manifest, "model.kael").parameters)))
    assert stored == '{"wandbKey": "(secret)"}'


def test_the_digest_moves_with_what_was_read(tmp_path: Path) -> None:
    """Files, variables given and environment used; not the environment that nobody reads."""
    text = KAEL + 'project: "{{ env.PROJECT }}"\nvariables: { rank: 8 }\n'
    first = load(tmp_path, text, env={"PROJECT": "a", "OTHER": "1"}).digest
    assert load(tmp_path, text, env={"PROJECT": "a", "OTHER": "2"}).digest == first
    assert load(tmp_path, text, env={"PROJECT": "b"}).digest != first
    assert load(tmp_path, text, env={"PROJECT": "a"}, variables={"rank": "8"}).digest != first
    assert load(tmp_path, text + "# more\n", env={"PROJECT": "a"}).digest != first


def test_the_digest_does_not_depend_on_where_the_command_runs(tmp_path: Path) -> None:
    """A plan saved here can be applied from another folder; a file under another name is another manifest."""
    folder = tmp_path / "all"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.yaml").write_text("version: 1\ninclude: deep/b.yaml\n")
    (folder / "deep" / "b.yaml").write_text("version: 1" + KAEL)

    def digest(cwd: Path, path: str) -> str:
        return load_manifest(path, variables={}, var_files=[], env={}, cwd=str(cwd)).digest

    for inside in ("", "/a.yaml"):
        here = digest(tmp_path, f"all{inside}")
        assert here == digest(folder, f".{inside}") == digest(folder / "deep", f"..{inside}")
    (folder / "a.yaml").rename(folder / "c.yaml")
    assert digest(tmp_path, "all/c.yaml") != here


BYTES = "caf\udce9"  # how Python holds b"caf\xe9", which is not UTF-8


def test_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    """No JSON, no state and no service can hold it: variables, the environment, templates, names of files."""
    named = "variables: { v: x }\nmodels: { kael: { type: flux.1-lora, dataset: ./kael, name: '%s' } }\n"
    cases: dict[str, tuple[str, dict[str, dict[str, str]]]] = {
        "not-utf-8 --var": (named % "{{ v }}", {"variables": {"v": BYTES}}),
        "template-refused scenario.yaml:3:61": (named % "{{ env.E }}", {"env": {"E": BYTES}}),
        "template-refused scenario.yaml:3:61 ": (named % "a {{ env.E }}", {"env": {"E": BYTES}}),
        "template-refused scenario.yaml:3:61  ": (named % '{{ "\\ud800" }}', {}),
    }
    for expected, (text, options) in cases.items():
        with pytest.raises(ManifestError) as raised:
            load(tmp_path, text, **options)  # type: ignore[arg-type]  # variables and env
        assert [f"{p.code} {p.location}" for p in raised.value.problems] == [expected.strip()]
    used = load(tmp_path, named % '{{ "a" if env.E else "b" }}', env={"E": BYTES})
    assert used.digest.startswith("sha256:")
    (tmp_path / "scenario.yaml").rename(tmp_path / f"{BYTES}.yaml")
    with pytest.raises(ManifestError, match=r"caf\\xe9.yaml is not UTF-8"):
        load_manifest(f"{BYTES}.yaml", variables={}, var_files=[], env={}, cwd=str(tmp_path))


def test_a_folder_and_its_includes_are_one_manifest(tmp_path: Path) -> None:
    """Files in order of name, not deeper; includes relative to the including file, each once; lists end to end."""
    folder = tmp_path / "all"
    (folder / "deep").mkdir(parents=True)
    (folder / "b.yaml").write_text(
        "version: 1\nmodels: { b: { type: flux.1-lora, dataset: ./b } }\nremoved: [model.x]\n"
    )
    (folder / "a.yml").write_text("version: 1\ninclude: deep/c.yaml\nremoved: [model.y]\nmodels:\n")
    (folder / "deep" / "c.yaml").write_text("datasets: { c: ./c }\ninclude: [../b.yaml, d.yaml]\n")
    (folder / "deep" / "d.yaml").write_text("defaults: { models: { tags: [d] } }\n")
    (folder / "readme.md").write_text("# not YAML\n")
    manifest = load_manifest("all", variables={}, var_files=[], env={}, cwd=str(tmp_path))
    assert manifest.files == ("all/a.yml", "all/deep/c.yaml", "all/b.yaml", "all/deep/d.yaml")
    assert (manifest.name, manifest.root, manifest.is_folder) == ("all", str(folder), True)
    assert model(manifest, "model.b").tags == ("d",)
    assert list(manifest.datasets) == ["c", "b"]
    assert [str(removed.source) for removed in manifest.removed] == ["model.y", "model.x"]


def test_where_a_manifest_is_looked_for(tmp_path: Path) -> None:
    """scenario.yaml, else manifests/; names as they would be typed, absolute when they lie elsewhere."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text("version: 1" + KAEL)
    found = load_manifest(None, variables={}, var_files=[], env={}, cwd=str(tmp_path))
    assert (found.path, found.files) == ("manifests", ("manifests/a.yaml",))
    (tmp_path / "scenario.yaml").write_text("version: 1" + KAEL)
    assert load_manifest(None, variables={}, var_files=[], env={}, cwd=str(tmp_path)).path == "scenario.yaml"
    (tmp_path / "else").mkdir()
    far = load_manifest("../scenario.yaml", variables={}, var_files=[], env={}, cwd=str(tmp_path / "else"))
    assert far.path == str(tmp_path / "scenario.yaml")


def test_a_whole_file_template(tmp_path: Path) -> None:
    """Loops over models, with the file's own variables; places are those of what came out."""
    manifest = load(
        tmp_path,
        """\
        variables: { ranks: { default: [8, 16] } }
        models:
        {% for rank in ranks %}
          kael-{{ rank }}: { type: flux.1-lora, dataset: ./kael, parameters: { rank: {{ rank }} } }
        {% endfor %}
        """,
        name="scenario.yaml.j2",
    )
    # load() writes scenario.yaml.j2 and asks for it by name
    assert addresses(manifest) == ["model.kael-8", "model.kael-16"]
    assert manifest.name == "scenario"
    assert str(model(manifest, "model.kael-16").place) == "scenario.yaml.j2 (rendered):7:3"


def test_unknown_types_are_taken_when_asked(tmp_path: Path) -> None:
    """On the model, in the defaults or for the manifest; then any parameter goes."""
    new = "{ type: flux.9-lora, dataset: ./kael, parameters: { newThing: 3 } }"
    for text in (
        f"allow_unknown_type: true\nmodels:\n  kael: {new}\n",
        f"defaults: {{ models: {{ allow_unknown_type: true }} }}\nmodels:\n  kael: {new}\n",
        f"models:\n  kael: {new[:-1]}, allow_unknown_type: true }}\n",
    ):
        manifest = load(tmp_path, text)
        assert dict(model(manifest, "model.kael").parameters) == {"newThing": 3}
        assert [problem.code for problem in manifest.problems] == ["unknown-type"]
    assert [p.code for p in problems(tmp_path, f"models:\n  kael: {new}\n")] == ["unknown-type", "unknown-parameter"]


def test_legacy_types_and_parameters_are_warned_about(tmp_path: Path) -> None:
    manifest = load(
        tmp_path,
        """
        models:
          props: { type: sd-xl-lora, dataset: ./props, parameters: { maxTrainSteps: 40000, conceptPrompt: daiton } }
          kael: { type: flux.1-lora, dataset: ./kael, parameters: { lrScheduler: cosine, seed: 7.0 } }
        """,
    )
    assert sorted((p.code, p.severity) for p in manifest.problems) == [
        ("legacy-type", "warning"),
        ("parameter-legacy", "warning"),
        ("parameter-legacy", "warning"),
    ]
    assert repr(model(manifest, "model.kael").parameters["seed"]) == "7"


def test_datasets_in_all_their_forms(tmp_path: Path) -> None:
    manifest = load(
        tmp_path,
        """
        datasets:
          path: ./a
          many: { images: [./a/*.png, ./b], exclude: "*_x.png", recursive: true, lint: { D03: off, min-side: 768 } }
          file: { images: ./a, captions: ./captions.yaml }
          auto: { images: ./a, captions: auto }
          options: { images: ./a, captions: { suffix: cap, lines: first, missing: warn } }
          inline: { images: ./a, captions: { 01.png: a cloak } }
          nested: { images: ./a, captions: { map: { suffix: a cloak }, missing: auto } }
          folders: { before: ./a, after: ./b, instruction: turn red }
          table: { pairs: ./pairs.csv }
          folder: { pairs: { folder: ./a, suffixes: [_x, _y] } }
          list: { pairs: [{ before: a.png, after: b.png, instruction: red }] }
        """,
    )
    sets = manifest.datasets
    assert sets["path"].images == ("./a",)
    assert (sets["many"].images, sets["many"].exclude, sets["many"].recursive) == (
        ("./a/*.png", "./b"),
        ("*_x.png",),
        True,
    )
    assert sets["many"].lint == {"D03": "off", "min-side": 768}
    assert (sets["file"].captions.kind, sets["file"].captions.path) == ("file", "./captions.yaml")
    assert sets["auto"].captions.kind == "auto"
    options = sets["options"]
    assert (options.captions.suffix, options.captions.lines, options.missing) == (".cap", "first", "warn")
    assert sets["inline"].captions.entries == {"01.png": "a cloak"}
    assert (sets["nested"].captions.entries, sets["nested"].missing) == ({"suffix": "a cloak"}, "auto")
    assert [name for name, spec in sets.items() if spec.is_pairs] == ["folders", "table", "folder", "list"]
    assert sets["folder"].pairs is not None
    assert sets["folder"].pairs.suffixes == ("_x", "_y")
    assert sets["list"].pairs is not None
    assert sets["list"].pairs.entries == ({"before": "a.png", "after": "b.png", "instruction": "red"},)


def test_models_that_could_be_taken_for_each_other(tmp_path: Path) -> None:
    """Same name and same type: a warning, for a lost answer is fixed by looking for them."""
    manifest = load(
        tmp_path,
        """
        models:
          a: { name: Kael, type: flux.1-lora, dataset: ./a }
          b: { name: Kael, type: flux.1-lora, dataset: ./b }
          c: { name: Kael, type: qwen-image-lora, dataset: ./c }
        """,
    )
    assert [(problem.code, str(problem.location)) for problem in manifest.problems] == [
        ("same-name", "scenario.yaml:5:3")
    ]


@pytest.mark.parametrize(("lint", "severity"), [("", "warning"), ("lint: { T06: off, shared-trigger: off }", None),
                                                ("lint: { T06: info, T07: info }", "info")])  # fmt: skip
def test_triggers_across_datasets_and_models(tmp_path: Path, lint: str, severity: str | None) -> None:
    """T06, a sample prompt without the trigger; T07, a composition of datasets that share one; as `lint:` says."""
    manifest = load(
        tmp_path,
        f"""
        datasets:
          a: {{ images: ./a, trigger: KAEL_07, {lint} }}
          b: {{ images: ./b, trigger: KAEL_07 }}
          c: {{ images: ./c, trigger: INK_01 }}
        models:
          a: {{ type: flux.1-lora, dataset: a, parameters: {{ samplePrompts: [KAEL_07 in rain, a man in rain] }} }}
          again: {{ type: flux.1-lora, dataset: a, parameters: {{ samplePrompts: ["KAEL_07, asleep"] }} }}
          b: {{ type: flux.1-lora, dataset: b }}
          c: {{ type: flux.1-lora, dataset: c }}
        compositions:
          fine: {{ concepts: [{{ model: a, scale: 0.5 }}, {{ model: again, scale: 0.5 }}, {{ model: c, scale: 0.5 }}] }}
          mixed: {{ concepts: [{{ model: a, scale: 0.5 }}, {{ model: b, scale: 0.5 }}] }}
        """,
    )
    said = [(p.code, str(p.location), p.severity) for p in manifest.problems if p.code.startswith("T")]
    wanted = [("T06", "scenario.yaml:8:68", severity), ("T07", "scenario.yaml:14:49", severity)]
    assert said == (wanted if severity else [])


def test_the_small_blocks(tmp_path: Path) -> None:
    manifest = load(
        tmp_path,
        """
        project: abc
        state: ./other.json
        limits: { cost: 500, deletes: 0, changes_percent: 30, min_score: 0.5 }
        moved: [{ from: model.a, to: model.kael }]
        import: [{ to: model.kael, id: V2anp75q }]
        removed: [model.b, { from: composition.c }]
        x-note: { anything: [goes] }
        models: { x-also: here, kael: { type: flux.1-lora, dataset: ./kael, x-why: because } }
        """,
    )
    assert (manifest.project, manifest.state) == ("abc", "./other.json")
    assert (manifest.limits.cost, manifest.limits.deletes, manifest.limits.retrains) == (500, 0, None)
    assert [(str(m.source), str(m.target)) for m in manifest.moved] == [("model.a", "model.kael")]
    assert [(str(i.target), i.model_id) for i in manifest.imports] == [("model.kael", "V2anp75q")]
    assert [str(r.source) for r in manifest.removed] == ["model.b", "composition.c"]


def test_the_expanded_manifest_is_plain_and_complete(tmp_path: Path) -> None:
    """Plain dicts and lists that any encoder takes; what `config` prints."""
    import yaml

    manifest = load(
        tmp_path,
        """
        variables: { rank: 8 }
        defaults: { models: { tags: [a], x-note: gone } }
        models:
          kael: { type: flux.1-lora, dataset: ./kael, matrix: { rank: { small: "{{ rank }}" } } }
        compositions:
          ink: { concepts: [{ model: kael/small, scale: 0.5 }] }
        """,
    )
    text = yaml.safe_dump(dict(manifest.expanded), sort_keys=False)
    assert (
        yaml.safe_load(text)
        == json.loads(json.dumps(manifest.expanded))
        == {
            "version": 1,
            "variables": {"rank": 8},
            "datasets": {"kael": {"images": "./kael"}},
            "models": {
                "kael/small": {
                    "name": "kael (small)",
                    "type": "flux.1-lora",
                    "dataset": "kael",
                    "parameters": {"rank": 8},
                    "tags": ["a"],
                }
            },
            "compositions": {
                "ink": {
                    "name": "ink",
                    "type": "flux.1-composition",
                    "concepts": [{"model": "kael/small", "scale": 0.5}],
                }
            },
        }
    )


def test_everything_wrong_is_told_at_once_and_in_reading_order(tmp_path: Path) -> None:
    """Errors first, in the order of the file; warnings behind them."""
    told = problems(
        tmp_path,
        """
        models:
          props: { type: sd-xl-lora, dataset: props, parameters: { rank: 1 } }
          kael: { type: flux.1-lora, dataset: ./kael, parameters: { lr: 1 } }
        """,
    )
    assert [problem.code for problem in told] == [
        "unknown-reference",
        "parameter-range",
        "unknown-parameter",
        "legacy-type",
    ]


def test_ten_thousand_mistakes_end_soon(tmp_path: Path) -> None:
    """The first five hundred are told; nobody reads more."""
    lines = "".join(
        f"  model-{i}: {{ type: flux.1-lora, dataset: ./a, parameters: {{ rnak{i}: 1 }} }}\n" for i in range(10_000)
    )
    told = problems(tmp_path, "models:\n" + lines)
    assert len(told) == 501
    assert [problem.code for problem in told if problem.code != "unknown-parameter"] == ["too-many"]


@pytest.mark.parametrize("length", [40, 2000])
def test_long_chains(length: int, tmp_path: Path) -> None:
    """A chain of models is followed so far and no further, and never into Python's own limit."""
    chain = "".join(f"  m{i}: {{ extends: m{i + 1} }}\n" for i in range(length))
    text = f"models:\n{chain}  m{length}: {{ type: flux.1-lora, dataset: ./a }}\n"
    if length < 50:
        assert len(load(tmp_path, text).models) == length + 1
    else:
        assert "extends-cycle" in {problem.code for problem in problems(tmp_path, text)}


def test_plain_manifests_need_neither_jinja2_nor_jsonschema(tmp_path: Path) -> None:
    """They are imported when there is a template, or something to explain."""
    (tmp_path / "scenario.yaml").write_text("version: 1" + KAEL)
    code = (
        "import sys; from scenario_apply.manifest.loader.load import load_manifest;"
        f"load_manifest(None, variables={{}}, var_files=[], env={{}}, cwd={str(tmp_path)!r});"
        "print([m for m in ('jinja2', 'jsonschema', 'difflib', 'requests', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_manifests_of_the_repository_load() -> None:
    """Examples stay true."""
    folders = [ROOT / "manifests" / "examples", ROOT / "manifests" / "quickstart"]
    files = sorted(f for folder in folders for f in folder.glob("*") if f.name.endswith((".yaml", ".yaml.j2")))
    assert len(files) >= 10
    for file in files:
        load_manifest(str(file), variables={}, var_files=[], env={"SCENARIO_PROJECT_ID": "abc"}, cwd=str(ROOT))


ENTRIES: dict[str, dict[str, object]] = {
    "models": {f"m{i}": {"type": "flux.1-lora", "dataset": "./a", "parameters": {"rank": 2 + i}} for i in range(4)},
    "datasets": {f"d{i}": {"images": "./b"} for i in range(3)},
    "compositions": {"c": {"concepts": [{"model": "m3", "scale": 0.5}]}},
    "defaults": {"models": {"tags": ["t"]}, "datasets": {"missing": "auto"}},
}


@settings(max_examples=25)
@given(st.lists(st.integers(0, 2), min_size=10, max_size=10))
def test_how_a_manifest_is_cut_into_files_does_not_matter(files: list[int]) -> None:
    """Every entry in any of three files of a folder: the same manifest."""
    parts: list[dict[str, object]] = [{"version": 1} for _ in range(3)]
    number = iter(files)
    for section, entries in ENTRIES.items():
        for key, value in entries.items():
            part = parts[next(number)].setdefault(section, {})
            assert isinstance(part, dict)
            part[key] = value
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "one.yaml").write_text(json.dumps({"version": 1, **ENTRIES}))
        Path(folder, "many").mkdir()
        for name, part in zip("cab", parts, strict=True):
            Path(folder, "many", f"{name}.yaml").write_text(json.dumps(part))
        one, many = (
            load_manifest(path, variables={}, var_files=[], env={}, cwd=folder) for path in ("one.yaml", "many")
        )
    assert one.expanded == many.expanded
    assert set(one.models) == set(many.models)


WORDS = st.sampled_from(
    (
        *("models", "datasets", "kael", "type", "flux.1-lora", "dataset", "parameters", "rank", "images", "captions"),
        *("matrix", "concepts", "compositions", "model", "scale", "lifecycle", "defaults", "x-note", "tags", "name"),
        *("pairs", "extends", "moved", "from", "to", "{{ kael }}", "{{ 1 + 1 }}", "variables", "include", "<<", "find"),
        *("sd-xl-lora", "exclude", "label", "import", "removed", "limits", "default", "secret", "wandbKey", "null"),
    )
)
LEAVES = st.none() | st.booleans() | st.integers(-3, 200) | st.floats(-3, 3) | WORDS
NESTED = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=14
)


@settings(max_examples=300)
@given(st.dictionaries(WORDS, NESTED, max_size=5))
def test_no_manifest_ends_in_a_traceback(document: dict[str, object]) -> None:
    """Whatever stands where: a Manifest, or a ManifestError with a place for every problem."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "scenario.yaml").write_text(json.dumps({"version": 1, **document}))
        try:
            load_manifest(None, variables={}, var_files=[], env={}, cwd=folder)
            told = []
        except ManifestError as error:
            told = list(error.problems)
    assert all(problem.location is not None for problem in told)


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null"])
def test_devices_are_no_manifests(name: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is not a regular file"):
        load_manifest(name, variables={}, var_files=[], env={}, cwd=str(tmp_path))
