"""Examples, prompts and copies in other projects; and where an export's address is."""

from __future__ import annotations

import httpx
import pytest
from scenario_sdk import NotFoundError, Scenario

from scenario_apply.emulator.thread import EmulatorThread

from .pictures import data_url
from .test_models import make
from .test_training import with_images


def test_examples_are_replaced_as_a_whole(api: httpx.Client) -> None:
    model = with_images(api, count=3)
    ids = [one["id"] for one in api.get(f"/models/{model}").json()["model"]["trainingImages"]]
    for wanted in (ids, ids[:1], []):
        answer = api.put(f"/models/{model}/examples", json={"assetIds": wanted}).json()
        assert [one["asset"]["id"] for one in answer["examples"]] == wanted
        assert api.get(f"/models/{model}").json()["model"]["exampleAssetIds"] == wanted
    for wrong in ({"assetIds": ["asset_nowhere"]}, {"assetIds": ["a"] * 151}, {}):
        assert api.put(f"/models/{model}/examples", json=wrong).status_code in (400, 404)


def test_a_prompt_is_scored_by_the_words_of_the_captions(api: httpx.Client) -> None:
    model = make(api)["id"]
    added = api.post(f"/models/{model}/training-images", json={"data": data_url(1), "name": "1.png"}).json()
    api.put(f"/assets/{added['trainingImage']['id']}", json={"description": "a red fox in the snow"})

    def score(prompt: str) -> float:
        return float(api.get(f"/models/{model}/scores/prompt", params={"prompt": prompt}).json()["score"])

    assert 1 == score("a red fox in the snow") > score("a red fox") > score("blue whale") == 0
    assert api.get(f"/models/{model}/scores/prompt").status_code == 400


def test_a_transfer_is_a_copy_with_its_pictures(emulator: EmulatorThread, sdk: Scenario, api: httpx.Client) -> None:
    """The model stays where it is; images, captions and pairs are the destination's own."""
    emulator.seed({"projects": ["proj_art"]})
    model = with_images(api, count=4, type="flux.1-kontext-lora", name="Night")
    ids = [one["id"] for one in api.get(f"/models/{model}").json()["model"]["trainingImages"]]
    api.put(f"/assets/{ids[0]}", json={"description": "KAEL"})
    pairs = [{"sourceId": ids[0], "targetId": ids[1], "instruction": "at night"}]
    api.put(f"/models/{model}/training-images/pairs", json=pairs)
    made = sdk.models.transfer(model, destination_project_id="proj_art").model
    emulator.advance(2)
    copy = sdk.models.retrieve(made.id, project_id="proj_art").model
    assert (copy.name, copy.type, copy.status, copy.owner_id) == ("Night", "flux.1-kontext-lora", "new", "proj_art")
    assert copy.training_images is not None
    assert [image.description for image in copy.training_images] == ["KAEL", "", "", ""]
    assert not {image.id for image in copy.training_images} & set(ids)
    assert copy.training_image_pairs is not None
    assert copy.training_image_pairs[0].source_id == copy.training_images[0].id
    assert api.get(f"/models/{model}").json()["model"]["trainingImagesNumber"] == 4
    with pytest.raises(NotFoundError):
        sdk.models.transfer(model, destination_project_id="proj_nowhere")


def test_the_address_of_an_export_is_there_when_its_job_has_ended(
    emulator: EmulatorThread, sdk: Scenario, api: httpx.Client
) -> None:
    model = emulator.seed({"models": [{"name": "Ink"}]})["models"][0]
    job = sdk.models.download(model).job_id
    early = sdk.assets.download.get_status(job)
    assert (early.download_url, early.job_status in ("success", "failure")) == (None, False)
    emulator.advance(5)
    late = sdk.assets.download.get_status(job)
    assert (late.job_id, late.job_status) == (job, "success")
    assert late.download_url is not None
    assert httpx.get(late.download_url).status_code == 200
    training = api.put(f"/models/{with_images(api)}/train", json={}).json()["job"]["jobId"]
    assert api.get(f"/assets/download/{training}").status_code == 404
