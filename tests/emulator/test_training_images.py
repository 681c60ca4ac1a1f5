"""Training images: the forms they come in, ten at a time, one caption for all models, pairs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import bare, data_url, png
from .test_models import make


def upload(api: httpx.Client, seed: int) -> str:
    """A new asset; its id."""
    identifier: str = api.post("/assets", json={"image": bare(seed), "name": f"{seed}.png"}).json()["asset"]["id"]
    return identifier


def attach(api: httpx.Client, model: str, **body: Any) -> httpx.Response:
    """POST training-images."""
    return api.post(f"/models/{model}/training-images", json=body)


def test_ten_ids_at_a_time_and_no_more(api: httpx.Client) -> None:
    model = make(api)["id"]
    ids = [upload(api, seed) for seed in range(11)]
    eleven = attach(api, model, assetIds=ids)
    assert (eleven.status_code, eleven.json()["reason"]) == (400, "Too many assetIds provided in a single request")
    ten = attach(api, model, assetIds=ids[:10]).json()
    assert ten["trainingImage"]["id"] == ids[0]
    assert [image["id"] for image in ten["trainingImages"]] == ids[:10]
    again = attach(api, model, assetIds=[ids[10], ids[0]])
    assert (again.status_code, again.json()["reason"]) == (
        400,
        "The provided assetId is already a training image of this model",
    )
    assert api.get(f"/models/{model}").json()["model"]["trainingImagesNumber"] == 10  # all or none


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"data": data_url(1)}, 400),
        ({"data": bare(1), "name": "a.png"}, 400),
        ({"data": "data:image/png;base64,####", "name": "a.png"}, 400),
        ({"data": "data:text/plain;base64,aGVsbG8=", "name": "a.png"}, 400),
        ({"assetIds": []}, 400),
        ({"assetIds": ["asset_no"], "assetId": "asset_no"}, 400),
        ({"assetId": "asset_no"}, 404),
        ({"data": data_url(1), "name": "a.png", "preset": "pretty"}, 400),
    ],
)
def test_bad_images_are_refused(api: httpx.Client, body: dict[str, Any], status: int) -> None:
    model = make(api)["id"]
    assert attach(api, model, **body).status_code == status
    assert api.get(f"/models/{model}").json()["model"]["trainingImagesNumber"] == 0


def test_an_id_given_twice_is_refused(api: httpx.Client) -> None:
    model, asset = make(api)["id"], upload(api, 1)
    assert attach(api, model, assetIds=[asset, asset]).status_code == 400


def test_one_caption_for_all_models_that_use_a_picture(api: httpx.Client) -> None:
    first, second, asset = make(api)["id"], make(api)["id"], upload(api, 1)
    for model in (first, second):
        assert attach(api, model, assetId=asset).status_code == 200
    api.put(f"/assets/{asset}", json={"description": "a cloak"})
    for model in (first, second):
        image = api.get(f"/models/{model}").json()["model"]["trainingImages"][0]
        assert (image["id"], image["description"]) == (asset, "a cloak")
        assert image["automaticCaptioning"]
    assert api.put(f"/assets/{asset}", json={"description": ""}).json()["asset"]["description"] == ""


def test_an_id_wins_over_data(api: httpx.Client) -> None:
    model, asset = make(api)["id"], upload(api, 1)
    assert attach(api, model, assetId=asset, data=data_url(2), name="x").json()["trainingImage"]["id"] == asset


def test_replacing_keeps_the_place_and_the_pairs(api: httpx.Client) -> None:
    model = make(api, type="qwen-image-edit-lora")["id"]
    ids = [upload(api, seed) for seed in range(4)]
    attach(api, model, assetIds=ids[:3])
    pair = {"sourceId": ids[0], "targetId": ids[1], "instruction": "paint"}
    answer = api.put(f"/models/{model}/training-images/pairs", json=[pair])
    assert answer.json() == {"count": 1, "pairs": [pair]}
    swapped = api.put(f"/models/{model}/training-images/{ids[0]}", json={"assetId": ids[3]}).json()
    assert swapped["trainingImage"]["id"] == ids[3]
    read = api.get(f"/models/{model}").json()["model"]
    assert [image["id"] for image in read["trainingImages"]] == [ids[3], ids[1], ids[2]]
    assert read["trainingImagePairs"] == [pair | {"sourceId": ids[3]}]
    assert api.put(f"/models/{model}/training-images/{ids[3]}", json={"assetId": ids[1]}).status_code == 400
    assert api.delete(f"/models/{model}/training-images/{ids[1]}").json() == {}
    read = api.get(f"/models/{model}").json()["model"]
    assert read["trainingImagePairs"] == []
    assert api.delete(f"/models/{model}/training-images/{ids[1]}").status_code == 404
    assert api.get(f"/assets/{ids[1]}").status_code == 200  # detached, not deleted


def test_pairs_are_made_of_attached_images(api: httpx.Client) -> None:
    model, asset = make(api, type="qwen-image-edit-lora")["id"], upload(api, 1)
    path = f"/models/{model}/training-images/pairs"
    assert api.put(path, json=[{"sourceId": asset, "targetId": asset, "instruction": "x"}]).status_code == 400
    assert api.put(path, json={"pairs": []}).status_code == 400
    assert api.put(path, json=[]).json() == {"count": 0, "pairs": []}


def test_the_plan_limits_pictures_per_model() -> None:
    options = manual_options(max_training_images=2)
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        model = make(api)["id"]
        ids = [upload(api, seed) for seed in range(3)]
        full = attach(api, model, assetIds=ids)
        assert (full.status_code, full.json()["details"]) == (
            429,
            {"actionName": "add-training-image", "actionLimit": 2, "actionValue": 0, "limitScope": "team"},
        )
        assert attach(api, model, assetIds=ids[:2]).status_code == 200


@pytest.mark.parametrize("is_shown", [False, True])
def test_the_automatic_caption_may_be_the_description_too(is_shown: bool) -> None:
    """Until a caption is set: that one is shown then."""
    with EmulatorThread(manual_options(show_captions=is_shown)) as emulator, contract.client(emulator.url) as api:
        model = make(api)["id"]
        added = attach(api, model, data=data_url(1), name="1.png").json()["trainingImage"]
        assert (added["description"] == added["automaticCaptioning"]) is is_shown
        api.put(f"/assets/{added['id']}", json={"description": "a red fox"})
        [read] = api.get(f"/models/{model}").json()["model"]["trainingImages"]
        assert (read["description"], read["automaticCaptioning"]) == ("a red fox", added["automaticCaptioning"])


def test_the_list_of_pictures_is_not_for_api_keys(api: httpx.Client) -> None:
    answer = api.get(f"/models/{make(api)['id']}/training-images")
    assert (answer.status_code, answer.json()["reason"]) == (403, "API Keys cannot access protected resources")


def test_a_composition_has_no_pictures(emulator: EmulatorThread, api: httpx.Client) -> None:
    part = emulator.seed({"models": [{"name": "Ink"}]})["models"][0]
    model = make(api, type="flux.1-composition", concepts=[{"modelId": part, "scale": 1}])["id"]
    assert attach(api, model, data=data_url(1), name="1.png").status_code == 400


def test_the_picture_comes_back_byte_for_byte(api: httpx.Client) -> None:
    model = make(api)["id"]
    image = attach(api, model, data=data_url(3), name="3.png").json()["trainingImage"]
    got = contract.plain.get(image["downloadUrl"])
    assert (got.content, got.headers["content-type"]) == (png(3), "image/png")
    assert contract.plain.get(image["downloadUrl"].replace("signature=", "signature=0")).status_code == 403
