"""Models: what they are born with, how they are found, changed, deleted, restored and copied."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import data_url


def make(api: httpx.Client, **body: Any) -> dict[str, Any]:
    """A new model."""
    answer = api.post("/models", json={"type": "flux.1-lora", **body})
    assert answer.status_code == 200, answer.text
    model: dict[str, Any] = answer.json()["model"]
    return model


def train(emulator: EmulatorThread, api: httpx.Client, model: str) -> None:
    """Attach one picture, train, wait."""
    api.post(f"/models/{model}/training-images", json={"data": data_url(1), "name": "1.png"})
    assert api.put(f"/models/{model}/train", json={}).status_code == 200
    emulator.advance(20)


def test_names_may_be_given_twice(api: httpx.Client) -> None:
    assert make(api, name="Kael")["id"] != make(api, name="Kael")["id"]


def test_a_nameless_model_gets_its_name_when_its_training_starts(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = make(api)
    assert "name" not in model
    train(emulator, api, model["id"])
    trained = api.get(f"/models/{model['id']}").json()["model"]
    assert trained["name"]
    assert trained["shortDescription"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"name": "x" * 65}, "body.name: must not be longer than 64"),
        ({"name": 5}, "body.name: must be a string"),
        ({"name": None}, "body.name: must be a string"),
        ({"shortDescription": "x" * 257}, "body.shortDescription"),
        ({"type": "flux.9-lora"}, "body.type: unknown type 'flux.9-lora'"),
        ({"type": "flux.1-composition", "concepts": []}, "body.concepts: must hold at least 1"),
        ({"type": "flux.1-composition"}, "body.concepts: a flux.1-composition needs at least one"),
        ({"type": "sd-xl-composition"}, "body.concepts: a sd-xl-composition needs at least one"),
        ({"type": "flux.1-composition", "concepts": [{"modelId": "m", "scale": 3}]}, "body.concepts[0].scale"),
        ({"type": "flux.1-composition", "concepts": [{"scale": 1}]}, "body.concepts[0].modelId: is required"),
        ({"type": "flux.1-composition", "concepts": [{"modelId": "no", "scale": 1}]}, "there is no model no"),
        ({"concepts": [{"modelId": "no", "scale": 1}]}, "a model of type flux.1-lora has none"),
    ],
)
def test_a_bad_model_is_refused_with_the_place(api: httpx.Client, body: dict[str, Any], reason: str) -> None:
    answer = api.post("/models", json={"type": "flux.1-lora", **body})
    assert answer.status_code == 400
    assert reason in answer.json()["reason"]


def test_retired_types_answer_410(api: httpx.Client) -> None:
    answer = api.post("/models", json={"type": "sd-1_5-lora"})
    assert (answer.status_code, answer.json()["reason"]) == (
        410,
        "Creating SD 1.5 and SDXL models is no longer available.",
    )
    with EmulatorThread(manual_options(legacy=False)) as modern, contract.client(modern.url) as client:
        assert client.post("/models", json={"type": "sd-xl-lora"}).status_code == 410
        assert client.post("/models", json={"type": "flux.1-lora"}).status_code == 200


def test_absent_means_unchanged_and_null_unsets(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = make(api, name="Kael", shortDescription="a ranger")["id"]
    train(emulator, api, model)
    before = api.get(f"/models/{model}").json()["model"]
    renamed = api.put(f"/models/{model}", json={"name": "Kael II"}).json()["model"]
    assert (renamed["name"], renamed["shortDescription"], renamed["status"]) == ("Kael II", "a ranger", "trained")
    cleared = api.put(f"/models/{model}", json={"thumbnail": None, "epoch": None}).json()["model"]
    assert "thumbnail" in before
    assert "thumbnail" not in cleared
    assert "epoch" not in cleared
    assert api.put(f"/models/{model}", json={"epoch": before["epoch"]}).json()["model"]["epoch"] == before["epoch"]
    assert api.put(f"/models/{model}", json={"epoch": "99"}).status_code == 400


def test_the_type_changes_only_while_new(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = make(api)["id"]
    assert api.put(f"/models/{model}", json={"type": "zimage-lora"}).json()["model"]["type"] == "zimage-lora"
    train(emulator, api, model)
    assert api.put(f"/models/{model}", json={"type": "flux.1-lora"}).status_code == 400


def test_pages_follow_each_other_without_gap_or_repeat(emulator: EmulatorThread, api: httpx.Client) -> None:
    made = []
    for number in range(7):
        made.append(make(api, name=str(number))["id"])
        emulator.advance(number % 2)
    seen: list[str] = []
    token = None
    for _ in range(10):
        params = {"pageSize": "3"} | ({"paginationToken": token} if token else {})
        page = api.get("/models", params=params).json()
        seen += [model["id"] for model in page["models"]]
        make(api, name="made while paging")
        token = page.get("nextPaginationToken")
        if token is None:
            break
    assert seen == made[::-1]
    for bad in ("0", "501", "x", "-1"):
        assert api.get("/models", params={"pageSize": bad}).status_code == 400
    assert api.get("/models", params={"paginationToken": "nonsense"}).status_code == 400


def test_status_filters_and_an_unknown_status_shows_everything(emulator: EmulatorThread, api: httpx.Client) -> None:
    new, trained, gone = (make(api, name=name)["id"] for name in ("new", "trained", "gone"))
    train(emulator, api, trained)
    assert api.delete(f"/models/{gone}").json() == {}

    def listed(**params: str) -> set[str]:
        return {model["id"] for model in api.get("/models", params=params).json()["models"]}

    assert listed() == {new, trained}
    assert listed(status="new") == {new}
    assert listed(status="trained") == {trained}
    assert listed(status="deleted") == {gone}
    assert listed(status="copying") == {new, trained, gone}


def test_type_filters_public_models_only(api: httpx.Client) -> None:
    mine = make(api, type="zimage-lora")["id"]
    own = api.get("/models", params={"type": "flux.1-lora"}).json()["models"]
    assert [model["id"] for model in own] == [mine]
    public = api.get("/models", params={"privacy": "public", "types": "flux.1-lora"}).json()["models"]
    assert public
    assert {model["type"] for model in public} == {"flux.1-lora"}


def test_bulk_reads_match_by_id_and_leave_out_what_is_gone(api: httpx.Client) -> None:
    first, second, gone = (make(api, name=name)["id"] for name in "abc")
    api.delete(f"/models/{gone}")
    for seed in range(5):
        api.post(f"/models/{first}/training-images", json={"data": data_url(seed), "name": f"{seed}.png"})
    body = {"modelIds": [second, gone, "model_never", first]}
    models = api.post("/models/get-bulk", json=body).json()["models"]
    assert [model["id"] for model in models] == [second, first]
    assert [len(model["trainingImages"]) for model in models] == [0, 3]
    everything = api.post("/models/get-bulk", json=body | {"allTrainingImages": True}).json()["models"]
    assert len(everything[1]["trainingImages"]) == 5
    minimal = api.post("/models/get-bulk", json=body | {"minimal": True}).json()["models"]
    assert [set(model) for model in minimal] == [{"id", "type", "privacy"}] * 2


def test_delete_is_soft_and_restore_brings_it_back_without_tags(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = make(api, name="Kael")["id"]
    api.put(f"/models/{model}/tags", json={"add": ["hero"]})
    train(emulator, api, model)
    assert api.post(f"/models/{model}/restore").status_code == 400
    api.delete(f"/models/{model}")
    assert api.get(f"/models/{model}").status_code == 404
    assert api.delete(f"/models/{model}").status_code == 404
    assert api.put(f"/models/{model}/train", json={}).status_code == 404
    restored = api.post(f"/models/{model}/restore").json()["model"]
    assert (restored["status"], restored["tags"], restored["trainingImagesNumber"]) == ("trained", [], 1)
    api.delete(f"/models/{model}")
    emulator.advance(31 * 86400)
    assert api.post(f"/models/{model}/restore").status_code == 410
    assert api.get("/models", params={"status": "deleted"}).json()["models"] == []


def test_a_training_interrupted_by_a_delete_comes_back_canceled(api: httpx.Client) -> None:
    model = make(api)["id"]
    api.post(f"/models/{model}/training-images", json={"data": data_url(1), "name": "1.png"})
    job = api.put(f"/models/{model}/train", json={}).json()["job"]["jobId"]
    api.delete(f"/models/{model}")
    assert api.post(f"/models/{model}/restore").json()["model"]["status"] == "training-canceled"
    assert api.get(f"/jobs/{job}").json()["job"]["status"] == "canceled"


def test_restoring_needs_a_large_plan() -> None:
    with EmulatorThread(manual_options(plan="free")) as emulator, contract.client(emulator.url) as api:
        model = make(api)["id"]
        api.delete(f"/models/{model}")
        answer = api.post(f"/models/{model}/restore")
        assert (answer.status_code, answer.json()["requiredPlan"]) == (403, "cu-max")
        assert "softDeletionOn" in make(api)


def test_tags_are_idempotent_unless_strict(api: httpx.Client) -> None:
    model = make(api)["id"]
    answer = api.put(f"/models/{model}/tags", json={"add": ["a", "b", "a"], "delete": ["z"]})
    assert answer.json() == {"added": ["a", "b"], "deleted": []}
    assert api.put(f"/models/{model}/tags", json={"add": ["b"]}).json() == {"added": [], "deleted": []}
    assert api.put(f"/models/{model}/tags", json={"add": ["b"], "strict": True}).status_code == 400
    assert api.put(f"/models/{model}/tags", json={"delete": ["z"], "strict": True}).status_code == 400
    api.put(f"/models/{model}/tags", json={"add": ["c"], "delete": ["a"]})
    assert api.get(f"/models/{model}").json()["model"]["tags"] == ["b", "c"]


def test_a_description_names_the_assets_and_models_it_mentions(api: httpx.Client) -> None:
    model, other = make(api)["id"], make(api, name="other")["id"]
    empty = api.get(f"/models/{model}/description").json()["description"]
    assert empty == {"value": "", "assets": [], "models": []}
    text = f"see {other} and model_that_is_not_there"
    set_to = api.put(f"/models/{model}/description", json={"description": text}).json()["description"]
    assert (set_to["value"], [one["id"] for one in set_to["models"]]) == (text, [other])
    assert api.put(f"/models/{model}/description", json={"description": None}).json()["description"]["value"] == ""
    assert api.put(f"/models/{model}/description", json={}).status_code == 400


def test_a_copy_takes_images_and_pairs_along(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = make(api, name="Kael")["id"]
    train(emulator, api, model)
    copy = api.post(f"/models/{model}/copy", json={"copyAsTrained": True}).json()["model"]
    assert (copy["status"], copy["parentModelId"], copy["trainingImagesNumber"]) == ("copying", model, 1)
    assert api.put(f"/models/{copy['id']}/train", json={}).status_code == 400
    emulator.advance(1)
    assert api.get(f"/models/{copy['id']}").json()["model"]["status"] == "trained"
    plain = api.post(f"/models/{model}/copy").json()["model"]["id"]
    emulator.advance(1)
    assert api.get(f"/models/{plain}").json()["model"]["status"] == "new"


def test_an_export_is_a_job_with_a_file(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = make(api, name="Kael")["id"]
    refused = api.post(f"/models/{model}/download")
    assert (refused.status_code, refused.json()["reason"]) == (
        400,
        "Custom models only are supported for this endpoint",
    )
    train(emulator, api, model)
    job = api.post(f"/models/{model}/download").json()["jobId"]
    emulator.advance(2)
    done = api.get(f"/jobs/{job}").json()["job"]
    assert (done["status"], done["jobType"]) == ("success", "model-download")
    assert b"simulated" in contract.plain.get(done["metadata"]["output"]["url"]).content


def test_generated_pictures_are_deleted_but_not_training_images(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = make(api, name="Kael")["id"]
    train(emulator, api, model)
    read = api.get(f"/models/{model}").json()["model"]
    sample, image = read["exampleAssetIds"][0], read["trainingImages"][0]["id"]
    assert api.delete(f"/models/{model}/images", params={"ids": sample}).json() == {}
    assert api.get(f"/assets/{sample}").status_code == 404
    assert api.delete(f"/models/{model}/images", params={"ids": image}).status_code == 404
    assert api.delete(f"/models/{model}/images").status_code == 400


def test_other_projects_are_out_of_scope(api: httpx.Client) -> None:
    model = make(api)["id"]
    elsewhere = {"projectId": "proj_other"}
    assert api.get(f"/models/{model}", params=elsewhere).status_code == 403
    assert api.get("/models", params=elsewhere).json()["models"] == []
    assert api.post("/models/get-bulk", params=elsewhere, json={"modelIds": [model]}).json()["models"] == []
    assert api.get("/models/model_unknown").status_code == 404


def test_a_model_becomes_no_composition_without_concepts(emulator: EmulatorThread, api: httpx.Client) -> None:
    """A composition without any concept is refused however it would come to be."""
    model = make(api)["id"]
    assert api.put(f"/models/{model}", json={"type": "flux.1-composition"}).status_code == 400
    part = emulator.seed({"models": [{"name": "Ink"}]})["models"][0]
    body = {"type": "flux.1-composition", "concepts": [{"modelId": part, "scale": 1}]}
    assert api.put(f"/models/{model}", json=body).json()["model"]["type"] == "flux.1-composition"


def test_concepts_of_the_wrong_type_are_named_in_the_services_words(
    emulator: EmulatorThread, api: httpx.Client
) -> None:
    seeds = [{"name": "a", "type": "zimage-lora"}, {"name": "b"}, {"name": "c", "type": "qwen-image-lora"}]
    first, fine, other = emulator.seed({"models": seeds})["models"]
    concepts = [{"modelId": one, "scale": 1} for one in (first, fine, other)]
    answer = api.post("/models", json={"type": "flux.1-composition", "concepts": concepts})
    assert answer.status_code == 400
    assert answer.json()["reason"] == f"Invalid model(s): {first}, {other}.\nAllowed model types: flux.1-lora"


def test_a_record_carries_what_live_ones_carry(api: httpx.Client) -> None:
    model = make(api)
    assert (model["trainingImagePairs"], model["complianceMetadata"]) == ([], {})
    missing = api.get("/models/model_nowhere")
    assert (missing.status_code, missing.json()["reason"]) == (404, "Model model_nowhere not found")
