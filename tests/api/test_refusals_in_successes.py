"""refusals_in_successes.py: 200 with a refusal is a refusal in the service's words, and is not sent again."""

from __future__ import annotations

import pytest

from scenario_apply.errors import AnswerLost, ApiError, BadAnswer, NotFound, Refused
from scenario_apply.model.remote import AssetId, JobId, ModelId
from tests.api.transports import Bench, reply

M = ModelId("m1")

REFUSALS = [
    ({"error": "Insufficient credits"}, "Insufficient credits"),
    ({"error": {"message": "Insufficient credits", "code": 3}, "job": None, "model": {}}, "Insufficient credits"),
    ({"status": "error", "message": "Quota of models reached"}, "Quota of models reached"),
    ({"success": False, "reason": "Quota of models reached"}, "Quota of models reached"),
    ({"errors": [{"message": "no credits"}, "and no quota"]}, "no credits; and no quota"),
    ({"statusCode": 402, "message": "Payment required"}, "Payment required"),
    ({"error": True}, "no reason given"),
    ({"models": [], "error": "permission denied"}, "permission denied"),
]


@pytest.mark.parametrize(("body", "words"), REFUSALS)
def test_a_refusal_that_comes_as_a_success_is_a_refusal(body: object, words: str) -> None:
    for call in (
        lambda c: c.train(M, {}),
        lambda c: c.create_model(name="x", type="flux.1-lora"),
        lambda c: c.set_caption(AssetId("a1"), "a fox"),
        lambda c: c.get_models([M], images=False),
        lambda c: c.list_models(),
        lambda c: c.quote_training(M, {}, None),
    ):
        bench = Bench([reply(200, body)])
        with pytest.raises(Refused, match=words) as caught:
            call(bench.client)
        assert not isinstance(caught.value, NotFound), "it does not read as deleted"
        assert bench.tries == 1


def test_a_server_error_that_comes_as_a_success_leaves_open_whether_a_write_was_carried_out() -> None:
    body = reply(200, {"statusCode": 502, "message": "bad gateway"})
    with pytest.raises(AnswerLost, match="bad gateway"):
        Bench([body]).client.train(M, {})
    with pytest.raises(ApiError, match="bad gateway"):
        Bench([body]).client.get_model(M)


def test_what_holds_a_result_is_no_refusal() -> None:
    """A failed job, a failed training and a launch with a note are answers."""
    job = Bench([reply(200, {"job": {"jobId": "j", "status": "failure"}, "error": None})]).client.get_job(JobId("j"))
    assert job.status == "failure"
    bare = Bench([reply(200, {"jobId": "j", "status": "failed", "error": "out of memory"})]).client
    assert bare.get_job(JobId("j")).status == "failed"
    launch = Bench([reply(200, {"job": {"jobId": "j"}, "errors": ["a caption is long"]})]).client.train(M, {})
    assert launch.job_id == "j"
    score = Bench([reply(200, {"score": 0, "status": "failed"})]).client.get_score(M)
    assert score.score == 0


def test_an_answer_that_lacks_its_result_is_reported_in_the_services_words() -> None:
    with pytest.raises(AnswerLost, match=r"no job\.jobId; it says: come back later"):
        Bench([reply(200, {"message": "come back later"})]).client.train(M, {})
    with pytest.raises(BadAnswer, match="it says: hello"):
        Bench([reply(200, {"message": "hello"})]).client.get_model(M)
