"""generation_requests.py: bodies of generations, and answers about bases, prices, jobs, weights and cards."""

from __future__ import annotations

import json

import pytest

from scenario_apply.api.generation_requests import base_inputs_of, card_of, generation_price_of, generation_to_json
from scenario_apply.api.job_answers import job_of, job_page_of
from scenario_apply.errors import AnswerLost, BadAnswer, NotFound, PlanCeiling, Refused, WriteInPlan
from scenario_apply.model.remote import AssetId, BaseInputs, JobId, ModelId
from scenario_apply.model.samples import Generation, SampleSettings
from tests.api.transports import Bench, reply

BASE, LORA, JOB = ModelId("model_bfl-flux-1-dev"), ModelId("model_1"), JobId("job_1")
SCALED = SampleSettings(scale=0.8)
ADDRESS = "https://cdn.example/weights?Signature=x"


def test_a_lora_goes_with_its_scale_and_what_is_none_is_left_out() -> None:
    settings = SampleSettings(scale=0.8, width=1024, height=768, count=2, guidance=3.5, steps=28)
    assert generation_to_json(Generation(prompt="p", seed=0, lora=LORA, settings=settings)) == {
        "prompt": "p",
        "loras": [LORA],
        "lorasScale": [0.8],
        "seed": 0,
        "width": 1024,
        "height": 768,
        "numOutputs": 2,
        "guidance": 3.5,
        "numInferenceSteps": 28,
    }
    assert generation_to_json(Generation(prompt="p")) == {"prompt": "p", "numOutputs": 1}


def test_a_composition_goes_by_its_id_and_a_reference_by_its_asset() -> None:
    composed = Generation(prompt="p", composition=LORA, references=(AssetId("a"),))
    assert generation_to_json(composed) == {
        "prompt": "p", "modelId": LORA, "numOutputs": 1, "referenceImages": ["a"]
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        Generation(prompt="p", lora=LORA),
        Generation(prompt="p", lora=LORA, settings=SampleSettings(scale=2.1)),
        Generation(prompt="p", lora=LORA, settings=SampleSettings(scale=-0.1)),
        Generation(prompt="p", lora=LORA, settings=SampleSettings(scale=float("nan"))),
        Generation(prompt="p", lora=LORA, composition=LORA, settings=SCALED),
        Generation(prompt="p", settings=SampleSettings(count=5)),
        Generation(prompt="p", settings=SampleSettings(count=0)),
    ],
)
def test_what_the_service_takes_without_a_word_is_never_sent(wrong: Generation) -> None:
    bench = Bench([])
    for call in (bench.client.generate, bench.client.quote_generation):
        with pytest.raises(ValueError):  # noqa: PT011  # each says which in its own words
            call(BASE, wrong)
    assert bench.tries == 0


def test_a_price_comes_with_its_parts() -> None:
    details = {"custom-generation": 9, "quality-gate": 1.75}
    price = generation_price_of({"creativeUnitsCost": 10.75, "creativeUnitsDiscount": 0, "costDetails": details})
    assert (price.cu, price.details) == (10.75, details)
    assert generation_price_of({"creativeUnitsCost": 2}).details == {}
    with pytest.raises(BadAnswer, match="A PRICE WAS ASKED"):
        generation_price_of({"creativeUnitsCost": 2, "job": {"jobId": "j"}})
    with pytest.raises(BadAnswer, match="creativeUnitsCost"):
        generation_price_of({})


def test_a_price_that_comes_with_another_status_is_none() -> None:
    bench = Bench([reply(200, {"job": {"jobId": "j", "status": "queued"}, "creativeUnitsCost": 10.75})])
    with pytest.raises(BadAnswer, match="PAID JOB"):
        bench.client.quote_generation(BASE, Generation(prompt="p"))


def test_a_plan_may_price_a_generation_and_draw_none() -> None:
    bench = Bench([reply(269, {"creativeUnitsCost": 10.75})], read_only=True)
    asked = Generation(prompt="p", lora=LORA, settings=SCALED)
    assert bench.client.quote_generation(BASE, asked).cu == 10.75
    with pytest.raises(WriteInPlan):
        bench.client.generate(BASE, asked)
    assert bench.tries == 1


def test_a_launch_is_sent_once_and_its_lost_answer_is_said() -> None:
    bench = Bench([reply(502, {})])
    with pytest.raises(AnswerLost):
        bench.client.generate(BASE, Generation(prompt="p", lora=LORA, settings=SCALED))
    assert bench.tries == 1
    bench = Bench([reply(200, {"creativeUnitsCost": 3})])
    with pytest.raises(AnswerLost):
        bench.client.generate(BASE, Generation(prompt="p"))


def test_a_ceiling_names_what_is_limited() -> None:
    details = {"actionLimit": 2, "actionName": "parallel-custom-jobs", "actionValue": 2, "limitScope": "team"}
    body = {"reason": "You have reached your plan's limit...", "name": "PlanLimitReachedError", "details": details}
    with pytest.raises(PlanCeiling) as caught:
        Bench([reply(429, body)]).client.generate(BASE, Generation(prompt="p"))
    assert (caught.value.action, caught.value.limit) == ("parallel-custom-jobs", 2)


def test_a_base_that_needs_a_higher_plan_names_it() -> None:
    restricted = {"reason": "restricted", "name": "ModelAccessRestrictedError", "requiredPlan": "cu-max"}
    with pytest.raises(Refused, match=r"restricted \(HTTP 403\); this needs the plan cu-max$"):
        Bench([reply(403, restricted)]).client.generate(BASE, Generation(prompt="p"))


def test_a_launch_says_what_it_costs() -> None:
    billing = {"cuCost": 21.5, "cuDiscount": 0, "cuCostDetails": {"quality-gate": 3.5}}
    answer = {"job": {"jobId": "j", "status": "queued", "billing": billing}, "creativeUnitsCost": 21.5}
    launch = Bench([reply(200, answer)]).client.generate(BASE, Generation(prompt="p"))
    assert (launch.job_id, launch.cu_cost, launch.details) == ("j", 21.5, {"quality-gate": 3.5})


def job(**said: object) -> dict[str, object]:
    return {"jobId": "j", "jobType": "custom", "status": "success", "createdAt": "2026-11-27T10:00:00.000Z", **said}


def test_a_job_says_what_it_was_asked_for_and_what_it_made() -> None:
    asked = {"prompt": "p", "loras": ["model_1"], "seed": 7, "wandbKey": "hf_secret", "parameters": {"wandbKey": "x"}}
    read = job_of({"job": job(metadata={"input": asked, "assetIds": ["a1", 3, "not an id", "a2"]})})
    assert (read.kind, read.asset_ids) == ("custom", ("a1", "a2"))
    assert read.input == {"prompt": "p", "loras": ["model_1"], "seed": 7, "parameters": {}}
    assert read.created_at == 1795773600
    bare = job_of({"jobId": "j", "status": "queued", "jobType": 3, "metadata": {"input": [], "assetIds": {}}})
    assert (bare.kind, bare.created_at, bare.input, bare.asset_ids) == (None, None, {}, ())


def test_a_job_that_cannot_be_read_does_not_hide_the_others_of_its_page() -> None:
    page = job_page_of({"jobs": [job(), {"status": "success"}, None, job(jobId="k")], "nextPaginationToken": "t"})
    assert ([one.id for one in page.jobs], page.next_token) == (["j", "k"], "t")
    assert job_page_of({"jobs": []}).next_token is None


def test_jobs_are_asked_for_by_their_types() -> None:
    """Those that the service can filter by; exports of weights are found among all jobs only."""
    bench = Bench([reply(200, {"jobs": []})] * 3)
    bench.client.list_jobs()
    bench.client.list_jobs(types=["custom", "caption"], token="t")
    bench.client.list_jobs(types=())
    first, second, third = (dict(request.query) for request in bench.transport.requests)
    assert third == {"pageSize": "100"}
    assert first == {"types": "custom", "pageSize": "100"}
    assert second == {"types": "custom,caption", "pageSize": "100", "paginationToken": "t"}


def test_the_inputs_of_a_base() -> None:
    inputs = [
        {"name": "loras", "type": "model_array", "modelTypes": ["flux.1-lora", 3], "maxLength": 6},
        {"name": "modelId", "type": "model", "modelTypes": ["flux.1-composition"]},
        {"name": "referenceImages", "required": {"always": True}},
        {"name": 3},
        None,
    ]
    assert base_inputs_of(BASE, {"model": {"id": BASE, "inputs": inputs}}) == BaseInputs(
        id=BASE, loras=("flux.1-lora",), compositions=("flux.1-composition",), most_loras=6, needs_reference=True
    )
    plain = [{"name": "loras", "modelTypes": {}}, {"name": "referenceImages", "required": {"ifNotDefined": ["x"]}}]
    assert base_inputs_of(BASE, {"id": BASE, "inputs": plain}) == BaseInputs(id=BASE)
    assert base_inputs_of(BASE, {"model": {"id": BASE, "inputs": {}}}) == BaseInputs(id=BASE)


@pytest.mark.parametrize(
    "answers",
    [
        [reply(200, {"jobId": JOB, "jobStatus": "success", "downloadUrl": ADDRESS})],
        [
            reply(200, {"jobId": JOB, "jobStatus": "success"}),
            reply(200, {"job": job(metadata={"output": {"url": ADDRESS}})}),
        ],
        [reply(404, {"reason": "no download"}), reply(200, {"job": job(metadata={"downloadUrl": ADDRESS})})],
        [
            reply(200, {"jobId": JOB, "jobStatus": "success"}),
            reply(200, {"job": job(metadata={"assetIds": ["a1"]})}),
            reply(200, {"assets": [{"id": "a1", "url": ADDRESS}]}),
        ],
    ],
    ids=["typed", "in the output of its job", "in its job only", "an asset of its job"],
)
def test_weights_are_found_wherever_their_address_may_be(answers: list[object]) -> None:
    """And the address is a secret: whoever has it has the weights."""
    bench = Bench(answers)  # type: ignore[arg-type]  # replies
    weights = bench.client.get_weights(JOB)
    assert weights.status == "success"
    assert weights.address is not None
    assert weights.address.reveal() == ADDRESS
    assert ADDRESS not in repr(weights)
    assert bench.tries == len(answers)


def test_an_export_that_goes_on_or_failed_has_no_address() -> None:
    for status in ("queued", "in-progress", "failure"):
        bench = Bench([reply(200, {"jobId": JOB, "jobStatus": status})])
        assert (bench.client.get_weights(JOB).status, bench.tries) == (status, 1)
    bench = Bench([reply(404, {"reason": "no download"}), reply(404, {"reason": "no job"})])
    with pytest.raises(NotFound):
        bench.client.get_weights(JOB)
    bench = Bench([reply(200, {"jobId": JOB, "jobStatus": "success", "downloadUrl": "file:///etc/passwd"}),
                   reply(200, {"job": job(metadata={"output": {"url": "file:///etc/passwd"}})})])  # fmt: skip
    assert bench.client.get_weights(JOB).address is None


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"description": {"value": "# Kael", "assets": [], "models": []}}, "# Kael"),
        ({"description": "# Kael"}, "# Kael"),
        ({"description": {"value": ""}}, None),
        ({"description": None}, None),
    ],
)
def test_a_card_is_the_text_of_the_description(answer: object, text: str | None) -> None:
    assert card_of(answer) == text


def test_an_epoch_and_a_card_are_written_as_they_are() -> None:
    bench = Bench([reply(200, None), reply(200, {"model": {"id": LORA}}), reply(200, None), reply(200, {"jobId": "j"})])
    assert bench.client.update_model(LORA, epoch="8").id == LORA
    bench.client.set_card(LORA, "# Kael\n")
    assert bench.client.export_weights(LORA, "8") == "j"
    written = [(r.path, json.loads(b"".join(r.body))) for r in bench.transport.requests if r.body is not None]
    assert written == [
        ("/models/model_1", {"epoch": "8"}),
        ("/models/model_1/description", {"description": "# Kael\n"}),
        ("/models/model_1/download", {"modelEpoch": "8"}),
    ]
