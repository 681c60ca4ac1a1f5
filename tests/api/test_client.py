"""client.py and reads.py: every request keeps the contract, through the real transport."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from subprocess import run

import pytest
import responses

from scenario_apply.api import connect
from scenario_apply.api.client import Client
from scenario_apply.apply.system_clock import SystemClock
from scenario_apply.errors import ApiError, Unauthorized
from scenario_apply.model.ports import GenerationApi, ScenarioApi
from scenario_apply.model.remote import AssetId, JobId, ModelId, PictureToCaption, RemoteConcept, RemotePair, UploadId
from scenario_apply.model.samples import Generation, SampleSettings
from tests.api.transports import Bench, reply
from tests.contract.openapi import violations
from tests.fakes.clock import FakeClock

BASE = "https://api.example/v1"
M, A, U = ModelId("model_1"), AssetId("asset-1.u_A"), UploadId("upload_1")
CONCEPT = RemoteConcept(model_id=M, scale=0.5, epoch="e1")
MODEL = {"model": {"id": "model_1", "type": "flux.1-lora", "status": "new"}}
UPLOAD = {"upload": {"id": "upload_1", "status": "pending"}}
PICTURE = PictureToCaption(mime="image/png", body=b"\x89PNG")
BASE_MODEL = ModelId("model_bfl-flux-1-dev")
SAMPLE = Generation(
    prompt="KAEL_07, a ranger",
    seed=7,
    lora=M,
    settings=SampleSettings(scale=1.0, width=1024, height=768, count=2, guidance=3.5, steps=28),
    references=(A,),
)
PARAMETERS = {"learningRate": 1e-4, "nbEpochs": 10, "samplePrompts": ["a", "b"]}

CALLS: dict[str, tuple[Callable[[Client], object], str, int, object]] = {
    "get_model": (lambda c: c.get_model(M), "GET", 200, MODEL),
    "get_models": (lambda c: c.get_models([M, ModelId("m2")], images=False), "POST", 200, {"models": []}),
    "get_models with images": (lambda c: c.get_models([M], images=True), "POST", 200, {"models": []}),
    "list_models": (lambda c: c.list_models(), "GET", 200, {"models": []}),
    "list_models on": (lambda c: c.list_models(token="t+/=", status="training"), "GET", 200, {"models": []}),
    "get_job": (lambda c: c.get_job(JobId("job_1")), "GET", 200, {"job": {"jobId": "j", "status": "queued"}}),
    "list_assets": (lambda c: c.list_assets(), "GET", 200, {"assets": []}),
    "list_assets on": (lambda c: c.list_assets(token="t"), "GET", 200, {"assets": []}),
    "get_asset": (lambda c: c.get_asset(A), "GET", 200, {"asset": {"id": "a"}}),
    "get_assets": (lambda c: c.get_assets([A, AssetId("a2")]), "POST", 200, {"assets": []}),
    "get_upload": (lambda c: c.get_upload(U), "GET", 200, UPLOAD),
    "get_score": (lambda c: c.get_score(M), "GET", 200, {"score": 1, "status": "complete"}),
    "quote_captions": (
        lambda c: c.quote_captions([PictureToCaption(asset_id=A), PICTURE], "action"),
        "POST",
        269,
        {"creativeUnitsCost": 2},
    ),
    "generate_caption": (
        lambda c: c.generate_caption(PICTURE),
        "POST",
        200,
        {"captions": ["a fox"], "creativeUnitsCost": 1, "job": {"jobId": "j"}},
    ),
    "quote_training": (lambda c: c.quote_training(M, PARAMETERS, 12), "PUT", 269, {"creativeUnitsCost": 5}),
    "quote_training bare": (lambda c: c.quote_training(M, {}, None), "PUT", 269, {"creativeUnitsCost": 5}),
    "update_model": (
        lambda c: c.update_model(M, name="n", short_description="s", concepts=[CONCEPT]),
        "PUT",
        200,
        MODEL,
    ),
    "update_tags": (lambda c: c.update_tags(M, add=["a"], delete=["b"]), "PUT", 200, {"added": [], "deleted": []}),
    "set_caption": (lambda c: c.set_caption(A, 'a "red" cloak\n'), "PUT", 200, {"asset": {"id": "a"}}),
    "replace_pairs": (
        lambda c: c.replace_pairs(M, [RemotePair(source_id=A, target_id=A, instruction="i")]),
        "PUT",
        200,
        {"count": 1, "pairs": []},
    ),
    "detach_image": (lambda c: c.detach_image(M, A), "DELETE", 200, {}),
    "delete_model": (lambda c: c.delete_model(M), "DELETE", 200, {}),
    "complete_upload": (lambda c: c.complete_upload(U), "POST", 200, UPLOAD),
    "create_model": (lambda c: c.create_model(name="n", type="flux.1-lora"), "POST", 200, MODEL),
    "create_model composed": (
        lambda c: c.create_model(name="n", type="flux.1-composition", short_description="s", concepts=[CONCEPT]),
        "POST",
        200,
        MODEL,
    ),
    "add_image": (
        lambda c: c.add_image(M, name='ä"1.png', mime="image/png", body=b"\x89PNG"),
        "POST",
        200,
        {"trainingImage": {"id": "a"}},
    ),
    "attach_assets": (lambda c: c.attach_assets(M, [A] * 10), "POST", 200, {"trainingImage": {"id": "a"}}),
    "upload_asset": (lambda c: c.upload_asset(name="n", body=memoryview(b"GIF")), "POST", 200, {"asset": {"id": "a"}}),
    "create_upload": (
        lambda c: c.create_upload(file_name="n.png", mime="image/png", size_bytes=5_000_000, parts=1),
        "POST",
        200,
        UPLOAD,
    ),
    "train": (lambda c: c.train(M, PARAMETERS), "PUT", 200, {"job": {"jobId": "j"}, "model": {"id": "m"}}),
    "get_base": (lambda c: c.get_base(BASE_MODEL), "GET", 200, MODEL),
    "list_jobs": (lambda c: c.list_jobs(), "GET", 200, {"jobs": []}),
    "list_jobs on": (lambda c: c.list_jobs(types=["custom", "caption"], token="t"), "GET", 200, {"jobs": []}),
    "quote_generation": (
        lambda c: c.quote_generation(BASE_MODEL, SAMPLE),
        "POST",
        269,
        {"creativeUnitsCost": 10.75, "costDetails": {"custom-generation": 9, "quality-gate": 1.75}},
    ),
    "generate": (lambda c: c.generate(BASE_MODEL, SAMPLE), "POST", 200, {"job": {"jobId": "j"}}),
    "get_weights": (lambda c: c.get_weights(JobId("j")), "GET", 200, {"jobId": "j", "jobStatus": "queued"}),
    "quote_weights": (lambda c: c.quote_weights(M), "POST", 269, {"creativeUnitsCost": 0}),
    "export_weights": (lambda c: c.export_weights(M), "POST", 200, {"jobId": "j"}),
    "export_weights of an epoch": (lambda c: c.export_weights(M, "8"), "POST", 200, {"jobId": "j"}),
    "get_card": (lambda c: c.get_card(M), "GET", 200, {"description": {"value": "# Kael"}}),
    "set_card": (lambda c: c.set_card(M, "# Kael"), "PUT", 200, {"description": {"value": "# Kael"}}),
    "train bare": (lambda c: c.train(M, {}), "PUT", 200, {"job": {"jobId": "j"}, "model": {"id": "m"}}),
}


def client(project_id: str | None = None) -> Client:
    made, _ = connect(
        base_url=BASE,
        api_key="key-1234",
        api_secret="secret-1234",
        project_id=project_id,
        rate_limit_per_minute=0,
        clock=FakeClock(),
    )
    return made


@pytest.mark.parametrize("project_id", [None, "proj 1&x"])
@pytest.mark.parametrize("name", CALLS)
@responses.activate
def test_every_request_keeps_the_contract(name: str, project_id: str | None) -> None:
    call, method, status, answer = CALLS[name]
    responses.add(method, re.compile(".*"), json=answer, status=status)
    call(client(project_id))
    sent = responses.calls[0].request
    body = sent.body
    content = None if body is None else b"".join(body)  # type: ignore[arg-type]  # bodies come in pieces
    assert violations(method, sent.url or "", content) == []
    assert ("projectId=proj+1%26x" in (sent.url or "")) is (project_id is not None)
    assert int(sent.headers.get("Content-Length", 0)) == len(content or b"")


def test_the_calls_above_are_all_there_are() -> None:
    parts = vars(ScenarioApi).keys() | vars(GenerationApi).keys()
    port = {name for name in parts if not name.startswith("_")} - {"put_part"}
    assert {name.split()[0] for name in CALLS} == port - {"get_account"}  # of several requests: test_account.py


def test_the_client_is_what_the_engine_needs() -> None:
    api: ScenarioApi = client()
    assert api is not None


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nothing", None),
        ("GET", "/models?pageSize=many", None),
        ("GET", "/models?pageSize=501", None),
        ("GET", "/models?colour=red", None),
        ("GET", "/models?pageSize=5&pageSize=6", None),
        ("PUT", "/models/m/train?dryRun=1", b"{}"),
        ("PUT", "/models/m/train", b'{"dryRun":true}'),
        ("POST", "/models", b'{"name":3}'),
        ("POST", "/models", None),
        ("POST", "/models/m/training-images", json.dumps({"assetIds": ["a"] * 11}).encode()),
        ("GET", "/models/m", b"{}"),
    ],
)
def test_the_validator_sees_what_is_wrong(method: str, path: str, body: bytes | None) -> None:
    """A check that cannot fail would prove nothing above."""
    assert violations(method, BASE + path, body) != []


def test_pages_are_asked_for_newest_first() -> None:
    bench = Bench([reply(200, {"models": [], "nextPaginationToken": "t2"}), reply(200, {"assets": []})])
    page = bench.client.list_models(token="t1", status="training")
    bench.client.list_assets()
    assert page.next_token == "t2"
    models, assets = (dict(r.query) for r in bench.transport.requests)
    assert models == {
        "privacy": "private",
        "sortBy": "createdAt",
        "sortDirection": "desc",
        "pageSize": "500",
        "status": "training",
        "paginationToken": "t1",
    }
    assert assets == {"sortBy": "createdAt", "sortDirection": "desc", "pageSize": "100"}


def test_bulk_reads_match_by_id_and_ask_for_one_image_flag_only() -> None:
    models = [{"id": "m3", "type": "t"}, {"id": "m1", "type": "t"}, {"id": "stranger", "type": "t"}]
    bench = Bench([reply(200, {"models": models})])
    ids = [ModelId("m1"), ModelId("m2"), ModelId("m3")]
    assert set(bench.client.get_models(ids, images=True)) == {"m1", "m3"}
    bench.client.get_models(ids, images=False)
    bodies = [json.loads(b"".join(r.body or [])) for r in bench.transport.requests]
    assert bodies == [{"modelIds": ids, "allTrainingImages": True}, {"modelIds": ids}]
    assert bench.client.get_models([], images=True) == {}
    assert bench.tries == 2, "nothing asked, nothing sent"


def test_batches_beyond_the_contract_are_a_bug_of_ours() -> None:
    bench = Bench([reply(200, {})])
    with pytest.raises(ValueError, match="at most 50"):
        bench.client.get_models([M] * 51, images=False)
    with pytest.raises(ValueError, match="at most 200"):
        bench.client.get_assets([A] * 201)
    for ids in ([], [A] * 11):
        with pytest.raises(ValueError, match="one to 10"):
            bench.client.attach_assets(M, ids)
    assert bench.tries == 0


@pytest.mark.parametrize(("key", "secret"), [("", ""), ("key", " "), ("", "secret"), ("kéy-1234", "secret")])
def test_without_usable_credentials_there_is_no_client(key: str, secret: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        connect(
            base_url=BASE, api_key=key, api_secret=secret, project_id=None, rate_limit_per_minute=0, clock=FakeClock()
        )
    assert "SCENARIO_SDK_API_SECRET" in (caught.value.problems[0].hint or "")
    assert "secret" not in caught.value.message.lower().replace("its secret", "")


def test_an_odd_address_is_no_question_of_credentials() -> None:
    with pytest.raises(ApiError) as caught:
        connect(base_url="x", api_key="k", api_secret="s", project_id=None, rate_limit_per_minute=0, clock=FakeClock())
    assert caught.value.code == "base-url"


def test_connect_is_light_until_it_is_called() -> None:
    code = (
        "import sys, scenario_apply.api, scenario_apply.apply.system_clock;"
        "print([m for m in ('requests', 'msgspec', 'orjson', 'pybase64', 'urllib3', 'json') if m in sys.modules])"
    )
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@responses.activate
def test_many_threads_share_a_client_and_its_budget() -> None:
    responses.get(re.compile(".*"), json=MODEL)
    made, budget = connect(
        base_url=BASE,
        api_key="key-1234",
        api_secret="secret-1234",
        project_id=None,
        rate_limit_per_minute=0,
        clock=SystemClock(),
    )
    threads = [threading.Thread(target=lambda: [made.get_model(M) for _ in range(10)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (budget.sent, budget.refused) == (80, 0)
