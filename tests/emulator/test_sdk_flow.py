"""The official SDK in strict mode trains against the emulator, on a manual clock."""

from __future__ import annotations

import time
from typing import Any

import pytest
import scenario_sdk
from scenario_sdk import Scenario

from scenario_apply.emulator.thread import EmulatorThread

from . import contract
from .conftest import strict_sdk
from .pictures import bare, data_url, png


def train_flux(emulator: EmulatorThread, sdk: Scenario, name: str) -> str:
    """A trained flux.1-lora; its id."""
    model = sdk.models.create(name=name, type="flux.1-lora").model
    for seed in range(3):
        sdk.models.training_images.add(model.id, data=data_url(seed), name=f"{seed}.png")
    sdk.models.train.trigger(model.id, parameters={"learning_rate": 1e-4})
    emulator.advance(20)
    assert sdk.models.retrieve(model.id).model.status == "trained"
    return model.id


def test_a_flux_model_from_nothing_to_trained(emulator: EmulatorThread, sdk: Scenario) -> None:
    model = sdk.models.create(name="Kael the ranger", type="flux.1-lora").model
    assert (model.status, model.training_images_number) == ("new", 0)

    image = sdk.models.training_images.add(model.id, data=data_url(1), name="01.png").training_image
    assert image.automatic_captioning
    assert image.description == ""
    assets = [sdk.assets.upload(image=bare(seed), name=f"{seed}.png").asset.id for seed in range(2, 7)]
    sdk.models.training_images.add(model.id, asset_ids=assets)
    sdk.assets.update(image.id, description="KAEL_07, side view")
    caption = sdk.assets.update(assets[0], description="KAEL_07, from behind").asset.description
    assert caption == "KAEL_07, from behind"
    read = sdk.models.retrieve(model.id).model
    assert [one.id for one in read.training_images or []] == [image.id, *assets]
    assert (read.training_images or [])[0].description == "KAEL_07, side view"

    quote = sdk.models.train.with_raw_response.trigger(model.id, dry_run="true")
    assert quote.status_code == 269
    cost = quote.http_response.json()["creativeUnitsCost"]
    assert cost > 0
    assert sdk.models.retrieve(model.id).model.status == "new"

    launch = sdk.models.train.trigger(model.id)
    assert launch.creative_units_cost == cost
    assert (launch.job.status, launch.model.status, launch.model.job_id) == ("pending", "training", launch.job.job_id)
    assert launch.job.billing is not None
    assert launch.job.billing.cu_cost == cost

    emulator.advance(1)
    progress = sdk.models.retrieve(model.id).model.training_progress
    assert progress is not None
    assert (progress.stage, progress.position) == ("queued-for-train", 1)
    emulator.advance(10)
    progress = sdk.models.retrieve(model.id).model.training_progress
    assert progress is not None
    assert progress.stage == "running-train"
    assert progress.remaining_time_ms == 9000
    assert progress.updated_at == emulator.now_ms()
    assert 0 < (progress.progress or 0) < 1
    assert sdk.jobs.retrieve(launch.job.job_id).job.status == "in-progress"
    bulk = sdk.models.get_bulk(model_ids=[model.id, "model_nobody"]).models
    assert [(one.id, one.status) for one in bulk] == [(model.id, "training")]

    emulator.advance(9)
    done = sdk.models.retrieve(model.id).model
    assert (done.status, done.training_progress) == ("trained", None)
    assert done.epochs
    assert done.thumbnail
    job = sdk.jobs.retrieve(launch.job.job_id).job
    assert (job.status, job.progress) == ("success", 1)
    states = [entry.status for entry in job.status_history]
    assert states == ["pending", "queued", "warming-up", "in-progress", "finalizing", "success"]
    sample = contract.plain.get(done.thumbnail.url)
    assert (sample.status_code, sample.content[:4]) == (200, b"\xff\xd8\xff\xe0")


def test_an_sdxl_model_behind_the_legacy_switch(emulator: EmulatorThread) -> None:
    with strict_sdk(emulator, strict=False) as sdk:
        # the type is retired: not in the SDK's enum, hence not strict
        model = sdk.models.create(name="props", type="sd-xl-lora").model  # type: ignore[arg-type]
        for seed in range(3):
            sdk.models.training_images.add(model.id, data=data_url(seed), name=f"{seed}.png")
        job = sdk.models.train.trigger(model.id).job
        assert job.job_type == "model-training"
        emulator.advance(20)
        assert sdk.models.retrieve(model.id).model.status == "trained"


def test_a_composition_of_two_trained_models(emulator: EmulatorThread, sdk: Scenario) -> None:
    first, second = train_flux(emulator, sdk, "one"), train_flux(emulator, sdk, "two")
    concepts: Any = [{"modelId": first, "scale": 0.8}, {"modelId": second, "scale": 0.3}]
    composition = sdk.models.create(name="both", type="flux.1-composition", concepts=concepts).model
    launch = sdk.models.train.trigger(composition.id)
    assert launch.job.job_type == "flux-model-training"
    emulator.advance(20)
    done = sdk.models.retrieve(composition.id).model
    assert done.status == "trained"
    assert [one.scale for one in done.concepts or []] == [0.8, 0.3]
    changed = sdk.models.update(composition.id, concepts=[{"model_id": first, "scale": 0.5}]).model
    assert changed.status == "new"


def test_a_composition_of_an_untrained_model_is_refused(sdk: Scenario) -> None:
    part = sdk.models.create(name="one", type="flux.1-lora").model
    concepts: Any = [{"modelId": part.id, "scale": 0.8}]
    composition = sdk.models.create(name="both", type="flux.1-composition", concepts=concepts).model
    with pytest.raises(scenario_sdk.BadRequestError, match="not trained"):
        sdk.models.train.trigger(composition.id)


def test_an_edit_model_needs_two_pairs(emulator: EmulatorThread, sdk: Scenario) -> None:
    model = sdk.models.create(name="edit", type="flux.2-klein-9b-edit-lora").model
    ids = [
        sdk.models.training_images.add(model.id, data=data_url(seed), name=f"{seed}.png").training_image.id
        for seed in range(4)
    ]
    with pytest.raises(scenario_sdk.BadRequestError, match="at least 2 complete"):
        sdk.models.train.trigger(model.id)
    pairs: Any = [
        {"sourceId": ids[0], "targetId": ids[1], "instruction": "paint it"},
        {"sourceId": ids[2], "targetId": ids[3], "instruction": "paint it"},
    ]
    assert sdk.models.training_images.replace_pairs(model.id, body=pairs).count == 2
    assert sdk.models.train.trigger(model.id).job.job_type == "musubi-model-training"
    emulator.advance(20)
    assert sdk.models.retrieve(model.id).model.status == "trained"


def test_a_large_picture_goes_in_parts_and_is_attached_by_id(sdk: Scenario) -> None:
    data = png(9, 256) + b""
    upload = sdk.uploads.create(
        file_name="big.png", content_type="image/png", kind="image", parts=1, file_size=len(data)
    ).upload
    assert upload.status == "pending"
    for part in upload.parts or []:
        assert contract.plain.put(part.url, content=data).status_code == 200
    seen = [sdk.uploads.trigger_action(upload.id, action="complete").upload.status]
    for _ in range(3):
        seen.append(sdk.uploads.retrieve(upload.id).upload.status)
    assert seen == ["validating", "validated", "imported", "imported"]
    asset = sdk.uploads.retrieve(upload.id).upload.entity_id
    assert asset
    assert contract.plain.get(sdk.assets.retrieve(asset).asset.url).content == data
    model = sdk.models.create(name="big", type="flux.1-lora").model
    assert sdk.models.training_images.add(model.id, asset_id=asset).training_image.id == asset


def test_it_starts_fast_enough_to_be_started_for_one_command() -> None:
    started = time.monotonic()
    with EmulatorThread() as emulator:
        assert contract.plain.get(emulator.url + "/models", auth=("k", "s")).status_code == 200
    assert time.monotonic() - started < 5
