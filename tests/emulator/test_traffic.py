"""A day of seeded traffic: requests of many kinds in any order, answers within the contract, the books always right."""

from __future__ import annotations

import random
from typing import Any

import httpx
import pytest

from scenario_apply.emulator.thread import EmulatorThread

from .pictures import bare, data_url

TYPES = ("flux.1-lora", "zimage-lora", "qwen-image-edit-lora", "flux.1-composition")
STEPS = 350
DAY_S = 86_400


class Traffic:
    """A client that does something or other, and remembers what must be there."""

    def __init__(self, api: httpx.Client, dice: random.Random) -> None:
        self.api = api
        self.dice = dice
        self.images: dict[str, list[str]] = {}
        self.assets: list[str] = []
        self.captions: dict[str, str] = {}
        self.launched: dict[str, str] = {}

    def step(self) -> None:
        """One request, or a few."""
        actions = [
            self.create,
            self.upload,
            self.attach,
            self.caption,
            self.train,
            self.cancel,
            self.delete,
            self.detach,
        ]
        weights = [4, 5, 8, 5, 5, 1, 1, 1]
        self.dice.choices(actions, weights)[0]()

    def model(self) -> str | None:
        """Any model."""
        return self.dice.choice(list(self.images)) if self.images else None

    def create(self) -> None:
        body: dict[str, Any] = {"name": self.dice.choice("ABC"), "type": self.dice.choice(TYPES)}
        if body["type"] == "flux.1-composition" and (part := self.model()) is not None:
            body["concepts"] = [{"modelId": part, "scale": 0.5}]
        answer = self.api.post("/models", json=body)
        if answer.status_code == 200:
            self.images[answer.json()["model"]["id"]] = []

    def upload(self) -> None:
        seed = self.dice.randrange(40)
        self.assets.append(
            self.api.post("/assets", json={"image": bare(seed), "name": f"{seed}.png"}).json()["asset"]["id"]
        )

    def attach(self) -> None:
        model = self.model()
        if model is None:
            return
        if self.assets and self.dice.random() < 0.6:
            ids = self.dice.sample(self.assets, min(len(self.assets), self.dice.randint(1, 11)))
            body: dict[str, Any] = {"assetIds": ids}
        else:
            body = {"data": data_url(self.dice.randrange(40)), "name": "a.png"}
        answer = self.api.post(f"/models/{model}/training-images", json=body)
        if answer.status_code == 200:
            added = answer.json().get("trainingImages") or [answer.json()["trainingImage"]]
            self.images[model] += [image["id"] for image in added]

    def caption(self) -> None:
        if self.assets:
            asset, text = self.dice.choice(self.assets), f"caption {self.dice.random()}"
            assert self.api.put(f"/assets/{asset}", json={"description": text}).status_code == 200
            self.captions[asset] = text

    def train(self) -> None:
        model = self.model()
        if model is None:
            return
        quote = self.api.put(f"/models/{model}/train", params={"dryRun": "true"}, json={})
        launch = self.api.put(f"/models/{model}/train", json={})
        assert (quote.status_code == 269) == (launch.status_code == 200)
        if launch.status_code == 200:
            assert launch.json()["creativeUnitsCost"] == quote.json()["creativeUnitsCost"]
            self.launched[model] = launch.json()["job"]["jobId"]

    def cancel(self) -> None:
        model = self.model()
        if model is not None:
            self.api.post(f"/models/{model}/train/action", json={"action": "cancel"})

    def delete(self) -> None:
        model = self.model()
        if model is not None:
            assert self.api.delete(f"/models/{model}").status_code == 200
            del self.images[model]

    def detach(self) -> None:
        model = self.model()
        if model is not None and self.images[model]:
            image = self.dice.choice(self.images[model])
            if self.api.delete(f"/models/{model}/training-images/{image}").status_code == 200:
                self.images[model].remove(image)

    def audit(self) -> None:
        """The service holds what was acknowledged, no more and no less."""
        listed: dict[str, dict[str, Any]] = {}
        params = {"pageSize": "7"}
        while True:
            page = self.api.get("/models", params=params).json()
            listed |= {model["id"]: model for model in page["models"]}
            if "nextPaginationToken" not in page:
                break
            params["paginationToken"] = page["nextPaginationToken"]
        assert set(listed) == set(self.images)
        body = {"modelIds": list(self.images), "allTrainingImages": True}
        for model in self.api.post("/models/get-bulk", json=body).json()["models"]:
            held = {image["id"]: image["description"] for image in model["trainingImages"]}
            assert list(held) == self.images[model["id"]]
            assert all(text == self.captions.get(asset, "") for asset, text in held.items())
            assert model["trainingImagesNumber"] == len(held)


@pytest.mark.parametrize("seed", range(3))
def test_a_day_keeps_the_contract_and_the_books(emulator: EmulatorThread, api: httpx.Client, seed: int) -> None:
    dice = random.Random(seed)
    traffic = Traffic(api, dice)
    for number in range(STEPS):
        traffic.step()
        emulator.advance(DAY_S / STEPS * dice.random() * 2 if dice.random() < 0.3 else 0.5)
        if number % 70 == 69:
            traffic.audit()
    emulator.advance(60)
    traffic.audit()
    jobs = api.get("/jobs", params={"pageSize": "100"}).json()["jobs"]
    assert {job["status"] for job in jobs} <= {"success", "canceled"}
    assert set(traffic.launched.values()) <= {job["jobId"] for job in jobs}
    assert {entry.status for entry in emulator.requests} <= {200, 269, 400}
