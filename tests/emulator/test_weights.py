"""Exports of weights: a file that is valid and says that it is simulated, in both places, whole or from a place on."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from scenario_sdk import PermissionDeniedError, RateLimitError, Scenario

from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .conftest import strict_sdk
from .test_training import with_images


def exported(emulator: EmulatorThread, api: httpx.Client, model: str, **body: Any) -> str:
    """The id of the job of an export that has ended."""
    job = str(api.post(f"/models/{model}/download", json=body).json()["jobId"])
    emulator.advance(5)
    return job


def address(api: httpx.Client, job: str) -> str:
    return str(api.get(f"/assets/download/{job}").json()["downloadUrl"])


def ready(emulator: EmulatorThread, api: httpx.Client) -> str:
    """A LoRA of four epochs."""
    model = with_images(api)
    api.put(f"/models/{model}/train", json={"parameters": {"nbEpochs": 4, "rank": 4}})
    emulator.advance(60)
    return model


def test_the_file_is_valid_and_says_that_it_is_simulated(emulator: EmulatorThread, api: httpx.Client) -> None:
    """The same for the same epoch; another for another. Retraining changes no export that was made before."""
    model = ready(emulator, api)
    job = exported(emulator, api, model)
    data = contract.plain.get(address(api, job)).content
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__")
    assert (metadata["simulated"], metadata["modelId"], metadata["epoch"]) == ("true", model, "4")
    spans = sorted(tensor["data_offsets"] for tensor in header.values())
    assert [span[0] for span in spans] == [0, *(span[1] for span in spans[:-1])]
    assert 8 + length + spans[-1][1] == len(data)
    for tensor in header.values():
        rows, columns = tensor["shape"]
        assert tensor["data_offsets"][1] - tensor["data_offsets"][0] == 4 * rows * columns
    second, early = exported(emulator, api, model), exported(emulator, api, model, modelEpoch="2")
    assert contract.plain.get(address(api, second)).content == data
    assert contract.plain.get(address(api, early)).content != data
    api.put(f"/models/{model}/train", json={"parameters": {"nbEpochs": 2}})
    emulator.advance(60)
    assert contract.plain.get(address(api, job)).content == data


def test_a_download_is_resumed(emulator: EmulatorThread, api: httpx.Client) -> None:
    url = address(api, exported(emulator, api, ready(emulator, api)))
    whole = contract.plain.get(url)
    size, tag = len(whole.content), whole.headers["etag"]
    assert (whole.headers["accept-ranges"], whole.headers["content-length"]) == ("bytes", str(size))

    def part(asked: str, **headers: str) -> httpx.Response:
        return contract.plain.get(url, headers={"Range": asked, **headers})

    rest = part("bytes=1000-", **{"If-Range": tag})
    assert (rest.status_code, rest.headers["content-range"]) == (206, f"bytes 1000-{size - 1}/{size}")
    assert whole.content[:1000] + rest.content == whole.content
    assert part("bytes=10-19").content == whole.content[10:20]
    assert part(f"bytes=10-{size + 5}").content == whole.content[10:]
    assert part("bytes=-7").content == whole.content[-7:]
    beyond = part(f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    for asked, headers in (("bytes=1000-", {"If-Range": '"other"'}), ("bytes=0-1,4-5", {}), ("bytes=9-2", {})):
        assert (part(asked, **headers).status_code, part(asked, **headers).content) == (200, whole.content)


def test_a_download_can_be_cut_off(emulator: EmulatorThread, api: httpx.Client) -> None:
    """Faults reach weights too, so that a client's resuming can be tested."""
    url = address(api, exported(emulator, api, ready(emulator, api)))
    whole = contract.plain.get(url).content
    emulator.add_fault("truncate", path="/cdn/exports/*")
    with pytest.raises(httpx.RemoteProtocolError):
        contract.plain.get(url)
    rest = contract.plain.get(url, headers={"Range": f"bytes={len(whole) // 2}-"})
    assert (rest.status_code, rest.content) == (206, whole[len(whole) // 2 :])


@pytest.mark.parametrize(("where", "typed", "in_job"), [("both", 1, 1), ("download", 1, 0), ("job", 0, 1)])
def test_the_address_is_where_the_option_puts_it(where: str, typed: int, in_job: int) -> None:
    with EmulatorThread(manual_options(weights_address=where)) as emulator, contract.client(emulator.url) as api:
        job = exported(emulator, api, emulator.seed({"models": [{"name": "Ink"}]})["models"][0])
        status = api.get(f"/assets/download/{job}").json()
        assert (status["jobStatus"], "downloadUrl" in status) == ("success", bool(typed))
        assert ("output" in api.get(f"/jobs/{job}").json()["job"]["metadata"]) == bool(in_job)


def test_an_export_needs_trained_weights_and_a_known_epoch(emulator: EmulatorThread, api: httpx.Client) -> None:
    untrained = api.post(f"/models/{with_images(api)}/download", json={})
    assert (untrained.status_code, untrained.json()["reason"]) == (
        400,
        "Custom models only are supported for this endpoint",
    )
    model = ready(emulator, api)
    assert api.post(f"/models/{model}/download", json={"modelEpoch": "9"}).status_code == 400
    assert api.post("/models/model_nowhere/download", json={}).status_code == 404


def test_exports_have_a_ceiling() -> None:
    """In a month, by the plan: `limits.downloadModel`."""
    with EmulatorThread(manual_options(download_models=1)) as emulator, strict_sdk(emulator) as sdk:
        model = emulator.seed({"models": [{"name": "Ink"}]})["models"][0]
        assert sdk.teams.retrieve_limits("team_default").limits.download_model == 1
        assert sdk.models.with_raw_response.download(model, dry_run="true").status_code == 269
        sdk.models.download(model)
        with pytest.raises(RateLimitError) as refused:
            sdk.models.download(model)
        assert isinstance(refused.value.body, dict)
        assert refused.value.body["name"] == "PlanLimitReachedError"
        assert refused.value.body["details"] == {
            "actionLimit": 1,
            "actionName": "download-model",
            "actionValue": 1,
            "limitScope": "team",
        }
        emulator.advance(32 * 86_400)
        assert sdk.models.download(model).job_id


def test_a_model_of_a_higher_plan_is_refused() -> None:
    """By an option: neither exported nor drawn with, and the answer names the plan it takes."""
    with EmulatorThread(manual_options(restricted=("Ink*",))) as emulator, strict_sdk(emulator) as sdk:
        model = emulator.seed({"models": [{"name": "Ink Wash"}]})["models"][0]
        for call in (
            lambda: sdk.models.download(model),
            lambda: sdk.generate.run_model("model_bfl-flux-1-dev", body={"prompt": "a", "loras": [model]}),
        ):
            with pytest.raises(PermissionDeniedError) as refused:
                call()
            body = refused.value.body
            assert isinstance(body, dict)
            named = (body["name"], body["modelId"], body["requiredPlan"])
            assert named == ("ModelAccessRestrictedError", model, "enterprise")


def test_an_export_that_fails_has_no_address(emulator: EmulatorThread, api: httpx.Client, sdk: Scenario) -> None:
    model = ready(emulator, api)
    job = sdk.models.download(model).job_id
    assert contract.plain.post(
        emulator.url.replace("/v1", "/__emulator__/mutate"), json={"job": job, "fail": "disk full"}
    ).is_success
    status = sdk.assets.download.get_status(job)
    assert (status.job_status, status.download_url) == ("failure", None)
    assert sdk.jobs.retrieve(job).job.metadata.error == "disk full"
