"""Pieces of a manifest made of what the service says."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.manifest.loader.load import load_manifest
from scenario_apply.manifest.spec import ModelSpec
from scenario_apply.model.address import Address
from scenario_apply.model.remote import AssetId, ModelId, RemoteEpoch, RemoteModel, TrainingImage
from scenario_apply.planning.export_layout import LayoutMaker
from scenario_apply.review.exported_manifest import manifest_entries, new_manifest

TEXTS = [
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# c #} {{",
    "}} {{ '\"",
    "a: b # c",
    "- x",
    "no",
    "1e3",
    "\u202e back",
    "tab\there",
    "{{ x }}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_of_the_service_is_read_back_as_it_is(tmp_path: Path, text: str) -> None:
    """No template of a name, a description, a tag or a prompt is evaluated, whatever YAML or Jinja2 make of it."""
    image = TrainingImage(id=AssetId("asset_1"), name="1.png", description="a cat", automatic_caption="")
    remote = RemoteModel(
        id=ModelId("model_1"), type="flux.1-lora", status="trained", name=text, short_description=text, tags=(text,),
        images=(image,), parameters={"samplePrompts": [text]},
    )  # fmt: skip
    model = read_back(tmp_path, remote)
    assert (model.name, model.description, model.tags) == (text, text, (text,))
    assert model.parameters == {"samplePrompts": [text]}


def read_back(folder: Path, remote: RemoteModel) -> ModelSpec:
    """The model as the manifest declares it that is written of it."""
    layout = LayoutMaker(taken=set(), fixed={remote.id: Address("model", "kael")}).layout([remote])
    datasets = {dataset.identity: dataset for dataset in layout.datasets}
    entries = manifest_entries(layout.resources, datasets, {}, folder=".", imports=layout.resources)
    (folder / "scenario.yaml").write_text(new_manifest(["# head"], entries, None), encoding="utf-8")
    manifest = load_manifest("scenario.yaml", variables={}, var_files=(), env={}, cwd=str(folder))
    model = manifest.models[Address("model", "kael")]
    assert [(block.target, block.model_id) for block in manifest.imports] == [(model.address, "model_1")]
    return model


@pytest.mark.parametrize(("used", "written"), [("8", "8"), ("10", None), (None, None)])
def test_an_epoch_that_was_chosen_is_declared(tmp_path: Path, used: str | None, written: str | None) -> None:
    """The last one is what a training leaves in use."""
    image = TrainingImage(id=AssetId("asset_1"), name="1.png", description="a cat", automatic_caption="")
    epochs = tuple(RemoteEpoch(name=str(number), assets=()) for number in range(1, 11))
    remote = RemoteModel(
        id=ModelId("model_1"), type="flux.1-lora", status="trained", images=(image,), epoch=used, epochs=epochs
    )
    assert read_back(tmp_path, remote).epoch == written
