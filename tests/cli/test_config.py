"""What `config` prints is a manifest again: every example is read back to the same resources."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import asdict, replace

from scenario_apply import __main__
from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.manifest.spec import CompositionSpec, Manifest, ModelSpec
from scenario_apply.review.config_text import readable
from scenario_apply.review.yaml_text import yaml_text
from tests.test_manifests import ENTRIES, ROOT

HERE = "printed.yaml"


def load(path: Path) -> Manifest:
    return load_manifest(path.name, variables={}, var_files=[], env={}, cwd=str(path.parent))


def facts(spec: ModelSpec | CompositionSpec, manifest: Manifest) -> dict[str, Any]:
    """All of a resource but where it was written; its dataset in place of the dataset's key."""
    found = {
        name: getattr(spec, name) for name in spec.__struct_fields__ if name not in ("place", "places", "inherited")
    }
    samples = [{k: v for k, v in asdict(sample).items() if "place" not in k} for sample in spec.samples.samples]
    found["samples"] = spec.samples.on, samples
    if isinstance(spec, ModelSpec):
        dataset = manifest.datasets[spec.dataset]
        positions = ("name", "place", "places", "own")
        found["dataset"] = {n: getattr(dataset, n) for n in dataset.__struct_fields__ if n not in positions}
    else:
        found["concepts"] = [replace(concept, place=spec.place) for concept in spec.concepts]
        found["concepts"] = [(c.model, c.model_id, c.find, c.scale, c.epoch) for c in spec.concepts]
    return found


def resources(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Address -> facts."""
    specs: list[ModelSpec | CompositionSpec] = [*manifest.models.values(), *manifest.compositions.values()]
    return {str(spec.address): facts(spec, manifest) for spec in specs}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_printed_is_read_back_to_the_same(entry: str, tmp_path: Path) -> None:
    """From where the manifest was: paths are relative to it."""
    home = tmp_path / "manifests"
    shutil.copytree(ROOT / "manifests", home, ignore=shutil.ignore_patterns(".scenario", "state"))
    manifest = load(tmp_path / entry)
    printed = Path(manifest.root) / HERE
    printed.write_text(yaml_text(readable(manifest.expanded)), encoding="utf-8")
    again = load(printed)
    assert resources(again) == resources(manifest)
    assert (again.limits, again.project, again.state) == (manifest.limits, manifest.project, manifest.state)
    assert [(m.source, m.target) for m in again.moved] == [(m.source, m.target) for m in manifest.moved]
    assert [(i.target, i.model_id) for i in again.imports] == [(i.target, i.model_id) for i in manifest.imports]
    assert [r.source for r in again.removed] == [r.source for r in manifest.removed]
    assert yaml.safe_load(printed.read_text(encoding="utf-8")) == json.loads(json.dumps(readable(manifest.expanded)))


def test_children_of_every_kind_are_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, datasets and lifecycles by matrix; defaults and parents; crossed labels."""
    (tmp_path / "pictures").mkdir()
    path = tmp_path / "scenario.yaml"
    path.write_text(
        """\
version: 1
variables:
  rate: { default: 2.5e-06 }
  sizes: { default: { wide: 1024x768 } }
defaults:
  models: { tags: [all], parameters: { nbEpochs: 10 } }
datasets:
  kael: { images: ./pictures }
models:
  named:
    type: flux.1-lora
    dataset: kael
    matrix: { name: { a: First, b: Second }, learningRate: ["{{ rate }}", 1e-4] }
  own:
    extends: named
    matrix:
      dataset: { x: { images: ./pictures, trigger: X }, y: { images: ./pictures, trigger: Y } }
      lifecycle: { k: { on_change: keep } }
      include: [{ label: deep, rank: 32, batchSize: 1, epoch: 8, best: { version: 2, by: Ada } }]
  drawn:
    extends: named
    dataset: { images: ./pictures, trigger: T }
    epoch: 4
    samples: { on: manual, scale: 0.5, prompts: { sea: ["{{ trigger }}", "{{ '{{' }} #1: a"], far: b } }
compositions:
  mix: { concepts: [{ model: drawn, scale: 1 }], samples: [{ prompt: "{{ trigger }} x", size: 512 }] }
""",
        encoding="utf-8",
    )
    manifest = load(path)
    assert len(manifest.models) > 5
    assert __main__.main(["config", str(path)]) == 0
    (tmp_path / HERE).write_text(capsys.readouterr().out, encoding="utf-8")
    assert resources(load(tmp_path / HERE)) == resources(manifest)


@pytest.mark.parametrize("number", [5e-05, 1e-4, 1e22, 2.5e-06, 0.1, 3.0, 1.5e300, -5e-05])
def test_numbers_are_plain_and_the_same(number: float) -> None:
    text = yaml_text({"x": number})
    assert "!!" not in text
    assert yaml.safe_load(text) == {"x": number}
    assert isinstance(yaml.safe_load(text)["x"], float)
