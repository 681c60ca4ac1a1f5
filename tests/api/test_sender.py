"""sender.py: attempts, waits, errors, and the guard of a plan."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from scenario_apply.api.client import Client
from scenario_apply.api.exchange import NoAnswer, Reply
from scenario_apply.api.rate.budget import RequestBudget
from scenario_apply.api.sender import Sender
from scenario_apply.errors import (
    AnswerLost,
    ApiError,
    BadAnswer,
    CoolingDown,
    Interrupted,
    NotFound,
    PlanCeiling,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
    WriteInPlan,
)
from scenario_apply.model.remote import AssetId, JobId, ModelId, UploadId
from tests.api.transports import REFUSED_CONNECTION, RESET, TIMED_OUT, Bench, ScriptedTransport, reply
from tests.fakes.clock import FakeClock

M = ModelId("model_1")
MODEL = reply(200, {"model": {"id": "model_1", "type": "flux.1-lora", "status": "new"}})
LAUNCH = reply(200, {"job": {"jobId": "job_1"}, "model": {"id": "model_1"}, "creativeUnitsCost": 12})
PAGE = reply(502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>")
TRUNCATED = Reply(status=200, headers={"content-type": "application/json"}, content=b'{"model": {"id": "mo')
SIGN_IN = reply(200, "<!doctype html><title>Sign in to continue</title>")

Call = Callable[[Client], object]
READ: Call = lambda c: c.get_model(M)  # noqa: E731 - the calls of the tables below read best in one line
REPEATABLE: Call = lambda c: c.update_model(M, name="x")  # noqa: E731
ONCE: Call = lambda c: c.create_model(name="x", type="flux.1-lora")  # noqa: E731
TRAIN: Call = lambda c: c.train(M, {"nbEpochs": 3})  # noqa: E731


# -- who is asked again


@pytest.mark.parametrize("call", [READ, REPEATABLE])
@pytest.mark.parametrize("trouble", [reply(500, {}), PAGE, reply(503, {}), reply(408, {}), RESET, TIMED_OUT, TRUNCATED])
def test_reads_and_repeatable_writes_get_over_a_passing_trouble(call: Call, trouble: Reply | NoAnswer) -> None:
    bench = Bench([MODEL, trouble, MODEL])
    READ(bench.client)
    call(bench.client)
    assert bench.tries == 3
    assert bench.budget.sent == 3


def test_a_service_that_never_responded_is_asked_once() -> None:
    """A wrong address that accepts connections and never responds costs seconds, not minutes."""
    bench = Bench([TIMED_OUT, MODEL])
    with pytest.raises(ApiError):
        READ(bench.client)
    assert bench.tries == 1


@pytest.mark.parametrize("call", [ONCE, TRAIN])
@pytest.mark.parametrize(
    ("trouble", "timed_out"),
    [
        (reply(500, {"reason": "boom"}), False),
        (PAGE, False),
        (reply(503, {}), False),
        (reply(408, {}), False),
        (RESET, False),
        (TIMED_OUT, True),
        (TRUNCATED, False),
        (SIGN_IN, False),
        (reply(200, {"surprise": True}), False),
        (reply(200, []), False),
        (reply(200), False),
    ],
)
def test_a_write_that_must_happen_once_is_never_repeated_when_it_may_have_happened(
    call: Call, trouble: Reply | NoAnswer, timed_out: bool
) -> None:
    bench = Bench([trouble])
    with pytest.raises(AnswerLost) as caught:
        call(bench.client)
    assert bench.tries == 1
    assert caught.value.timed_out is timed_out


@pytest.mark.parametrize("call", [READ, REPEATABLE, ONCE, TRAIN])
def test_what_was_never_sent_is_sent_again(call: Call) -> None:
    bench = Bench([REFUSED_CONNECTION, REFUSED_CONNECTION, LAUNCH if call is TRAIN else MODEL])
    call(bench.client)
    assert bench.tries == 3


@pytest.mark.parametrize("call", [READ, REPEATABLE, ONCE, TRAIN])
def test_without_a_listener_a_call_gives_up_within_seconds(call: Call) -> None:
    bench = Bench([REFUSED_CONNECTION])
    with pytest.raises(Unreachable, match="refused the connection"):
        call(bench.client)
    assert bench.clock.monotonic() <= 6
    assert bench.tries >= 3
    assert bench.budget.sent == 0, "nothing left"


def test_all_calls_of_a_run_share_the_time_without_a_response() -> None:
    """Ten calls that fail one after the other do not take ten times as long."""
    bench = Bench([REFUSED_CONNECTION])
    for _ in range(10):
        with pytest.raises(Unreachable):
            READ(bench.client)
    assert bench.clock.monotonic() <= 6


def test_an_outage_long_ago_does_not_shorten_the_next_one() -> None:
    bench = Bench([REFUSED_CONNECTION])
    for _ in range(2):
        with pytest.raises(Unreachable):
            READ(bench.client)
        bench.clock.advance(60)
        assert bench.tries >= 3
        bench.transport.requests.clear()


def test_a_read_without_a_response_is_reported() -> None:
    bench = Bench([RESET])
    with pytest.raises(ApiError, match=r"read model model_1: the connection to api\.example broke") as caught:
        READ(bench.client)
    assert (caught.value.code, bench.tries) == ("no-answer", 6)


def test_a_repeatable_write_without_an_answer_may_have_been_carried_out() -> None:
    with pytest.raises(AnswerLost):
        REPEATABLE(Bench([RESET]).client)


def test_a_web_page_in_place_of_an_answer_is_not_waited_for() -> None:
    bench = Bench([SIGN_IN])
    with pytest.raises(BadAnswer, match="the response is a web page: Sign in to continue"):
        READ(bench.client)
    assert bench.tries == 1


def test_a_response_that_stays_truncated_is_a_bad_answer() -> None:
    bench = Bench([TRUNCATED])
    with pytest.raises(BadAnswer, match="incomplete or no JSON"):
        READ(bench.client)
    assert bench.tries == 3


# -- the three kinds of 429

RATE = reply(429, {"reason": "slow down"}, retry_after="2")
CEILING = reply(429, {"message": "no", "details": {"actionName": "parallel-training", "actionLimit": 1}})


@pytest.mark.parametrize("call", [READ, REPEATABLE, ONCE, TRAIN])
def test_a_refusal_for_the_rate_is_waited_for_whatever_the_call(call: Call) -> None:
    """A refused request was not carried out: even a launch may be asked again."""
    bench = Bench([RATE, RATE, LAUNCH if call is TRAIN else MODEL])
    call(bench.client)
    assert bench.clock.monotonic() >= 4
    assert (bench.budget.sent, bench.budget.refused) == (3, 2)


@pytest.mark.parametrize("call", [READ, ONCE])
def test_being_refused_for_ten_minutes_is_enough(call: Call) -> None:
    bench = Bench([RATE])
    with pytest.raises(RateLimited, match="slow down"):
        call(bench.client)
    assert 590 <= bench.clock.monotonic() <= 620


def test_a_pause_of_an_hour_is_not_waited_for() -> None:
    bench = Bench([reply(429, {}, retry_after="3600")])
    with pytest.raises(RateLimited):
        READ(bench.client)
    assert bench.tries == 1


@pytest.mark.parametrize("more", [{}, {"retry_after": "700"}, {"retry_after": "30"}, {"x_should_retry": "false"}])
def test_a_service_that_refuses_for_ever_is_given_up_once_for_all_calls(more: dict[str, str]) -> None:
    """Later calls fail at once while there is a pause, and after one request's worth of asking once it is over."""
    bench = Bench([MODEL, reply(429, {"reason": "quota"}, **more)])
    READ(bench.client)
    with pytest.raises(RateLimited, match="quota"):
        REPEATABLE(bench.client)
    given_up_at, tries = bench.clock.monotonic(), bench.tries
    for call in (REPEATABLE, ONCE, READ):
        with pytest.raises(RateLimited, match="refuses every request"):
            call(bench.client)
    assert (bench.clock.monotonic(), bench.tries) == (given_up_at, tries)
    bench.clock.advance(150)
    with pytest.raises(RateLimited, match="quota"):
        REPEATABLE(bench.client)
    assert bench.tries == tries + 1


def test_refusals_with_passes_between_them_are_no_reason_to_give_up() -> None:
    """For an hour every second request is refused: each success restarts the ten minutes."""
    bench = Bench([outcome for _ in range(40) for outcome in (reply(429, {}, retry_after="100"), MODEL)])
    for _ in range(40):
        READ(bench.client)
    assert bench.clock.monotonic() > 3600


def test_a_refusal_long_after_the_last_one_starts_a_new_streak() -> None:
    bench = Bench([reply(429, {}, retry_after="700"), RATE, MODEL])
    with pytest.raises(RateLimited):
        READ(bench.client)
    bench.clock.advance(3600)
    READ(bench.client)
    assert bench.tries == 3


def test_calls_that_wait_for_their_turn_end_with_the_one_that_gives_up() -> None:
    """Twenty-four in flight would otherwise each wait out a pause of two minutes before they fail."""
    from concurrent.futures import ThreadPoolExecutor

    bench = Bench([MODEL, reply(429, {"reason": "quota"})])
    READ(bench.client)
    with ThreadPoolExecutor(24) as pool:
        ends = [pool.submit(REPEATABLE, bench.client) for _ in range(24)]
    assert all(isinstance(end.exception(), RateLimited) for end in ends)
    assert bench.clock.monotonic() <= 620


@pytest.mark.parametrize("call", [READ, REPEATABLE, ONCE, TRAIN])
def test_a_ceiling_of_the_plan_is_never_asked_again(call: Call) -> None:
    bench = Bench([CEILING])
    with pytest.raises(PlanCeiling) as caught:
        call(bench.client)
    assert (caught.value.action, caught.value.limit, caught.value.status) == ("parallel-training", 1, 429)
    assert (bench.tries, bench.budget.refused) == (1, 0)


@pytest.mark.parametrize(
    ("details", "says"),
    [
        ({"actionLimit": 0, "actionValue": 0, "limitScope": "team"}, "allows 0 per team (parallel-training)"),
        ({"actionLimit": 1, "limitScope": "project"}, "allows 1 per project (parallel-training)"),
        ({"limitScope": "team"}, "limits it per team (parallel-training)"),
        ({"actionLimit": 3, "limitScope": ["team"]}, "allows 3 (parallel-training)"),
        ({"actionLimit": 3, "limitScope": None}, "allows 3 (parallel-training)"),
    ],
)
def test_a_ceiling_says_for_whom_it_counts(details: dict[str, object], says: str) -> None:
    body = {
        "reason": "You have reached your plan's limit",
        "name": "PlanLimitReachedError",
        "details": {"actionName": "parallel-training", **details},
    }
    with pytest.raises(PlanCeiling, match=re.escape(f"your plan's limit (HTTP 429); the account's plan {says}")):
        TRAIN(Bench([reply(429, body)]).client)


@pytest.mark.parametrize("body", [{"remainingSeconds": 42}, {"details": {"remainingSeconds": 42.0}}])
def test_a_cooldown_is_reported_to_the_caller(body: dict[str, object]) -> None:
    bench = Bench([reply(429, body)])
    with pytest.raises(CoolingDown) as caught:
        TRAIN(bench.client)
    assert caught.value.remaining_s == 42
    assert bench.tries == 1


# -- errors


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (reply(400, {"message": "m", "reason": "Model is already training"}), Refused, "Model is already training"),
        (reply(400, {"error": {"message": "nested"}}), Refused, "nested"),
        (reply(400, {"detail": "d"}), Refused, "read model model_1: d (HTTP 400)"),
        (reply(401, {"message": "no"}), Unauthorized, "no"),
        (reply(403, {"reason": "not yours"}), Refused, "not yours"),
        (reply(403, "<html><title>403 Forbidden</title>"), Refused, "a web page answered in place of the API: 403 Fo"),
        (reply(404, {"reason": "unknown"}), NotFound, "unknown"),
        (reply(404, "<html><title>404 Not Found</title>"), BadAnswer, "404 Not Found"),
        (reply(404, "not found"), BadAnswer, "not found"),
        (reply(410, {"reason": "Creating SD 1.5 and SDXL models is no longer available."}), Refused, "no longer"),
        (reply(418, {}), Refused, "no reason given"),
        (reply(500, {"reason": "boom"}), ApiError, "boom"),
        (reply(302, "", location="https://login.example/?key=abc"), BadAnswer, "redirects to login.example"),
        (reply(400, {"reason": "a\nb\x1b[31m c"}), Refused, "a b [31m c"),
        (reply(400, {"reason": "x" * 5000}), Refused, "x…"),
    ],
)
def test_errors_carry_the_services_own_reason(answer: Reply, error: type[ApiError], says: str) -> None:
    with pytest.raises(error) as caught:
        READ(Bench([answer]).client)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert caught.value.status == answer.status


def test_a_collection_that_is_not_found_is_a_wrong_address() -> None:
    """SCENARIO_BASE_URL without /v1: the service says 404 in JSON, and no model is gone for that."""
    with pytest.raises(BadAnswer) as caught:
        Bench([reply(404, {"message": "Not Found"})]).client.get_models([ModelId("model_1")], images=False)
    assert "it should end in /v1" in str(caught.value.problems[0].hint)


def test_wrong_credentials_name_the_variables_to_set() -> None:
    with pytest.raises(Unauthorized) as caught:
        READ(Bench([reply(401, {"message": "no"})]).client)
    hint = caught.value.problems[0].hint or ""
    assert "SCENARIO_SDK_API_KEY" in hint
    assert "SCENARIO_SDK_API_SECRET" in hint


def test_secrets_echoed_by_a_service_are_hidden() -> None:
    body = {"reason": "very-secret-value Basic dmVyeTpzZWNyZXQ= https://cdn.example/x.png?X-Amz-Signature=f00ba4"}
    with pytest.raises(Refused) as caught:
        READ(Bench([reply(400, body)]).client)
    for secret in ("very-secret-value", "dmVyeTpzZWNyZXQ", "f00ba4"):
        assert secret not in str(caught.value)


def test_an_odd_id_is_refused_before_anything_is_sent() -> None:
    bench = Bench([MODEL])
    for odd in ("", " ", ".", ".."):
        with pytest.raises(ApiError, match="is no id of a model"):
            bench.client.get_model(ModelId(odd))
    assert bench.tries == 0


def test_what_is_to_be_deleted_may_be_deleted_already() -> None:
    bench = Bench([reply(404, {"reason": "unknown"})])
    bench.client.delete_model(M)
    bench.client.detach_image(M, AssetId("a"))
    assert bench.tries == 2


# -- a plan writes nothing

WRITES: list[Call] = [
    lambda c: c.update_model(M, name="x"),
    lambda c: c.update_tags(M, add=["a"], delete=[]),
    lambda c: c.set_caption(AssetId("a"), "x"),
    lambda c: c.replace_pairs(M, []),
    lambda c: c.detach_image(M, AssetId("a")),
    lambda c: c.delete_model(M),
    lambda c: c.put_part("https://parts.example/1?sig=x", b"x"),
    lambda c: c.complete_upload(UploadId("u")),
    ONCE,
    lambda c: c.add_image(M, name="x", mime="image/png", body=b"x"),
    lambda c: c.attach_assets(M, [AssetId("a")]),
    lambda c: c.upload_asset(name="x", body=b"x"),
    lambda c: c.create_upload(file_name="x", mime="image/png", size_bytes=1, parts=1),
    TRAIN,
]


@pytest.mark.parametrize("write", WRITES)
def test_a_plan_sends_no_write(write: Call) -> None:
    bench = Bench([MODEL], read_only=True)
    with pytest.raises(WriteInPlan):
        write(bench.client)
    assert (bench.tries, bench.transport.parts, bench.budget.sent) == (0, [], 0)


def test_in_a_plan_reads_and_quotes_do() -> None:
    quote = reply(269, {"creativeUnitsCost": 7})
    bench = Bench(
        [MODEL, reply(200, {"models": []}), reply(200, {"job": {"jobId": "j", "status": "queued"}}), quote],
        read_only=True,
    )
    bench.client.get_model(M)
    bench.client.get_models([M], images=True)
    bench.client.get_job(JobId("j"))
    assert bench.client.quote_training(M, {}, 3) == 7


# -- quotes never launch


def test_a_quote_asks_in_the_query_and_only_there() -> None:
    bench = Bench([reply(269, {"creativeUnitsCost": 7.5})])
    assert bench.client.quote_training(M, {"nbEpochs": 2}, None) == 7.5
    request = bench.transport.requests[0]
    assert ("dryRun", "true") in request.query
    assert request.body is not None
    assert b"dryRun" not in b"".join(request.body)


@pytest.mark.parametrize(
    "call", [TRAIN, lambda c: c.train(M, {"dryRun": True}), lambda c: c.quote_training(M, {"dryRun": 1}, None)]
)
def test_dry_run_is_never_in_a_body(call: Call) -> None:
    bench = Bench([LAUNCH])
    if call is TRAIN:
        call(bench.client)
        assert bench.transport.requests[0].query == ()
    else:
        with pytest.raises(ValueError, match="dryRun"):
            call(bench.client)
        assert bench.tries == 0


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, {"creativeUnitsCost": 7}),
        reply(269, {}),
        reply(269, {"creativeUnitsCost": "7"}),
        reply(269, {"creativeUnitsCost": -1}),
        reply(200, "not json"),
    ],
)
def test_only_a_269_with_a_price_is_a_quote(answer: Reply) -> None:
    bench = Bench([answer])
    with pytest.raises(BadAnswer):
        bench.client.quote_training(M, {}, None)
    assert bench.tries == 1


@pytest.mark.parametrize("status", [200, 269])
def test_a_quote_that_launched_is_reported_clearly_and_not_repeated(status: int) -> None:
    bench = Bench([reply(status, {"job": {"jobId": "j"}, "model": {}, "creativeUnitsCost": 7})])
    with pytest.raises(BadAnswer, match="STARTED"):
        bench.client.quote_training(M, {}, None)
    assert bench.tries == 1


# -- the hook, the parts, the end of a run


def test_sending_is_called_once_per_attempt_with_the_slot_taken() -> None:
    bench = Bench([RATE, reply(503, {}), MODEL])
    seen: list[tuple[int, int]] = []
    bench.client.update_model(M, name="x", sending=lambda: seen.append((bench.budget.sent, bench.tries)))
    assert seen == [(1, 0), (2, 1), (3, 2)]


def test_parts_are_outside_the_budget_and_repeated() -> None:
    bench = Bench([RESET, reply(503, ""), reply(200)])
    bench.client.put_part("https://parts.example/1?X-Amz-Signature=s3cr3t", b"bytes")
    assert len(bench.transport.parts) == 3
    assert bench.budget.sent == 0


def test_a_refused_part_does_not_give_its_address_away() -> None:
    bench = Bench([reply(403, "<Error><Message>expired https://p.example/1?X-Amz-Signature=s3cr3t</Message></Error>")])
    with pytest.raises(Refused) as caught:
        bench.client.put_part("https://p.example/1?X-Amz-Signature=s3cr3t", b"bytes")
    assert "s3cr3t" not in str(caught.value)
    assert "expired" in (caught.value.problems[0].hint or "")


def test_a_long_wait_for_a_slot_is_not_held_against_the_service() -> None:
    """The time a request queues is no time the service was out of reach."""
    bench = Bench([REFUSED_CONNECTION, MODEL])
    bench.budget.tighten(bench.budget.acquire(), 60.0)
    READ(bench.client)
    assert bench.tries == 2


def test_a_cancelled_run_sends_nothing_more() -> None:
    cancel = threading.Event()
    clock, transport = FakeClock(), ScriptedTransport(RESET)
    client = Client(Sender(transport, RequestBudget(0, clock, cancel), clock, cancel=cancel), None)
    cancel.set()
    with pytest.raises(Interrupted):
        READ(client)
    assert transport.requests == []


# -- answers without a body


UNREAD_WRITES: list[Call] = [
    lambda c: c.set_caption(AssetId("a"), "x"),
    lambda c: c.update_tags(M, add=["t"], delete=[]),
    lambda c: c.replace_pairs(M, []),
    lambda c: c.attach_assets(M, [AssetId("a")]),
    lambda c: c.detach_image(M, AssetId("a")),
    lambda c: c.delete_model(M),
]


@pytest.mark.parametrize("answer", [reply(204), reply(200), Reply(status=202, content=b" \r\n"), reply(200, "null")])
@pytest.mark.parametrize("call", UNREAD_WRITES)
def test_a_write_of_whose_answer_nothing_is_needed_may_be_answered_without_a_body(call: Call, answer: Reply) -> None:
    bench = Bench([answer])
    call(bench.client)
    assert bench.tries == 1


def test_what_an_empty_answer_does_not_say_is_read() -> None:
    bench = Bench([reply(204), MODEL])
    assert bench.client.update_model(M, name="x").id == M
    assert [request.method for request in bench.transport.requests] == ["PUT", "GET"]
    bench = Bench([reply(200), reply(200, {"upload": {"id": "u", "status": "imported", "entityId": "a"}})])
    assert bench.client.complete_upload(UploadId("u")).asset_id == "a"


def test_a_cut_off_answer_to_a_caption_is_no_empty_one() -> None:
    bench = Bench([TRUNCATED])
    with pytest.raises(BadAnswer):
        bench.client.set_caption(AssetId("a"), "x")


# -- what is only good to know


@pytest.mark.parametrize("trouble", [reply(500, {"message": "pricing is down"}), RESET, reply(200, "nonsense")])
def test_a_price_that_cannot_be_asked_for_is_given_up_soon(trouble: Reply | NoAnswer) -> None:
    bench = Bench([MODEL, trouble])
    READ(bench.client)
    with pytest.raises(ApiError):
        bench.client.quote_training(M, {}, None)
    assert bench.tries <= 1 + 3
    assert bench.clock.monotonic() < 3


def test_a_price_service_that_hangs_is_asked_once() -> None:
    bench = Bench([MODEL, TIMED_OUT])
    READ(bench.client)
    with pytest.raises(ApiError):
        bench.client.quote_training(M, {}, None)
    assert bench.tries == 2
