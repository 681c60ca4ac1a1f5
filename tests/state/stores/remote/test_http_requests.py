"""Attempts at an HTTP state server: how many, how long, and what is said when they fail."""

from __future__ import annotations

from typing import Any

import pytest

from scenario_apply.state.state_url import parse_state_url
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.http_address import http_address
from scenario_apply.state.stores.remote.http_requests import HttpStateRequests
from tests.api.transports import REFUSED_CONNECTION, TIMED_OUT, ScriptedTransport, reply
from tests.fakes.clock import FakeClock

SHOWN = "https://states.example/kael"


class AskedTransport(ScriptedTransport):
    """One that was reached before."""

    has_answered = True


def asking(*outcomes: Any) -> tuple[HttpStateRequests, AskedTransport, FakeClock]:
    clock, transport = FakeClock(), AskedTransport(*outcomes)
    address = http_address(parse_state_url(SHOWN), {})
    requests = HttpStateRequests(address, shown=SHOWN, clock=clock, draw=lambda: 1.0)
    requests._transport = transport  # type: ignore[assignment]  # as much of one as is used
    return requests, transport, clock


def test_a_server_that_hangs_is_waited_for_once() -> None:
    """The attempts after a first one without an answer are short: a run has to be able to leave."""
    requests, transport, _ = asking(TIMED_OUT)
    with pytest.raises(StoreUnavailable, match="could not be read: no answer"):
        requests.repeated("GET", "/kael", "be read")
    with pytest.raises(StoreUnavailable):
        requests.repeated("UNLOCK", "/kael", "be unlocked", b"{}")
    assert [request.is_advisory for request in transport.requests] == [False, True, True]


def test_a_server_that_answers_again_gets_its_time_again() -> None:
    requests, transport, _ = asking(TIMED_OUT, reply(200, {}), reply(200, {}))
    requests.repeated("GET", "/kael", "be read")
    requests.repeated("GET", "/kael", "be read")
    assert [request.is_advisory for request in transport.requests] == [False, True, False]


def test_a_server_that_is_not_there_is_given_up_within_seconds() -> None:
    requests, _, clock = asking(REFUSED_CONNECTION)
    with pytest.raises(StoreUnavailable, match="refused the connection"):
        requests.repeated("GET", "/kael", "be read")
    assert 0 < sum(clock.waits) < 10


def test_a_lock_of_another_is_an_answer_at_once() -> None:
    for status in (409, 423):
        requests, _, clock = asking(reply(status, {"ID": "1"}))
        assert requests.repeated("LOCK", "/kael", "be locked", b"{}").status == status
        assert clock.waits == []


def test_credentials_must_be_ascii() -> None:
    address = http_address(parse_state_url(SHOWN).named(), {"TF_HTTP_USERNAME": "jané", "TF_HTTP_PASSWORD": "wörd"})
    with pytest.raises(StoreUnavailable, match="not ASCII") as caught:
        HttpStateRequests(address, shown=SHOWN, clock=FakeClock())
    assert "wörd" not in str(caught.value)
