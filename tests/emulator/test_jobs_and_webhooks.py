"""Jobs as lists, and webhooks as they arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import httpx
import pytest

from scenario_apply.emulator.jobs import LISTED_TYPES
from scenario_apply.emulator.options import EmulatorOptions
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from .contract import document
from .test_models import train
from .test_training import with_images


@pytest.fixture
def scenario_emulator_options() -> EmulatorOptions:
    """The receivers of these tests are on this machine."""
    return manual_options(allow_local_webhooks=True)


def test_a_page_of_jobs_may_be_empty_and_still_go_on(emulator: EmulatorThread, api: httpx.Client) -> None:
    flux = with_images(api)
    first = api.put(f"/models/{flux}/train", json={}).json()["job"]["jobId"]
    for kind in ("zimage-lora", "zimage-lora", "zimage-lora"):
        api.put(f"/models/{with_images(api, type=kind)}/train", json={})
    found: list[str] = []
    empty = 0
    params = {"types": "flux-model-training", "pageSize": "1"}
    while True:
        page = api.get("/jobs", params=params).json()
        found += [job["jobId"] for job in page["jobs"]]
        empty += not page["jobs"]
        if "nextPaginationToken" not in page:
            break
        params["paginationToken"] = page["nextPaginationToken"]
    assert (found, empty) == ([first], 3)


def test_jobs_are_filtered_by_the_types_of_the_contract_only(api: httpx.Client) -> None:
    """Exports of weights have a type that no list can be asked for: they are found among all jobs."""
    assert frozenset(document()["components"]["schemas"]["JobTypeFilter"]["enum"]) == LISTED_TYPES
    for name in ("type", "types"):
        answer = api.get("/jobs", params={name: "model-download"})
        assert (answer.status_code, "model-download must be one of" in answer.text) == (400, True)


def test_jobs_are_filtered_by_state_and_time(emulator: EmulatorThread, api: httpx.Client) -> None:
    models = [with_images(api), with_images(api)]
    old = api.put(f"/models/{models[0]}/train", json={}).json()["job"]
    emulator.advance(30)
    new = api.put(f"/models/{models[1]}/train", json={}).json()["job"]

    def ids(**params: str) -> list[str]:
        return [job["jobId"] for job in api.get("/jobs", params=params).json()["jobs"]]

    assert ids() == [new["jobId"], old["jobId"]]
    assert ids(status="success") == [old["jobId"]]
    assert ids(status="pending") == [new["jobId"]]
    assert ids(createdAfter=old["createdAt"]) == [new["jobId"]]
    assert ids(type="flux-model-training", updatedAfter=old["createdAt"]) == [new["jobId"], old["jobId"]]
    assert api.get("/jobs", params={"status": "succeeded"}).status_code == 400
    assert api.get("/jobs", params={"createdAfter": "yesterday"}).status_code == 400
    assert api.get(f"/jobs/{old['jobId']}", params={"projectId": "proj_other"}).status_code == 403


@contextmanager
def receiver(statuses: list[int], location: str = "") -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A small server that answers with those statuses in turn, then 200; its address and what it got.

    location is a header of every answer, with the server's port put in; what it got has its path under `:path`.
    """
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({":path": self.path} | {key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(statuses.pop(0) if statuses else 200)
            if location:
                self.send_header("Location", location.format(port=cast(HTTPServer, self.server).server_port))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on the screen."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        server.server_close()


def wait_for(condition: Any) -> None:
    """Deliveries come in real time, from another thread."""
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("did not happen within 5 s")


def test_a_webhook_is_signed_retried_and_logged(emulator: EmulatorThread, api: httpx.Client) -> None:
    project = api.get("/projects").json()["projects"][0]["id"]
    base = f"/projects/{project}/webhook-endpoints"
    with receiver([500]) as (url, got):
        made = api.post(
            base, json={"url": url, "enabledEvents": ["model.training.started", "model.training.completed"]}
        )
        endpoint = made.json()["webhookEndpoint"]
        train(emulator, api, with_images(api, 1))
        wait_for(lambda: len(got) == 3)
        wait_for(lambda: api.get(base).json()["webhookEndpoints"][0]["nbTotalCalls"] == 3)
    headers, body = got[-1]
    seconds, signature = (part.split("=", 1)[1] for part in headers["x-scenario-signature"].split(","))
    expected = hmac.new(endpoint["secret"].encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == expected
    assert {json.loads(one)["type"] for _, one in got} == {"model.training.started", "model.training.completed"}
    events = api.get(f"{base}/{endpoint['id']}/events").json()["items"]
    assert [event["status"] for event in events] == ["success", "success"]
    attempts = sorted(
        len(api.get(f"{base}/{endpoint['id']}/events/{event['id']}").json()["webhookEvent"]["attempts"])
        for event in events
    )
    assert attempts == [1, 2]
    listed = api.get(base).json()["webhookEndpoints"][0]
    assert (listed["nbFailedCalls"], "secret" in listed) == (1, False)


def test_endpoints_are_changed_and_removed(api: httpx.Client) -> None:
    project = api.get("/projects").json()["projects"][0]["id"]
    base = f"/projects/{project}/webhook-endpoints"
    for bad in (
        {"url": "ftp://x", "enabledEvents": ["*"]},
        {"url": "/hook", "enabledEvents": ["*"]},
        {"url": "http://h:99999/", "enabledEvents": ["*"]},
        {"url": "http://127.0.0.1/", "enabledEvents": ["model.trained"]},
        {"url": "http://127.0.0.1/"},
    ):
        assert api.post(base, json=bad).status_code == 400
    made = api.post(base, json={"url": "http://127.0.0.1:9/", "enabledEvents": ["*"]}).json()["webhookEndpoint"]
    one = f"{base}/{made['id']}"
    changed = api.put(one, json={"enabled": False, "description": "off"}).json()["webhookEndpoint"]
    assert (changed["enabled"], changed["description"], changed["url"]) == (False, "off", "http://127.0.0.1:9/")
    api.put(f"/models/{with_images(api)}/train", json={})
    assert api.get(f"{one}/events").json() == {"items": []}
    assert api.get(f"{one}/events/event_no").status_code == 404
    assert api.delete(one).json() == {}
    assert api.delete(one).status_code == 404
    assert api.get("/projects/nobody/webhook-endpoints").status_code == 404
