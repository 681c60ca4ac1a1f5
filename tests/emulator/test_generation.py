"""Pictures from trained models: run through their base, checked and priced as the service was seen to do it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from scenario_sdk import Scenario

from scenario_apply.emulator.base_models import BASES
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import data_url
from .test_models import make

FLUX = "/generate/custom/model_bfl-flux-1-dev"
KONTEXT_ID = "model_flux-kontext-editing"
KONTEXT = f"/generate/custom/{KONTEXT_ID}"
TYPES = ("flux.1-lora", "flux.1-composition", "flux.2-dev-lora", "flux.1-kontext-lora", "flux.1-lora")


@pytest.fixture
def trained(emulator: EmulatorThread) -> dict[str, str]:
    """Trained models by type; "new" is an untrained LoRA."""
    models = [{"name": kind, "type": kind} for kind in TYPES[:4]]
    ids = emulator.seed({"models": [*models, {"name": "new", "status": "new"}]})["models"]
    return dict(zip([*TYPES[:4], "new"], ids, strict=True))


def quote(api: httpx.Client, path: str, **body: Any) -> httpx.Response:
    return api.post(path, params={"dryRun": "true"}, json={"prompt": "KAEL at dusk", **body})


def test_a_base_tells_its_inputs_and_no_other_view_does(api: httpx.Client, trained: dict[str, str]) -> None:
    """Which LoRAs a base takes is read there, never guessed. No list, bulk answer or trained model carries it."""
    for base in BASES.values():
        model = api.get(f"/models/{base.id}").json()["model"]
        assert (model["type"], model["custom"], model["privacy"]) == ("custom", True, "public")
        inputs = {one["name"]: one for one in model["inputs"]}
        assert inputs["loras"]["modelTypes"] == list(base.loras)
        assert ("modelId" in inputs) == ("modelIdInput" in model["uiConfig"]["lorasComponent"]) == bool(base.model_id)
        assert (inputs["lorasScale"]["min"], inputs["lorasScale"]["max"]) == (0, 2)
    ids = [*BASES, *trained.values()]
    rows = api.post("/models/get-bulk", json={"modelIds": ids}).json()["models"]
    rows += api.get("/models", params={"privacy": "public"}).json()["models"]
    rows.append(api.get(f"/models/{trained['flux.1-lora']}").json()["model"])
    assert not [row["id"] for row in rows if "inputs" in row or "uiConfig" in row]


def test_a_data_folder_of_an_older_release_gets_the_bases(tmp_path: Path) -> None:
    options = manual_options(data=tmp_path / "data")
    with EmulatorThread(options) as emulator:
        emulator._do(lambda server: server.world.db.run("DELETE FROM models WHERE type = 'custom'"))
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        assert [quote(api, f"/generate/custom/{base}").status_code for base in BASES if base != KONTEXT_ID] == [269] * 6


def test_a_trained_model_is_never_run_by_its_own_id(api: httpx.Client, trained: dict[str, str]) -> None:
    for kind in ("flux.1-lora", "flux.1-composition"):
        answer = quote(api, f"/generate/custom/{trained[kind]}")
        assert (answer.status_code, answer.json()["reason"]) == (
            400,
            "Custom models only are supported for this endpoint",
        )


@pytest.mark.parametrize(
    ("path", "body", "cost"),
    [
        (FLUX, {}, 10.75),
        (FLUX, {"loras": ["flux.1-lora"], "lorasScale": [0.8]}, 10.75),
        (FLUX, {"modelId": "flux.1-composition", "numOutputs": 2}, 21.5),
        ("/generate/custom/model_bfl-flux-2-dev", {"loras": ["flux.2-dev-lora"], "lorasScale": [1]}, 17.75),
        (KONTEXT, {"referenceImages": [data_url(1)]}, 17.75),
        (KONTEXT, {"referenceImages": [data_url(1)], "loras": ["flux.1-kontext-lora"], "lorasScale": [1]}, 19.75),
        # accepted without a word: the client has to check
        (FLUX, {"loras": ["flux.1-lora"]}, 10.75),
        (FLUX, {"loras": ["flux.1-lora"], "lorasScale": [1, 1, 1]}, 10.75),
        (FLUX, {"loras": ["flux.1-lora"], "lorasScale": [-1]}, 10.75),
    ],
)
def test_prices_are_fractions_that_add_up(
    api: httpx.Client, trained: dict[str, str], path: str, body: dict[str, Any], cost: float
) -> None:
    answer = quote(api, path, **resolved(body, trained))
    assert answer.status_code == 269
    priced = answer.json()
    assert priced["creativeUnitsCost"] == cost == sum(priced["costDetails"].values())
    assert priced["costDetails"]["quality-gate"] == 1.75 * body.get("numOutputs", 1)
    assert api.get("/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        (FLUX, {"loras": ["flux.1-lora"], "lorasScale": [2.5]}, 400, "Input lorasScale must be at most 2"),
        (FLUX, {"loras": ["flux.1-lora"] * 7}, 400, "Input loras must be at most 6 items long"),
        (
            FLUX,
            {"loras": ["flux.2-dev-lora"]},
            400,
            "Invalid model(s): <flux.2-dev-lora>.\nAllowed model types: flux.1-lora",
        ),
        (
            FLUX,
            {"loras": ["flux.1-composition"]},
            400,
            "Invalid model(s): <flux.1-composition>.\nAllowed model types: flux.1-lora",
        ),
        (
            FLUX,
            {"modelId": "flux.2-dev-lora"},
            400,
            "Invalid model(s): <flux.2-dev-lora>.\nAllowed model types: flux.1-lora, flux.1-composition",
        ),
        (FLUX, {"loras": ["model_nowhere"]}, 404, "Model model_nowhere not found"),
        (FLUX, {"loras": ["new"]}, 400, "Model <new> is not trained but new"),
        (FLUX, {"loras": "flux.1-lora"}, 400, "Input loras must be an array"),
        (FLUX, {"prompt": ""}, 400, "Input prompt is required"),
        (FLUX, {"prompt": "x" * 10_001}, 400, "Input prompt must be at most 10000 characters long"),
        (FLUX, {"numOutputs": 5}, 400, "Input numOutputs must be at most 4"),
        (FLUX, {"numOutputs": 0}, 400, "Input numOutputs must be at least 1"),
        (FLUX, {"width": "wide"}, 400, "Input width must be a number"),
        (KONTEXT, {}, 400, "Input referenceImages is required"),
        (KONTEXT, {"referenceImages": ["asset_nowhere"]}, 404, "Asset asset_nowhere not found"),
        ("/generate/custom/model_nowhere", {}, 404, "Model model_nowhere not found"),
    ],
)
def test_refusals_are_in_the_services_words(
    api: httpx.Client, trained: dict[str, str], path: str, body: dict[str, Any], status: int, reason: str
) -> None:
    for kind, identifier in trained.items():
        reason = reason.replace(f"<{kind}>", identifier)
    answer = quote(api, path, **resolved(body, trained))
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


def test_pictures_come_with_the_job(emulator: EmulatorThread, api: httpx.Client, trained: dict[str, str]) -> None:
    """As many as asked for, of the size asked for; they are charged once."""
    body = {"prompt": "KAEL", "loras": [trained["flux.1-lora"]], "lorasScale": [1], "numOutputs": 2, "width": 320}
    launched = api.post(FLUX, json={**body, "height": 256}).json()
    assert (launched["job"]["jobType"], launched["creativeUnitsCost"]) == ("custom", 21.5)
    path = f"/jobs/{launched['job']['jobId']}"
    assert api.get(path).json()["job"]["metadata"]["assetIds"] == []
    emulator.advance(5)
    job = api.get(path).json()["job"]
    assert (job["status"], job["billing"]["cuCost"]) == ("success", 21.5)
    assert "outputModelId" not in job["metadata"]
    assets = [api.get(f"/assets/{one}").json()["asset"] for one in job["metadata"]["assetIds"]]
    assert [asset["metadata"]["prompt"] for asset in assets] == ["KAEL"] * 2
    pictures = {contract.plain.get(asset["url"]).content for asset in assets}
    assert {Image.open(io.BytesIO(data)).size for data in pictures} == {(320, 256)}
    assert len(pictures) == 2
    assert api.get("/usages", params={"type": "consumption"}).json()["consumption"][0]["value"] == 21.5
    assert api.get("/teams/team_default/limits").json()["values"]["creativeUnits"] == 21.5


@pytest.mark.parametrize(
    ("base", "body"),
    [
        ("model_bfl-flux-1-dev", {"width": None, "height": None, "seed": None, "numOutputs": None, "loras": None}),
        ("model_bfl-flux-2-klein-9b", {"modelId": {"id": 1}}),
        ("model_z-image", {"referenceImages": [1]}),
    ],
    ids=["nulls", "an input that this base does not have", "references where nothing is edited"],
)
def test_what_is_left_out_or_unknown_stops_nothing(
    emulator: EmulatorThread, api: httpx.Client, base: str, body: dict[str, Any]
) -> None:
    """A null counts as left out, when the picture is drawn, too: the emulator answers everybody else as before."""
    launched = api.post(f"/generate/custom/{base}", json={"prompt": "KAEL", **body})
    assert launched.status_code == 200
    emulator.advance(10)
    job = api.get(f"/jobs/{launched.json()['job']['jobId']}").json()["job"]
    assert job["status"] == "success"
    asset = api.get(f"/assets/{job['metadata']['assetIds'][0]}").json()["asset"]
    assert (asset["properties"]["width"], asset["properties"]["height"]) == (1024, 1024)


def test_a_generation_can_be_cancelled(emulator: EmulatorThread, api: httpx.Client) -> None:
    job = api.post(FLUX, json={"prompt": "KAEL"}).json()["job"]["jobId"]
    assert api.post(f"/jobs/{job}/action", json={"action": "cancel"}).json()["job"]["status"] == "canceled"
    emulator.advance(10)
    assert api.get(f"/jobs/{job}").json()["job"]["metadata"]["assetIds"] == []


def test_generations_at_once_have_a_ceiling() -> None:
    """`limits.parallelCustomJobs`, for the whole team. Nothing is charged for what was refused."""
    with EmulatorThread(manual_options(parallel_custom_jobs=2)) as emulator, contract.client(emulator.url) as api:
        emulator.seed({"projects": ["proj_art"]})
        launched = [
            api.post(FLUX, json={"prompt": "KAEL"}, params=project) for project in ({}, {"projectId": "proj_art"})
        ]
        assert [one.status_code for one in launched] == [200, 200]
        refused = api.post(FLUX, json={"prompt": "KAEL"})
        assert (refused.status_code, refused.json()["name"]) == (429, "PlanLimitReachedError")
        details = {"actionName": "parallel-custom-jobs", "actionLimit": 2, "actionValue": 2, "limitScope": "team"}
        assert refused.json()["details"] == details
        assert quote(api, FLUX).status_code == 269
        limits = api.get("/teams/team_default/limits").json()
        assert (limits["limits"]["parallelCustomJobs"], limits["values"]["creativeUnits"]) == (2, 21.5)
        emulator.advance(5)
        assert api.post(FLUX, json={"prompt": "KAEL"}).status_code == 200


def test_a_generation_fails_on_request_and_is_refunded() -> None:
    """By its prompt, or while it runs; the job says why, and has no pictures."""
    options = manual_options(fail_generation=("*lava*",))
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        jobs = [
            api.post(FLUX, json={"prompt": prompt}).json()["job"]["jobId"]
            for prompt in ("KAEL in lava", "KAEL at sea", "KAEL at dusk")
        ]
        body = {"job": jobs[1], "fail": "out of memory"}
        assert contract.plain.post(emulator.url.replace("/v1", "/__emulator__/mutate"), json=body).status_code == 200
        assert api.get("/jobs", params={"types": "custom", "status": "failure"}).json()["jobs"][0]["jobId"] == jobs[1]
        emulator.advance(5)
        ended = [api.get(f"/jobs/{job}").json()["job"] for job in jobs]
        assert [job["status"] for job in ended] == ["failure", "failure", "success"]
        assert "--fail-generation *lava*" in ended[0]["metadata"]["error"]
        assert ended[1]["metadata"]["error"] == "out of memory"
        assert [len(job["metadata"]["assetIds"]) for job in ended] == [0, 0, 1]
        assert api.get("/usages").json()["consumption"][0]["value"] == 10.75
        again = contract.plain.post(emulator.url.replace("/v1", "/__emulator__/mutate"), json=body)
        assert (again.status_code, again.json()["reason"]) == (400, f"Job {jobs[1]} has ended")


def test_a_lost_answer_is_found_among_the_jobs(
    emulator: EmulatorThread, api: httpx.Client, trained: dict[str, str]
) -> None:
    """The job runs although its answer was lost: by prompt, seed, LoRA and base in `metadata.input` it is found."""
    emulator.add_fault("drop-answer", method="POST", path="/generate/custom/*")
    body = {"prompt": "KAEL", "seed": 2147483647, "loras": [trained["flux.1-lora"]], "lorasScale": [0.8]}
    with pytest.raises(httpx.TransportError):
        api.post(FLUX, json=body)
    api.post("/generate/caption", json={"images": [data_url(1)]})
    api.post(FLUX, json={"prompt": "KAEL", "modelId": trained["flux.1-composition"]})
    first = api.get("/jobs", params={"types": "custom", "pageSize": 1}).json()
    assert first["jobs"][0]["metadata"]["input"]["modelId"] == trained["flux.1-composition"]
    found = []
    token = first["nextPaginationToken"]
    while token:  # a page may be short: the caption's job is left out of one
        page = api.get("/jobs", params={"types": "custom", "pageSize": 1, "paginationToken": token}).json()
        found += page["jobs"]
        token = page.get("nextPaginationToken")
    assert [job["jobType"] for job in found] == ["custom"]
    echoed = {"modelId": trained["flux.1-lora"], "baseModelId": "model_bfl-flux-1-dev"}
    assert found[0]["metadata"]["input"] == body | echoed


def test_a_ceiling_can_be_provoked(emulator: EmulatorThread, api: httpx.Client) -> None:
    emulator.add_fault("429-ceiling", path="/generate/custom/*")
    assert api.post(FLUX, json={"prompt": "KAEL"}).json()["details"]["actionName"] == "parallel-custom-jobs"


def test_references_are_pictures(emulator: EmulatorThread, api: httpx.Client) -> None:
    """A data URL that is none is refused in a dry run as in a launch; a launch makes an asset of one that is."""
    for wrong in ("data:image/png,no", "data:image/png;base64,AAAA"):
        assert quote(api, KONTEXT, referenceImages=[wrong]).json()["reason"] == "Unhandled image format"
    assert quote(api, KONTEXT, referenceImages=[data_url(1)]).status_code == 269
    assert api.get("/assets").json()["assets"] == []
    assert api.post(KONTEXT, json={"prompt": "a", "referenceImages": [data_url(1)]}).status_code == 200
    assert [asset["source"] for asset in api.get("/assets").json()["assets"]] == ["uploaded"]


def test_captions_come_in_the_order_of_the_images(api: httpx.Client) -> None:
    model = make(api)["id"]
    added = api.post(f"/models/{model}/training-images", json={"data": data_url(1), "name": "knight.png"}).json()
    image = added["trainingImage"]
    body = {"images": [data_url(2), image["id"]], "unwantedSequences": ["a square picture,"]}
    priced = api.post("/generate/caption", params={"dryRun": "true"}, json=body)
    assert (priced.status_code, priced.json()["costDetails"]) == (269, {"caption": 0.5})
    answer = api.post("/generate/caption", json=body).json()
    assert answer["captions"][1] == image["automaticCaptioning"].replace("a square picture, ", "")
    assert (answer["job"]["jobType"], answer["job"]["status"]) == ("caption", "success")
    for wrong, status in (([], 400), (["asset_nowhere"], 404), (["data:image/png,no"], 400)):
        assert api.post("/generate/caption", json={"images": wrong}).status_code == status
    assert api.post("/generate/caption", json={**body, "unwantedSequences": ["a"] * 101}).status_code == 400


def test_the_official_sdk_makes_pictures_and_captions(
    emulator: EmulatorThread, sdk: Scenario, trained: dict[str, str]
) -> None:
    """In strict mode: what it does not know would raise."""
    base = sdk.models.retrieve("model_bfl-flux-1-dev").model
    assert base.inputs is not None
    body = {"prompt": "KAEL", "modelId": trained["flux.1-lora"]}
    priced = sdk.generate.with_raw_response.run_model("model_bfl-flux-1-dev", body=body, dry_run="true")
    assert (priced.status_code, priced.http_response.json()["creativeUnitsCost"]) == (269, 10.75)
    launched = sdk.generate.run_model("model_bfl-flux-1-dev", body=body)
    emulator.advance(5)
    done = sdk.jobs.retrieve(launched.job.job_id).job
    assert done.status == "success"
    assert done.metadata.asset_ids is not None
    examples = sdk.models.examples.update(trained["flux.1-lora"], asset_ids=done.metadata.asset_ids).examples
    assert [one.asset.id for one in examples] == done.metadata.asset_ids
    captions = sdk.generate.caption(images=done.metadata.asset_ids)
    assert captions.captions == ["a simulated picture"]
    assert sdk.models.scores.retrieve_prompt(trained["flux.1-lora"], prompt="KAEL").status == "unknown"
    consumed = sdk.usages.list(type=["consumption"]).consumption
    assert consumed is not None
    assert consumed[0].value == 11.0


def resolved(body: dict[str, Any], trained: dict[str, str]) -> dict[str, Any]:
    """The body with ids in place of types."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(inner) for inner in value]
        return trained.get(value, value) if isinstance(value, str) else value

    return {key: one(value) for key, value in body.items()}
