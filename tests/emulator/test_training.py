"""Training: checks before, stages during, results, failures and cancels after; prices that can be relied on."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from scenario_apply.emulator.options import EmulatorOptions
from scenario_apply.emulator.progress import Timeline, history, progress_at
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import data_url
from .test_models import make


def with_images(api: httpx.Client, count: int = 2, **body: Any) -> str:
    """A model with pictures; its id."""
    model: str = make(api, **body)["id"]
    for seed in range(count):
        answer = api.post(f"/models/{model}/training-images", json={"data": data_url(seed), "name": f"{seed}.png"})
        assert answer.status_code == 200
    return model


def test_nothing_is_trained_on_nothing(api: httpx.Client) -> None:
    model = make(api)["id"]
    for query in ({}, {"dryRun": "true"}):
        assert api.put(f"/models/{model}/train", params=query, json={}).status_code == 400
    quote = api.put(f"/models/{model}/train", params={"dryRun": "true", "trainingImagesCount": "12"}, json={})
    assert quote.status_code == 269
    assert quote.json()["costDetails"] == {"train-model": quote.json()["creativeUnitsCost"]}


def test_a_dry_run_counts_only_in_the_query(api: httpx.Client) -> None:
    model = with_images(api)
    launched = api.put(f"/models/{model}/train", json={"dryRun": "true"})
    assert (launched.status_code, launched.json()["model"]["status"]) == (200, "training")


def test_epochs_scale_the_price(api: httpx.Client) -> None:
    model = make(api, type="zimage-lora")["id"]

    def price(epochs: int) -> int:
        query = {"dryRun": "api", "trainingImagesCount": "10"}
        body = {"parameters": {"nbEpochs": epochs, "nbRepeats": 10}}
        return int(api.put(f"/models/{model}/train", params=query, json=body).json()["creativeUnitsCost"])

    assert price(20) - price(10) == price(30) - price(20) > 0


@pytest.mark.parametrize(
    ("kind", "parameters", "place"),
    [
        ("flux.1-lora", {"learningRate": 0}, "learningRate"),
        ("flux.1-lora", {"learningRate": "fast"}, "learningRate"),
        ("flux.1-lora", {"rank": 65}, "rank"),
        ("flux.1-lora", {"batchSize": 5}, "batchSize"),
        ("flux.1-lora", {"maxTrainSteps": 10001}, "maxTrainSteps"),
        ("flux.1-lora", {"optimizeFor": "style"}, "optimizeFor"),
        ("flux.1-lora", {"wandbKey": "x" * 41}, "wandbKey"),
        ("flux.1-lora", {"sampleSourceImages": ["a"]}, "sampleSourceImages"),
        ("zimage-lora", {"learningRate": 0.01}, "learningRate"),
        ("zimage-lora", {"nbEpochs": 101}, "nbEpochs"),
        ("zimage-lora", {"samplePrompts": ["a"] * 5}, "samplePrompts"),
        ("zimage-lora", {"conceptPrompt": "x" * 21}, "conceptPrompt"),
        ("flux.1-kontext-lora", {"rank": 65}, "rank"),
        ("flux.1-lora", {"rank": 16.5}, "rank: must be a whole number"),
    ],
)
def test_parameters_are_checked_by_family(api: httpx.Client, kind: str, parameters: dict[str, Any], place: str) -> None:
    model = with_images(api, type=kind)
    answer = api.put(f"/models/{model}/train", json={"parameters": parameters})
    assert answer.status_code == 400
    assert f"parameters.{place}" in answer.json()["reason"]
    assert api.get(f"/models/{model}").json()["model"]["status"] == "new"


def test_a_concept_prompt_of_twenty_characters_is_accepted(api: httpx.Client) -> None:
    model = with_images(api, type="flux.2-dev-lora")
    answer = api.put(f"/models/{model}/train", json={"parameters": {"conceptPrompt": "x" * 20}})
    assert answer.status_code == 200


def test_kontext_trains_on_pairs_and_on_single_images_too(api: httpx.Client) -> None:
    """On pairs, it needs two complete ones, as every family of pairs does."""
    model = with_images(api, count=4, type="flux.1-kontext-lora")
    ids = [one["id"] for one in api.get(f"/models/{model}").json()["model"]["trainingImages"]]
    pairs = [
        {"sourceId": ids[0], "targetId": ids[1], "instruction": "at night"},
        {"sourceId": ids[2], "targetId": ids[3], "instruction": "in the snow"},
    ]
    api.put(f"/models/{model}/training-images/pairs", json=pairs[:1])
    assert "complete training image pairs" in api.put(f"/models/{model}/train", json={}).json()["reason"]
    for accepted in ([], pairs):
        api.put(f"/models/{model}/training-images/pairs", json=accepted)
        assert api.put(f"/models/{model}/train", params={"dryRun": "true"}, json={}).status_code == 269


@pytest.mark.parametrize(("kind", "pairs", "images"), [("flux.1-kontext-lora", 100, 100), ("zimage-lora", 0, 50)])
def test_as_many_pairs_as_images(api: httpx.Client, kind: str, pairs: int, images: int) -> None:
    """A pair is two images: a type that takes a hundred of them takes two hundred images."""
    model = make(api, type=kind)["id"]
    for count, status in ((2 * pairs or images, 269), (2 * pairs + 1 if pairs else images + 1, 400)):
        query = {"dryRun": "true", "trainingImagesCount": str(count)}
        assert api.put(f"/models/{model}/train", params=query, json={}).status_code == status


def test_a_second_launch_is_refused_and_images_stay_while_training(api: httpx.Client) -> None:
    model = with_images(api)
    image = api.get(f"/models/{model}").json()["model"]["trainingImages"][0]["id"]
    api.put(f"/models/{model}/train", json={})
    again = api.put(f"/models/{model}/train", json={})
    assert (again.status_code, again.json()["reason"]) == (400, "Model is already training")
    assert api.delete(f"/models/{model}/training-images/{image}").status_code == 400


def test_a_cancelled_training_can_be_started_again(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = with_images(api)
    job = api.put(f"/models/{model}/train", json={}).json()["job"]["jobId"]
    by_job = api.post(f"/jobs/{job}/action", json={"action": "cancel"})
    assert (by_job.status_code, by_job.json()["reason"]) == (400, "Cannot cancel this type of job")
    emulator.advance(5)
    cancelled = api.post(f"/models/{model}/train/action", json={"action": "cancel"}).json()["model"]
    assert cancelled["status"] == "training-canceled"
    assert api.get(f"/jobs/{job}").json()["job"]["status"] == "canceled"
    assert api.post(f"/models/{model}/train/action", json={"action": "cancel"}).status_code == 400
    assert api.put(f"/models/{model}/train", json={}).json()["model"]["status"] == "training"
    emulator.advance(20)
    assert api.get(f"/models/{model}").json()["model"]["status"] == "trained"


def test_a_training_set_to_fail_gives_the_reason() -> None:
    options = manual_options(fail_training=("Kael*",), training_s=10)
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        doomed, fine = with_images(api, name="Kael the ranger"), with_images(api, name="Mira")
        jobs = [api.put(f"/models/{model}/train", json={}).json()["job"]["jobId"] for model in (doomed, fine)]
        emulator.advance(10)
        assert [api.get(f"/models/{one}").json()["model"]["status"] for one in (doomed, fine)] == ["failed", "trained"]
        job = api.get(f"/jobs/{jobs[0]}").json()["job"]
        assert job["status"] == "failure"
        assert "--fail-training Kael*" in job["metadata"]["error"]


def test_a_result_has_epochs_samples_and_statistics(emulator: EmulatorThread, api: httpx.Client) -> None:
    model = with_images(api)
    parameters = {"nbEpochs": 12, "nbRepeats": 2, "samplePrompts": ["a knight", "a horse"]}
    api.put(f"/models/{model}/train", json={"parameters": parameters})
    emulator.advance(60)
    done = api.get(f"/models/{model}").json()["model"]
    assert [one["epoch"] for one in done["epochs"]] == [str(number) for number in range(3, 13)]
    assert (done["epoch"], len(done["epochs"][-1]["assets"])) == ("12", 2)
    assert done["trainingStats"]["queueDuration"] == 2.0
    assert done["trainingStats"]["trainDuration"] == 18.0
    listed = api.get("/assets", params={"modelId": model}).json()["assets"]
    assert len(listed) == 20
    assert {one["metadata"]["prompt"] for one in listed} == {"a knight", "a horse"}


def test_limits_on_launches_name_themselves() -> None:
    options = manual_options(parallel_training=1, cooldown_s=7)
    with EmulatorThread(options) as emulator, contract.client(emulator.url) as api:
        first, second = with_images(api), with_images(api)
        assert api.put(f"/models/{first}/train", json={}).status_code == 200
        full = api.put(f"/models/{second}/train", json={})
        assert (full.status_code, full.json()["details"]) == (
            429,
            {"actionName": "parallel-training", "actionLimit": 1, "actionValue": 1, "limitScope": "team"},
        )
        assert "retry-after" not in full.headers
        api.post(f"/models/{first}/train/action", json={"action": "cancel"})
        emulator.advance(2.5)
        cooling = api.put(f"/models/{second}/train", json={})
        assert (cooling.status_code, cooling.json()["remainingSeconds"]) == (429, 5)
        emulator.advance(5)
        assert api.put(f"/models/{second}/train", json={}).status_code == 200


def test_the_newer_families_take_fifty_pictures_at_most(api: httpx.Client) -> None:
    model = make(api, type="qwen-image-lora")["id"]
    query = {"dryRun": "true", "trainingImagesCount": "51"}
    assert api.put(f"/models/{model}/train", params=query, json={}).status_code == 400


def test_public_models_are_not_trained(api: httpx.Client) -> None:
    answer = api.put("/models/model_public_storybook_watercolor/train", json={})
    assert (answer.status_code, answer.json()["reason"]) == (400, "Custom models only are supported for this endpoint")
    assert api.put("/models/flux.1-dev", json={"name": "mine"}).status_code == 403


def test_progress_is_a_function_of_the_clock() -> None:
    line = Timeline(created=0, queued_until=2000, ends=20_000)
    stages = [progress_at(line, at, 3) for at in (0, 300, 1900, 2000, 5000, 19_900, 30_000)]
    assert [one.stage for one in stages] == [
        "pending",
        "queued-for-train",
        "queued-for-train",
        "starting-train",
        "running-train",
        "running-train",
        "running-train",
    ]
    assert [one.position for one in stages[:4]] == [3, 3, 1, 0]
    progress = [one.progress for one in stages]
    assert progress == sorted(progress)
    assert progress[-1] < 1
    assert [one.remaining_ms for one in stages[-2:]] == [100, 0]
    assert history(line, 2000) == [("pending", 0), ("queued", 200), ("warming-up", 2000)]


def test_no_time_at_all_is_a_training_too() -> None:
    with EmulatorThread(manual_options(training_s=0)) as emulator, contract.client(emulator.url) as api:
        model = with_images(api)
        assert api.put(f"/models/{model}/train", json={}).json()["model"]["status"] == "training"
        assert api.get(f"/models/{model}").json()["model"]["status"] == "trained"
        job = api.get("/jobs").json()["jobs"][0]
        assert (job["status"], job["statusHistory"][-1]["status"]) == ("success", "success")


def test_the_queue_takes_a_tenth_and_two_seconds_at_most() -> None:
    assert EmulatorOptions(training_s=3).queued_s == pytest.approx(0.3)
    assert EmulatorOptions(training_s=100).queued_s == 2
    assert EmulatorOptions(training_s=100, queue_s=50).queued_s == 50
