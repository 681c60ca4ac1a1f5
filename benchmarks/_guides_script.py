"""What a user of the Scenario guides would run: one request after another, each image and caption for each model.

Shape taken from the older training guide: create, add every image as a data URL, set its caption, train, poll the job
every three seconds. Counts its requests.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Sequence

import requests


class Script:
    def __init__(self, base_url: str, poll_s: float = 3.0) -> None:
        self.base_url = base_url
        self.poll_s = poll_s
        self.requests = 0

    def call(self, method: str, path: str, body: object = None) -> dict[str, object]:
        self.requests += 1
        answer = requests.request(method, self.base_url + path, json=body, auth=("key", "secret"), timeout=60)
        answer.raise_for_status()
        return answer.json()

    def upload(self, name: str, folder: str, images: Sequence[str]) -> str:
        """A model with its images and captions; its id."""
        model_id = self.call("POST", "/models", {"name": name, "type": "flux.1-lora"})["model"]["id"]
        for image in images:
            with open(os.path.join(folder, image), "rb") as file:
                data = "data:image/png;base64," + base64.b64encode(file.read()).decode()
            added = self.call("POST", f"/models/{model_id}/training-images", {"name": image, "data": data})
            caption = os.path.join(folder, image.rsplit(".", 1)[0] + ".txt")
            if os.path.exists(caption):
                with open(caption, encoding="utf-8") as file:
                    text = file.read()
                self.call("PUT", f"/assets/{added['trainingImage']['id']}", {"description": text})
        return model_id

    def train(self, model_id: str) -> None:
        self.wait(self.call("PUT", f"/models/{model_id}/train", {"parameters": {}})["job"]["jobId"])

    def draw(self, base: str, body: dict[str, object]) -> list[dict[str, object]]:
        """The pictures of a generation, as assets."""
        job = self.wait(self.call("POST", f"/generate/custom/{base}", body)["job"]["jobId"])
        return [self.call("GET", f"/assets/{asset}")["asset"] for asset in job["metadata"]["assetIds"]]

    def wait(self, job_id: str) -> dict[str, object]:
        """The job when it has ended."""
        while True:
            job = self.call("GET", f"/jobs/{job_id}")["job"]
            if job["status"] in ("success", "failure", "canceled"):
                return job
            time.sleep(self.poll_s)
