"""retry.py: which calls are made again, and when."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from scenario_apply.api import retry
from scenario_apply.api.exchange import NoAnswer, Safety
from tests.api.transports import REFUSED_CONNECTION, RESET, TIMED_OUT, reply

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.25"}, 0.25),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after": formatdate(NOW + 12, usegmt=True)}, 12.0),
        ({"retry_after": formatdate(NOW - 12, usegmt=True)}, 0.0),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after_ms": "soon", "retry_after": "9"}, 9.0),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "in a while"}, None),
        ({}, None),
    ],
)
def test_the_pause_asked_for_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry.asked_pause_s(reply(429, {}, **headers), NOW) == seconds


def test_backoff_doubles_to_a_bound_and_is_jittered_downwards() -> None:
    assert [retry.backoff_s(n, 1.0) for n in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]
    assert retry.backoff_s(3, 0.0) == 1.5
    assert retry.backoff_s(10_000, 1.0) == 8
    with pytest.raises(ValueError, match="count from 1"):
        retry.backoff_s(0, 1.0)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520])
def test_passing_troubles_are_tried_again_six_times_in_all(status: int) -> None:
    waits = [_again(status, n) for n in range(1, 8)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, None, None]


@pytest.mark.parametrize("status", [200, 269, 302, 400, 401, 403, 404, 410, 422, 501, 505])
def test_errors_that_a_retry_cannot_change_are_not_retried(status: int) -> None:
    assert _again(status, 1) is None


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503])
def test_a_call_that_creates_or_spends_is_never_repeated_after_an_error(status: int) -> None:
    assert _again(status, 1, Safety.ONCE) is None
    assert _again(status, 1, Safety.ONCE, x_should_retry="true") is None


def test_x_should_retry_overrides_the_status() -> None:
    assert _again(503, 1, x_should_retry="false") is None
    assert _again(400, 1, x_should_retry="true") == 0.5


def test_a_plausible_retry_after_of_a_server_error_is_honoured() -> None:
    assert _again(503, 1, retry_after="17") == 17
    assert _again(503, 1, retry_after="3600") == 0.5


def test_a_conflict_is_tried_less_often() -> None:
    assert [_again(409, n) for n in (1, 2, 3)] == [0.5, 1.0, None]


@pytest.mark.parametrize("safety", list(Safety))
def test_an_unreachable_service_is_tried_for_six_seconds_by_any_call(safety: Safety) -> None:
    assert _reconnect(REFUSED_CONNECTION, 1, safety, down_s=0.0) == 0.5
    assert _reconnect(REFUSED_CONNECTION, 3, safety, down_s=1.5) == 2.0
    assert _reconnect(REFUSED_CONNECTION, 4, safety, down_s=3.5) is None
    assert _reconnect(REFUSED_CONNECTION, 1, safety, down_s=5.0, took_s=5.0) is None


def test_a_lost_answer_ends_a_call_that_must_happen_once() -> None:
    assert _reconnect(RESET, 1, Safety.ONCE) is None
    assert _reconnect(TIMED_OUT, 1, Safety.ONCE) is None
    assert _reconnect(RESET, 1, Safety.REPEATABLE) == 0.5
    assert _reconnect(RESET, 5, Safety.READ) == 8.0
    assert _reconnect(RESET, 6, Safety.READ) is None
    assert _reconnect(TIMED_OUT, 2, Safety.READ) is None, "each timeout has cost a minute"


def test_an_untrusted_certificate_is_not_retried() -> None:
    assert _reconnect(NoAnswer(what="untrusted", sent=False, hopeless=True), 1, Safety.READ) is None


def test_nonsense_is_read_again_a_little() -> None:
    assert [retry.reread_after_s(n, safety=Safety.READ, draw=1.0) for n in (1, 2, 3)] == [0.5, 1.0, None]
    assert retry.reread_after_s(1, safety=Safety.ONCE, draw=1.0) is None


def _again(status: int, attempt: int, safety: Safety = Safety.READ, **headers: str) -> float | None:
    return retry.retry_after_s(reply(status, {}, **headers), attempt, safety=safety, now=NOW, draw=1.0)


def _reconnect(
    lost: NoAnswer, attempt: int, safety: Safety, *, down_s: float = 0.0, took_s: float = 0.0
) -> float | None:
    return retry.reconnect_after_s(
        lost, attempt, safety=safety, draw=1.0, down_s=down_s, took_s=took_s, has_answered=True
    )


@pytest.mark.parametrize(
    ("headers", "rounded"),
    [
        ({"retry-after": "2"}, True),
        ({"retry-after": "2.0"}, True),
        ({"retry-after": "1.5"}, False),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, True),
        ({"retry-after": "2", "retry-after-ms": "1500"}, False),
    ],
)
def test_whole_seconds_and_dates_are_rounded(headers: dict[str, str], rounded: bool) -> None:
    answer = reply(429, {}, **headers)
    assert retry.is_rounded(answer) == rounded
