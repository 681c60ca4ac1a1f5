"""The admin API: requests, clock, faults, seeding, mutation, reset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from scenario_apply.emulator.addresses import is_loopback
from scenario_apply.emulator.base_models import BASES
from scenario_apply.emulator.thread import EmulatorThread

from .test_models import make
from .test_training import with_images
from .test_training_images import upload


@pytest.fixture
def admin(emulator: EmulatorThread) -> Iterator[httpx.Client]:
    """A client of the admin API."""
    with httpx.Client(base_url=emulator.url.removesuffix("/v1") + "/__emulator__/", timeout=10, verify=False) as client:
        yield client


def test_requests_are_logged_and_the_admin_api_is_not(
    emulator: EmulatorThread, api: httpx.Client, admin: httpx.Client
) -> None:
    model = make(api, name="secret name")["id"]
    api.get(f"/models/{model}", params={"projectId": "proj_a"}, headers={"x-stainless-retry-count": "2"})
    logged = admin.get("requests").json()["requests"]
    assert [(one["method"], one["path"], one["status"]) for one in logged] == [
        ("POST", "/v1/models", 200),
        ("GET", f"/v1/models/{model}", 403),
    ]
    assert (logged[1]["project"], logged[1]["retry"], logged[1]["query"]) == ("proj_a", 2, "projectId=proj_a")
    assert logged[0]["took_ms"] > 0
    assert admin.get("requests", params={"after": "1"}).json()["requests"] == logged[1:]
    assert tuple(one.status for one in emulator.requests) == (200, 403)
    admin.delete("requests")
    assert emulator.requests == ()


def test_the_clock_is_moved(admin: httpx.Client, api: httpx.Client) -> None:
    model = with_images(api)
    api.put(f"/models/{model}/train", json={})
    before = admin.get("clock").json()["nowMs"]
    assert admin.post("clock/advance", json={"seconds": 20.5}).json()["nowMs"] == before + 20_500
    assert api.get(f"/models/{model}").json()["model"]["status"] == "trained"
    assert admin.post("clock/advance", json={"seconds": -1}).status_code == 400
    assert admin.post("clock/advance", json={}).status_code == 400


def test_faults_are_set_while_it_runs(admin: httpx.Client, api: httpx.Client) -> None:
    wanted: dict[str, Any] = {"rules": [{"kind": "429", "method": "GET", "path": "/models"}], "chances": {"slow": 0.5}}
    shown = admin.put("faults", json=wanted | {"slowSeconds": 0}).json()
    assert (shown["rules"][0]["times"], shown["chances"]) == (1, {"slow": 0.5})
    assert api.get("/models").status_code == 429
    assert api.get("/models").status_code == 200
    assert admin.put("faults", json={"chances": {"explode": 1}}).status_code == 400
    assert admin.put("faults", json={"rules": [{"kind": "429", "times": -1}]}).status_code == 400
    refused = admin.put("faults", json={"rules": [{"kind": "429", "time": 1}]})
    assert refused.json()["reason"] == "body.rules[0].time: is unknown; known are kind, method, path, skip, times"


def test_the_world_is_seeded_changed_and_reset(admin: httpx.Client, api: httpx.Client) -> None:
    body = {"models": [{"name": "Ink Wash"}, {"id": "m1", "name": "Raw", "type": "zimage-lora", "status": "new"}]}
    made = admin.post("seed", json=body).json()["models"]
    read = api.get(f"/models/{made[0]}").json()["model"]
    assert (read["name"], read["status"], read["type"], made[1]) == ("Ink Wash", "trained", "flux.1-lora", "m1")
    assert admin.post("seed", json=body).status_code == 400
    admin.post("mutate", json={"model": "m1", "set": {"name": "Renamed", "tags": ["x"]}})
    assert api.get("/models/m1").json()["model"]["name"] == "Renamed"
    admin.post("mutate", json={"model": "m1", "delete": True})
    assert api.get("/models/m1").status_code == 404
    asset = upload(api, 1)
    admin.post("mutate", json={"asset": asset, "set": {"description": "changed elsewhere"}})
    assert api.get(f"/assets/{asset}").json()["asset"]["description"] == "changed elsewhere"
    assert admin.post("mutate", json={"model": "nobody"}).status_code == 404
    assert admin.post("mutate", json={}).status_code == 400
    slips: tuple[dict[str, Any], ...] = (
        {"sett": {}},
        {"set": {"caption": "x"}},
        {"set": {"status": "draft"}},
        {"set": {"concepts": [{}]}},
    )
    for slip in slips:
        assert admin.post("mutate", json={"model": "m1", **slip}).status_code == 400
        assert admin.post("mutate", json={"asset": asset, **slip}).status_code == 400
    assert len(admin.get("snapshot").json()["models"]) == 6 + len(BASES)
    admin.put("faults", json={"chances": {"500": 1}})
    admin.post("reset")
    assert api.get("/models").json()["models"] == []
    assert [one["id"] for one in api.get("/projects").json()["projects"]] == ["proj_default"]
    assert api.get("/models/flux.1-dev").status_code == 200


def test_a_running_training_is_made_to_fail(admin: httpx.Client, api: httpx.Client) -> None:
    model = with_images(api)
    job = api.put(f"/models/{model}/train", json={}).json()["job"]["jobId"]
    admin.post("mutate", json={"model": model, "fail": "the machine caught fire"})
    assert api.get(f"/models/{model}").json()["model"]["status"] == "failed"
    assert api.get(f"/jobs/{job}").json()["job"]["metadata"]["error"] == "the machine caught fire"


def test_loopback_is_recognised() -> None:
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "192.0.2.1")] == [
        True,
        True,
        True,
        False,
        False,
    ]
