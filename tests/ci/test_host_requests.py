"""Requests to the API of a CI host end, whatever the host does."""

from __future__ import annotations

import socket
import threading

import pytest

from scenario_apply.ci import host_requests
from scenario_apply.ci.host_requests import HostError, HostRequests
from scenario_apply.model.secret import Secret


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte starts the time limit of the socket again: the time of the whole answer is what counts."""
    monkeypatch.setattr(host_requests, "TRIES", 1)
    monkeypatch.setattr(host_requests, "_SOCKET_S", 2.0)
    monkeypatch.setattr(host_requests, "_EXCHANGE_S", -1.0)
    is_done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n ")
                is_done.wait(10)

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            requests = HostRequests("GitHub", f"http://127.0.0.1:{server.getsockname()[1]}", Secret("token-of-a-test"))
            with pytest.raises(HostError, match="the answer does not end"):
                requests.get("/user")
        finally:
            is_done.set()
            thread.join()
