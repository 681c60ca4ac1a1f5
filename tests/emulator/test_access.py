"""Who may ask what: keys, tokens, the public token, projects, and how often."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .test_models import make


def with_header(emulator: EmulatorThread, value: str | None) -> httpx.Client:
    """A client with that Authorization header, or none."""
    client = contract.client(emulator.url, auth=None)
    if value is not None:
        client.headers["authorization"] = value
    return client


@pytest.mark.parametrize(
    "value", [None, "", "Basic", "Basic ####", "Basic " + base64.b64encode(b"key").decode(), "Digest x"]
)
def test_without_credentials_nobody_gets_in(emulator: EmulatorThread, value: str | None) -> None:
    with with_header(emulator, value) as client:
        answer = client.get("/models")
        assert (answer.status_code, answer.json()["code"]) == (401, "AUTHENTICATION_FAILED")


def test_any_key_will_do_unless_one_is_given() -> None:
    with EmulatorThread(manual_options(api_key="right", api_secret="too")) as emulator:
        for auth, status in ((("right", "too"), 200), (("right", "wrong"), 401), (("wrong", "too"), 401)):
            with contract.client(emulator.url, auth=auth) as client:
                assert client.get("/models").status_code == status


def test_a_bearer_token_lives_for_a_minute() -> None:
    with EmulatorThread(manual_options(api_key="k", api_secret="s")) as emulator:
        base = emulator.url.removesuffix("/v1")
        token = contract.plain.post(f"{base}/__emulator__/tokens", json={}).json()["token"]
        with with_header(emulator, f"Bearer {token}") as client:
            assert client.get("/models").status_code == 200
            emulator.advance(60)
            late = client.get("/models")
            assert (late.status_code, late.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
        with with_header(emulator, f"Bearer {token[:-2]}xx") as client:
            assert client.get("/models").status_code == 401


def test_an_expired_token_of_somebody_else_is_expired_too(emulator: EmulatorThread) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 1}).encode()).decode().rstrip("=")
    with with_header(emulator, f"Bearer x.{claims}.y") as client:
        assert client.get("/models").status_code == 403
    with with_header(emulator, "Bearer opaque") as client:
        assert client.get("/models").status_code == 200


@pytest.mark.parametrize("value", ["public-auth-token", "Bearer public-auth-token"])
def test_the_public_token_reads_what_is_public(emulator: EmulatorThread, api: httpx.Client, value: str) -> None:
    mine = make(api)["id"]
    with with_header(emulator, value) as client:
        assert client.get("/models/flux.1-dev").status_code == 200
        assert client.get("/models", params={"privacy": "public"}).status_code == 200
        assert client.get(f"/models/{mine}").status_code == 403
        assert client.get("/models").status_code == 403
        assert client.get("/jobs").status_code == 403
        assert client.post("/models", json={}).status_code == 403


def test_named_projects_close_the_door_to_others() -> None:
    with (
        EmulatorThread(manual_options(projects=("proj_a", "proj_b"))) as emulator,
        contract.client(emulator.url) as api,
    ):
        assert make(api)["ownerId"] == "proj_a"
        assert api.get("/models", params={"projectId": "proj_b"}).status_code == 200
        assert api.get("/models", params={"projectId": "proj_c"}).status_code == 403
        assert [one["id"] for one in api.get("/projects").json()["projects"]] == ["proj_a", "proj_b"]
    with EmulatorThread() as emulator, contract.client(emulator.url) as api:
        assert api.get("/models", params={"projectId": "\n" * 3}).status_code == 403


def test_the_window_slides_and_counts_per_project() -> None:
    with EmulatorThread(manual_options(rate_limit=3)) as emulator, contract.client(emulator.url) as api:
        for _ in range(3):
            assert api.get("/models").status_code == 200
            emulator.advance(10)
        refused = api.get("/models")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
        assert "details" not in refused.json()
        assert "remainingSeconds" not in refused.json()
        assert api.get("/models", params={"projectId": "proj_other"}).status_code == 200
        emulator.advance(29.9)
        assert api.get("/models").headers["retry-after"] == "1"
        emulator.advance(0.1)
        assert api.get("/models").status_code == 200
        assert api.get("/models").headers["retry-after"] == "10"


def test_projects_and_the_team(api: httpx.Client) -> None:
    project = api.get("/projects").json()["projects"][0]
    assert api.get(f"/projects/{project['id']}").json()["project"] == project
    limits = api.get(f"/teams/{project['teamId']}/limits").json()
    assert (limits["plan"], limits["limits"]["parallelTraining"]) == ("enterprise", 100)
    assert api.get("/teams/team_other/limits").status_code == 404
    assert api.get("/projects/nobody").status_code == 404
    for number in range(12):
        api.get("/models", params={"projectId": f"proj_{number}"})
    first = api.get("/projects").json()
    rest = api.get("/projects", params={"paginationToken": first["nextPaginationToken"]}).json()
    assert (len(first["projects"]), len(rest["projects"])) == (10, 3)
