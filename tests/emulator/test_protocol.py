"""HTTP itself: pieces, pipelines, odd bytes, large answers."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from scenario_apply.emulator.options import EmulatorOptions
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .pictures import png

HEAD = b"Host: emulator.test\r\nAuthorization: Basic azpz\r\n"


@pytest.fixture
def scenario_emulator_options() -> EmulatorOptions:
    """A name that does not change with the port."""
    return manual_options(allowed_hosts=("emulator.test",))


@pytest.fixture
def wire(emulator: EmulatorThread) -> Iterator[socket.socket]:
    """A bare connection."""
    address = urlsplit(emulator.url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 0), timeout=5) as connection:
        yield connection


def read_answers(wire: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Status and body of so many answers."""
    stream = wire.makefile("rb")
    answers = []
    for _ in range(count):
        status = int(stream.readline().split()[1])
        length = 0
        while (line := stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        answers.append((status, stream.read(length)))
    return answers


def test_requests_in_a_row_are_answered_in_a_row(wire: socket.socket) -> None:
    paths = [b"/v1/models", b"/v1/jobs", b"/v1/nothing", b"/v1/projects"]
    wire.sendall(b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HEAD + b"\r\n" for path in paths))
    answers = read_answers(wire, 4)
    assert [status for status, _ in answers] == [200, 200, 404, 200]
    assert [next(iter(json.loads(body))) for _, body in answers] == ["models", "jobs", "status", "projects"]


def test_a_request_may_come_byte_by_byte_and_in_chunks(wire: socket.socket) -> None:
    request = (
        b"POST /v1/models HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    request += b'a\r\n{"name": "\r\n5\r\nKael"\r\n1\r\n}\r\n0\r\n\r\n'
    for byte in request:
        wire.sendall(bytes([byte]))
    status, body = read_answers(wire, 1)[0]
    assert (status, json.loads(body)["model"]["name"]) == (200, "Kael")


def test_expecting_100_is_met(wire: socket.socket) -> None:
    head = HEAD + b"Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    wire.sendall(b"POST /v1/models HTTP/1.1\r\n" + head)
    assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b"{}")
    assert read_answers(wire, 1)[0][0] == 200


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (400, b"\x16\x03\x01\x02\x00\x01\x00"),
        (400, b"GET / SPDY/9\r\n\r\n"),
        (400, b"CONNECT somewhere:443 HTTP/1.1\r\nHost: emulator.test\r\n\r\n"),
        (400, b"POST /v1/models HTTP/1.1\r\nContent-Length: nonsense\r\n\r\n"),
        (400, b"POST /v1/models HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (431, b"GET /v1/models HTTP/1.1\r\n" + b"x: " + b"y" * 70_000 + b"\r\n\r\n"),
        (431, b"GET /v1/models HTTP/1.1\r\n" + b"".join(b"x%d: y\r\n" % one for one in range(200)) + b"\r\n"),
        (431, b"GET /" + b"y" * 70_000),
    ],
)
def test_what_is_no_http_is_refused(wire: socket.socket, status: int, request_bytes: bytes) -> None:
    """With the status that says why, in JSON, and the connection ends."""
    wire.sendall(request_bytes)
    found, body = read_answers(wire, 1)[0]
    assert (found, json.loads(body)["status"]) == (status, "error")
    with contextlib.suppress(ConnectionResetError):  # what was sent after the refusal was not read
        assert wire.recv(10) == b""


def test_the_old_protocol_closes_the_connection(wire: socket.socket) -> None:
    wire.sendall(b"GET /v1/models HTTP/1.0\r\n" + HEAD + b"\r\n")
    assert read_answers(wire, 1)[0][0] == 200
    assert wire.recv(10) == b""


def test_nothing_is_done_after_a_dropped_answer(emulator: EmulatorThread, wire: socket.socket) -> None:
    emulator.add_fault("drop-answer", method="POST")
    post = b"POST /v1/models HTTP/1.1\r\n" + HEAD + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    wire.sendall(post + post)
    with contextlib.suppress(ConnectionResetError):  # an end of stream says the same
        assert wire.recv(10) == b""
    assert [entry.fault for entry in emulator.requests] == ["drop-answer"]


def test_a_large_picture_is_sent_from_its_file(api: httpx.Client) -> None:
    data = png(1) + bytes(range(256)) * 12_000
    body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": len(data)}
    upload = api.post("/uploads", json=body).json()["upload"]
    contract.plain.put(upload["parts"][0]["url"], content=data)
    api.post(f"/uploads/{upload['id']}/action", json={"action": "complete"})
    for _ in range(2):
        state = api.get(f"/uploads/{upload['id']}").json()["upload"]
    url = api.get(f"/assets/{state['entityId']}").json()["asset"]["url"]
    with httpx.Client(verify=False) as client:
        assert client.get(url).content == data
        assert client.get(url).content == data  # over the same connection
    assert contract.plain.get(url, headers={"connection": "close"}).content == data


def test_parts_go_wrong_on_purpose_too(emulator: EmulatorThread, api: httpx.Client) -> None:
    body = {"fileName": "a.png", "contentType": "image/png", "kind": "image", "parts": 1, "fileSize": 10}
    url = api.post("/uploads", json=body).json()["upload"]["parts"][0]["url"]
    emulator.add_fault("503", method="PUT", path="/parts/*")
    assert contract.plain.put(url, content=b"x" * 10).status_code == 503
    assert contract.plain.put(url, content=b"x" * 10).status_code == 200
    assert [entry.status for entry in emulator.requests if entry.path.startswith("/parts/")] == [503, 200]
