"""The emulator answers every operation of the contract, and the judge of the answers does judge."""

from __future__ import annotations

import json

import httpx
import pytest

from scenario_apply.emulator.families import FAMILIES, MODEL_TYPES
from scenario_apply.emulator.thread import EmulatorThread

from . import contract
from .test_models import make


def test_every_operation_of_the_contract_is_served(api: httpx.Client) -> None:
    unserved = []
    for method, _, path in contract.operations():
        concrete = "/".join("nobody" if part.startswith("{") else part for part in path.split("/"))
        answer = api.request(method, concrete, json={} if method in ("POST", "PUT") else None)
        if answer.status_code == 405 or "There is nothing at" in answer.text:
            unserved.append(f"{method} {path}")
    assert unserved == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda model: model.pop("capabilities"),
        lambda model: model.update(status="draft"),
        lambda model: model.update(trainingProgress={"stage": "pending"}),
        lambda model: model.update(name=None),
    ],
)
def test_the_judge_notices(api: httpx.Client, spoil: object) -> None:
    assert callable(spoil)
    model = make(api, name="Kael")
    spoil(model)
    request = httpx.Request("GET", f"{api.base_url}models/{model['id']}")
    forged = httpx.Response(200, json={"model": model}, request=request)
    with pytest.raises(AssertionError):
        contract.check(forged)


def test_what_anybody_is_answered_is_judged(
    emulator: EmulatorThread, outside_the_contract: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a client that judges nothing, such as the tool's own: the judge sits in the server."""
    monkeypatch.setattr("scenario_apply.emulator.model_view._view", lambda *_: {"id": "model_1"})
    assert contract.plain.post(f"{emulator.url}/models", auth=("k", "s"), json={}).status_code == 200
    assert "capabilities" in "".join(outside_the_contract)
    outside_the_contract.clear()


def test_the_families_are_those_of_the_contract() -> None:
    """All but the retired SDXL composition, which the contract leaves out. An edit type may accept single images."""
    families = contract.document()["x-scenario"]["families"]
    known = {one.name: one for one in FAMILIES if one.name != "sdxlComposition"}
    assert known.keys() == families.keys()
    for name, family in families.items():
        one = known[name]
        expected = (family["types"], family["dataset"], family.get("jobType", one.job_type), "imagesToo" in family)
        assert (list(one.types), one.dataset, one.job_type, one.images_too) == expected
    model_types = contract.document()["components"]["schemas"]["ModelType"]["enum"]
    assert {*model_types, "sd-xl-composition"} == MODEL_TYPES


def test_a_delete_answers_an_empty_object(api: httpx.Client) -> None:
    answer = api.delete(f"/models/{make(api)['id']}")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"{}", "application/json")


def test_unknown_paths_and_methods(api: httpx.Client) -> None:
    assert api.get("/nothing").status_code == 404
    assert api.put("/models//train", json={}).status_code == 404
    assert api.get("/assets/").status_code == 404  # an empty id, not the list
    answer = api.patch("/models/abc")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PUT")


def test_ids_may_hold_anything(api: httpx.Client) -> None:
    for odd in ("%2F", "a%20b", "%00", "%F0%9F%90%8E", "..", "%ff", "a%3Fb"):
        answer = api.get(f"/models/{odd}")
        assert answer.status_code in (404, 405), odd


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"{}", "text/plain", "content-type: must be application/json, not text/plain"),
        (b"{}", None, "content-type: must be application/json, not missing"),
        (b"name=x", "application/x-www-form-urlencoded", "content-type"),
        (b"", "application/json", "body: not valid JSON"),
        (b"{", "application/json", "body: not valid JSON"),
        (b'{"name": "\xff"}', "application/json", "body: not valid JSON"),
        (b"[]", "application/json", "body: must be a JSON object"),
        (b"null", "application/json", "body: must be a JSON object"),
        (b"1e999", "application/json", "body: "),
        (b"[" * 5000, "application/json", "body: not valid JSON"),
        (b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}", "application/json", "body"),
        (json.dumps({"type": ["flux.1-lora"]}).encode(), "application/json", "body.type: must be a string"),
        (b'{"name": "a", "name": 1}', "application/json", "body.name: must be a string"),
    ],
)
def test_bodies_that_are_none(api: httpx.Client, content: bytes, kind: str | None, reason: str) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = api.post("/models", content=content, headers=headers)
    assert answer.status_code == 400
    assert reason in answer.json()["reason"]


def test_a_body_beyond_all_bounds_is_refused(api: httpx.Client) -> None:
    answer = api.post("/models", content=b" " * (33 * 1024 * 1024), headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "must not be larger" in answer.json()["reason"]
