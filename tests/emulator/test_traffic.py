"""A day of seeded traffic: requests of many kinds in any order, answers within the contract, the books always right."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import bare, data_url, png

TYPES = ("flux.1-lora", "zimage-lora", "qwen-image-edit-lora", "flux.1-composition")
STEPS = 350
DAY_S = 86_400


class Traffic:
    """A client that does something or other, and remembers what must be there."""

    api: httpx.Client

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.images: dict[str, list[str]] = {}
        self.assets: list[str] = []
        self.captions: dict[str, str] = {}
        self.launched: dict[str, str] = {}
        self.deleted: dict[str, list[str]] = {}
        self.tags: dict[str, list[str]] = {}

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
            self.restore,
            self.copy,
            self.tag,
            self.upload_in_parts,
            self.look,
        ]
        weights = [4, 5, 8, 5, 5, 1, 1, 1, 1, 1, 2, 1, 4]
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
            self.deleted[model] = self.images.pop(model)
            self.tags.pop(model, None)  # what comes back has none

    def restore(self) -> None:
        if self.deleted:
            model = self.dice.choice(list(self.deleted))
            assert self.api.post(f"/models/{model}/restore").status_code == 200
            self.images[model] = self.deleted.pop(model)

    def copy(self) -> None:
        model = self.model()
        if model is not None:
            answer = self.api.post(f"/models/{model}/copy", json={"copyAsTrained": self.dice.random() < 0.5})
            if answer.status_code == 200:
                made = answer.json()["model"]["id"]
                self.images[made] = list(self.images[model])
                self.tags[made] = list(self.tags.get(model, []))

    def tag(self) -> None:
        model = self.model()
        if model is not None:
            add, drop = self.dice.choice("abc"), self.dice.choice("def")
            changed = self.api.put(f"/models/{model}/tags", json={"add": [add], "delete": [drop]}).json()
            held = self.tags.setdefault(model, [])
            held[:] = [one for one in held if one not in changed["deleted"]] + changed["added"]

    def upload_in_parts(self) -> None:
        data = png(self.dice.randrange(40))
        body = {"fileName": "p.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": len(data)}
        upload = self.api.post("/uploads", json=body).json()["upload"]
        assert contract.plain.put(upload["parts"][0]["url"], content=data).status_code == 200
        self.api.post(f"/uploads/{upload['id']}/action", json={"action": "complete"})
        for _ in range(3):
            upload = self.api.get(f"/uploads/{upload['id']}").json()["upload"]
        self.assets.append(upload["entityId"])

    def look(self) -> None:
        """A read of any kind; the judge looks at every answer."""
        model = self.model()
        paths = ["/jobs", "/assets", "/projects", "/teams/team_default/limits", "/models?privacy=public"]
        if model is not None:
            paths += [f"/models/{model}{end}" for end in ("", "/description", "/scores/training-dataset")]
        assert self.api.get(self.dice.choice(paths)).status_code == 200

    def detach(self) -> None:
        model = self.model()
        if model is not None and self.images[model]:
            image = self.dice.choice(self.images[model])
            if self.api.delete(f"/models/{model}/training-images/{image}").status_code == 200:
                self.images[model].remove(image)

    def audit(self) -> None:
        """The service holds what was acknowledged, no more and no less."""
        listed = [model["id"] for model in everything(self.api, "models")]
        assert len(listed) == len(set(listed))
        assert set(listed) == set(self.images)
        body = {"modelIds": list(self.images), "allTrainingImages": True}
        for model in self.api.post("/models/get-bulk", json=body).json()["models"]:
            held = {image["id"]: image["description"] for image in model["trainingImages"]}
            assert list(held) == self.images[model["id"]]
            assert all(text == self.captions.get(asset, "") for asset, text in held.items())
            assert model["trainingImagesNumber"] == len(held)
            assert sorted(model["tags"]) == sorted(self.tags.get(model["id"], []))


@pytest.mark.parametrize("seed", range(3))
def test_a_day_keeps_the_contract_and_the_books(tmp_path: Path, seed: int) -> None:
    """With a night in between: the emulator is stopped and started again on what it holds."""
    dice = random.Random(seed)
    traffic = Traffic(dice)
    statuses: set[int] = set()
    for half in range(2):
        with EmulatorThread(manual_options(data=tmp_path)) as emulator, contract.client(emulator.url) as api:
            traffic.api = api
            for number in range(STEPS // 2):
                traffic.step()
                emulator.advance(DAY_S / STEPS * dice.random() * 2 if dice.random() < 0.3 else 0.5)
                if number % 70 == 69:
                    traffic.audit()
            if half:
                emulator.advance(60)
            traffic.audit()
            statuses |= {entry.status for entry in emulator.requests}
            jobs = everything(api, "jobs")
    assert {job["status"] for job in jobs} <= {"success", "canceled"}
    assert set(traffic.launched.values()) <= {job["jobId"] for job in jobs}
    assert statuses <= {200, 269, 400}


def everything(api: httpx.Client, name: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    params = {"pageSize": "7"}
    while True:
        page = api.get(f"/{name}", params=params).json()
        found += page[name]
        if "nextPaginationToken" not in page:
            return found
        params["paginationToken"] = page["nextPaginationToken"]
