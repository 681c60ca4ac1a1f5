"""exchange_deadline.py: a server that keeps sending a little ends at the deadline, wherever in the answer it is."""

from __future__ import annotations

import socket
import threading

import pytest

from scenario_apply.api.exchange import NoAnswer, Reply, Request, Safety
from scenario_apply.api.request_bodies import json_body
from scenario_apply.api.transport import Timeouts, Transport
from tests.api import servers

GET = Request(method="GET", path="/models", safety=Safety.READ, doing="list")
TIMES = Timeouts(connect=0.2, read=0.4, first_read=0.4)
ENDLESS = 100_000

ANSWERS = {
    "status line": b"HTTP/1.1 200 " + b"O" * ENDLESS,
    "headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * ENDLESS,
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * ENDLESS,
    "chunked body": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * ENDLESS,
    "body without a length": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * ENDLESS,
}


@pytest.mark.parametrize("part", ANSWERS)
def test_an_answer_that_drips_ends_at_the_deadline(part: str) -> None:
    """Each byte comes within the read time-out; the whole exchange still has an end."""
    stop = threading.Event()
    try:
        with servers.serving(servers.dripping(ANSWERS[part], stop)) as base:
            outcome = Transport(base, "key", "secret", timeouts=TIMES).exchange(GET)
    finally:
        stop.set()
    assert isinstance(outcome, NoAnswer)
    assert outcome.timed_out
    assert outcome.sent


def test_a_connection_is_used_again_after_a_timed_answer() -> None:
    """The deadline of one exchange does not stay with the connection."""
    seen: list[bytes] = []
    with (
        servers.serving(servers.answering(b"{}", seen=seen)) as base,
        Transport(base, "key", "secret", timeouts=TIMES) as transport,
    ):
        outcomes = [transport.exchange(GET) for _ in range(3)]
    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert len(seen) == 3


@pytest.mark.parametrize(("most_idle_s", "connections"), [(60.0, 1), (0.0, 3)])
def test_a_connection_that_was_idle_is_not_used_again(
    most_idle_s: float, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service may be closing it, and then nobody knows whether a paid request was carried out."""
    monkeypatch.setattr("scenario_apply.api.exchange_deadline.MOST_IDLE_S", most_idle_s)
    seen: list[bytes] = []
    opened: list[None] = []

    def counting(connection: socket.socket) -> None:
        opened.append(None)
        servers.answering(b"{}", seen=seen)(connection)

    with servers.serving(counting) as base, Transport(base, "key", "secret", timeouts=TIMES) as transport:
        outcomes = [transport.exchange(GET) for _ in range(3)]
    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert (len(seen), len(opened)) == (3, connections)


def test_what_creates_or_spends_gets_a_connection_of_its_own() -> None:
    """On one that was used before, a lost answer could mean that the service was closing it."""
    used: list[int] = []

    def once_each(connection: socket.socket) -> None:
        """Answers one request; the next one over the same connection breaks it."""
        servers.read_request(connection)
        used.append(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        servers.resets(connection)

    post = Request(method="POST", path="/models", safety=Safety.ONCE, doing="create", body=json_body({}))
    with servers.serving(once_each) as base, Transport(base, "key", "secret", timeouts=TIMES) as transport:
        outcomes = [transport.exchange(request) for request in (GET, post, post, post)]
    assert all(isinstance(outcome, Reply) for outcome in outcomes)
    assert len(used) == 4
