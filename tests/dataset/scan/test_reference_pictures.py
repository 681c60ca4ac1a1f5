"""dataset/scan/reference_pictures.py: what a sample starts from, and what must not be read for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from scenario_apply.dataset.sample_references import edits, first_before, missing_reference, reference_of
from scenario_apply.dataset.scan.reference_pictures import with_references
from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import DatasetSpec, ModelSpec
from tests.dataset.build import make_picture
from tests.manifest.load import load


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two pairs, a picture beside them, and what must not be read."""
    folder = tmp_path / "project"
    names = ("photo/02.png", "photo/01.png", "painted/01.png", "painted/02.png", "refs/other.png", ".hidden/a.png")
    for number, name in enumerate((*names, "../outside.png")):
        make_picture(folder / name, seed=number, size=(64, 64) if name == "refs/other.png" else (300, 300))
    os.symlink(tmp_path / "outside.png", folder / "refs/link.png")
    (folder / "refs/text.png").write_text("no picture")
    return folder


def scanned(root: Path, samples: str, *, kind: str = "flux.1-kontext-lora") -> tuple[ModelSpec, Dataset]:
    pairs = "before: ./photo, after: ./painted, instruction: paint it"
    images = "images: ./photo, captions: auto"
    form = images if kind == "flux.1-lora" else pairs
    text = f"models: {{ w: {{ type: {kind}, dataset: {{ {form} }}, samples: {samples} }} }}"
    manifest = load(root, text)

    def scan(specs: Mapping[str, DatasetSpec]) -> Mapping[str, Dataset]:
        return scan_datasets(specs, root=str(root), cache_path=None, types_of={}, cwd=str(root))

    [dataset] = with_references(scan(manifest.datasets), manifest.models, scan).values()
    [model] = manifest.models.values()
    return model, dataset


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("photo/02.png", "photo/02.png"),
        ("./photo/02.png", "photo/02.png"),
        ("before/02.png", "photo/02.png"),
        ("photo\\02.png", "photo/02.png"),
        ("refs/other.png", "refs/other.png"),
    ],
)
def test_a_reference_is_a_picture_of_the_dataset_or_a_file_of_the_folder(written: str, file: str, root: Path) -> None:
    """Other files of its folder, however wrong, do not count."""
    model, dataset = scanned(root, f"[{{ prompt: a, reference: '{written}' }}]")
    found = reference_of(model.samples.samples[0], dataset, is_needed=True)
    assert found is not None
    assert found.file == file
    assert [p for p in dataset.problems if "reference of a sample" in p.message] == []


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("refs/missing.png", "sample-reference"),
        ("refs", "sample-reference"),
        ("refs/*.png", "sample-reference"),
        ("scenario.yaml", "sample-reference"),
        ("refs/text.png", "F01"),
        ("refs/link.png", "outside-root"),
        ("../outside.png", "outside-root"),
        (".hidden/a.png", "hidden-path"),
        ("s3://bucket/a.png", "remote-dataset"),
        ("https://example.org/a.png", "remote-dataset"),
    ],
)
def test_what_is_no_picture_or_must_not_be_read_is_an_error_at_the_reference(
    written: str, code: str, root: Path
) -> None:
    model, dataset = scanned(root, f"[{{ prompt: a, reference: '{written}' }}]")
    assert reference_of(model.samples.samples[0], dataset, is_needed=True) is None
    [problem] = [p for p in dataset.problems if p.message.startswith("reference of a sample: ")]
    assert (problem.code, problem.severity) == (code, "error")
    assert problem.location == model.samples.samples[0].reference_place


def test_left_out_it_is_the_first_before_picture_and_that_is_noted(root: Path) -> None:
    """In the order of paths, whatever the order on disk. A base that needs none gets none."""
    model, dataset = scanned(root, "[a, b]")
    [note] = [p for p in dataset.problems if p.code == "sample-reference"]
    assert (note.severity, "start from before/01.png" in note.message) == ("info", True)
    sample = model.samples.samples[0]
    assert reference_of(sample, dataset, is_needed=True) == first_before(dataset)
    assert reference_of(sample, dataset, is_needed=False) is None


def test_every_edit_type_starts_from_a_picture(root: Path) -> None:
    """Also where its base would draw without: such a picture would not show what was learned."""
    model, dataset = scanned(root, "[a]", kind="qwen-image-edit-2511-lora")
    [note] = [p for p in dataset.problems if p.code == "sample-reference"]
    assert note.severity == "info"
    assert edits(model.type)
    assert not edits("flux.1-lora")


def test_a_base_that_edits_needs_a_reference_where_there_are_no_pairs(root: Path) -> None:
    model, dataset = scanned(root, "[{ prompt: a, base: model_flux-kontext-editing }]", kind="flux.1-lora")
    problems = [p for p in dataset.problems if p.code == "sample-reference"]
    assert problems == [missing_reference(model, model.samples.samples[0])]
    assert scanned(root, "[a]", kind="flux.1-lora")[1].references == {}
