"""transport.py: what leaves, what may not, and what every way of breaking is called."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
import responses

from scenario_apply.api.exchange import NoAnswer, Reply, Request, Safety
from scenario_apply.api.request_bodies import PlainBody, data_url_body, json_body
from scenario_apply.api.transport import Timeouts, Transport
from scenario_apply.errors import ApiError
from tests.api import servers

BASE = "https://api.example/v1"
KEY, SECRET = "api_key_1234", "secret_98765432"  # two made-up credentials
TIMES = Timeouts(connect=1.0, read=0.3, upload_connect=1.0)
GET = Request(method="GET", path="/models", safety=Safety.READ, doing="list")
POST = Request(method="POST", path="/models", safety=Safety.ONCE, doing="create", body=json_body({"a": 1}))


def part(url: str, content: bytes) -> Request:
    """A part of an upload, for its signed address."""
    body = PlainBody(content)
    return Request(method="PUT", path="", safety=Safety.REPEATABLE, doing="send a part", body=body, signed_url=url)


def transport(base: str = BASE) -> Transport:
    return Transport(base, KEY, SECRET, timeouts=TIMES)


@responses.activate
def test_a_request_carries_basic_auth_and_a_user_agent() -> None:
    responses.get(f"{BASE}/models", json={"models": []})
    outcome = transport().exchange(
        Request(method="GET", path="/models", safety=Safety.READ, doing="x", query=(("a b", "ü&=/"), ("c", "1")))
    )
    assert isinstance(outcome, Reply)
    assert (outcome.status, json.loads(outcome.content)) == (200, {"models": []})
    sent = responses.calls[0].request
    assert sent.headers["Authorization"] == "Basic " + b64encode(f"{KEY}:{SECRET}".encode()).decode()
    assert sent.headers["User-Agent"].startswith("scenario-apply/")
    assert sent.url == f"{BASE}/models?a+b=%C3%BC%26%3D%2F&c=1"


@pytest.mark.parametrize("base", ["https://api.example/v1/", " https://api.example/v1 ", "https://api.example/v1//"])
@responses.activate
def test_a_slash_at_the_end_of_the_base_url_is_one_too_many(base: str) -> None:
    responses.get(f"{BASE}/models", json={})
    assert isinstance(transport(base).exchange(GET), Reply)


@pytest.mark.parametrize(
    "base",
    [
        "",
        "api.example/v1",
        "ftp://api.example",
        "https://",
        "https://u:p@h/v1",
        "https://h/v1?x=1",
        "https://h:99999/v1",
        "https://a b/",
    ],
)
def test_an_odd_base_url_is_refused_at_once(base: str) -> None:
    with pytest.raises(ApiError, match="base URL") as caught:
        transport(base)
    assert "SCENARIO_BASE_URL" in (caught.value.problems[0].hint or "")


@responses.activate
def test_ids_stay_encoded_on_the_way() -> None:
    responses.get(f"{BASE}/models/a%2Fb%3Fc%20d", json={})
    outcome = transport().exchange(
        Request(method="GET", path="/models/a%2Fb%3Fc%20d", safety=Safety.READ, doing="read")
    )
    assert isinstance(outcome, Reply)
    assert responses.calls[0].request.url == f"{BASE}/models/a%2Fb%3Fc%20d"


@responses.activate
def test_a_redirect_is_reported_and_not_followed() -> None:
    responses.get(f"{BASE}/models", status=302, headers={"Location": "https://evil.example/v1/models"})
    outcome = transport().exchange(GET)
    assert isinstance(outcome, Reply)
    assert (outcome.status, outcome.headers["location"]) == (302, "https://evil.example/v1/models")
    assert len(responses.calls) == 1


@responses.activate
def test_a_part_goes_without_credentials_even_where_netrc_has_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine parts.example login me password leaked\nmachine api.example login me password leaked\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    responses.put("https://parts.example/1", status=200)
    responses.get(f"{BASE}/models", json={})
    road = transport()
    assert isinstance(road.exchange(part("https://parts.example/1?sig=x", b"abc")), Reply)
    assert isinstance(road.exchange(GET), Reply)
    sent_part, call = (c.request for c in responses.calls)
    assert "Authorization" not in sent_part.headers
    assert "projectId" not in (sent_part.url or "")
    assert b64decode(call.headers["Authorization"].split()[1]) == f"{KEY}:{SECRET}".encode()


def test_proxies_and_certificate_bundles_of_the_environment_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{servers.closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    outcome = transport("https://api.invalid/v1").exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert "proxy" in outcome.what
    assert outcome.sent is False
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    outcome = transport(f"https://127.0.0.1:{servers.closed_port()}/v1").exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert "REQUESTS_CA_BUNDLE" in outcome.what
    assert outcome.hopeless


def test_a_request_to_a_refused_connection_was_never_sent() -> None:
    for request in (GET, POST):
        outcome = transport(f"http://127.0.0.1:{servers.closed_port()}/v1").exchange(request)
        assert isinstance(outcome, NoAnswer)
        assert (outcome.sent, outcome.timed_out, outcome.hopeless) == (False, False, False)
        assert "refused the connection" in outcome.what


def test_an_unknown_host_was_never_sent_anything() -> None:
    outcome = transport("http://no-such-host.invalid/v1").exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert outcome.sent is False
    assert "host not found: no-such-host.invalid" in outcome.what


@pytest.mark.parametrize("handler", [servers.resets, servers.closes, servers.cuts_off, servers.speaks_no_http])
def test_a_connection_that_breaks_after_the_request_leaves_it_open_whether_it_was_carried_out(
    handler: servers.Handler,
) -> None:
    with servers.serving(handler) as base:
        outcome = transport(base).exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert (outcome.sent, outcome.timed_out) == (True, False)


def test_a_timeout_is_distinguished_from_a_broken_connection() -> None:
    with servers.serving(servers.hangs) as base:
        outcome = transport(base).exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert (outcome.sent, outcome.timed_out) == (True, True)
    assert "in time" in outcome.what


def test_plain_http_behind_https_is_hopeless_and_was_never_sent() -> None:
    with servers.serving(servers.refuses_garbage) as base:
        outcome = transport(base.replace("http://", "https://")).exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert (outcome.sent, outcome.hopeless) == (False, True)
    assert "no secure connection to 127.0.0.1" in outcome.what


def test_a_handshake_that_hangs_was_never_sent() -> None:
    with servers.serving(servers.hangs) as base:
        outcome = transport(base.replace("http://", "https://")).exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert outcome.sent is False
    assert "in time" in outcome.what


def test_a_request_with_an_untrusted_certificate_was_never_sent(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def handshake(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True)

    with servers.serving(handshake) as base:
        outcome = transport(base.replace("http://", "https://")).exchange(POST)
    assert isinstance(outcome, NoAnswer)
    assert (outcome.sent, outcome.hopeless) == (False, True)
    assert "certificate of 127.0.0.1" in outcome.what
    assert "REQUESTS_CA_BUNDLE" in (outcome.hint or "")


def test_connections_are_used_again_and_by_all_threads() -> None:
    seen: list[bytes] = []
    connections = 0

    def counting(connection: socket.socket) -> None:
        nonlocal connections
        connections += 1
        servers.answering(b"{}", seen=seen)(connection)

    with servers.serving(counting) as base, transport(base) as road:
        for _ in range(20):
            assert isinstance(road.exchange(GET), Reply)
    assert (len(seen), connections) == (20, 1)


def test_a_picture_arrives_whole_from_many_threads() -> None:
    picture = bytes(range(256)) * 4096  # 1 MB
    seen: list[bytes] = []
    outcomes: list[object] = []
    with servers.serving(servers.answering(b"{}", seen=seen)) as base:

        def send(n: int) -> None:
            with Transport(base, KEY, SECRET) as road:
                body = data_url_body(name=f'"{n}".png', mime="image/png", picture=picture)
                outcomes.append(
                    road.exchange(Request(method="POST", path="/x", safety=Safety.ONCE, doing="x", body=body))
                )

        threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert all(isinstance(o, Reply) for o in outcomes)
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in seen]
    assert sorted(body["name"] for body in bodies) == [f'"{n}".png' for n in range(4)]
    assert all(b64decode(body["data"].removeprefix("data:image/png;base64,")) == picture for body in bodies)


def test_an_answer_may_be_large_but_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenario_apply.api.transport.LONGEST_ANSWER", 1000)
    with servers.serving(servers.answering(b" " * 2000)) as base:
        outcome = transport(base).exchange(GET)
    assert isinstance(outcome, NoAnswer)
    assert outcome.hopeless


def test_no_repr_and_no_message_shows_a_secret() -> None:
    road = transport(f"http://127.0.0.1:{servers.closed_port()}/v1")
    outcome = road.exchange(part("http://127.0.0.1:1/x?X-Amz-Signature=s3cr3t", b"x"))
    for text in (repr(road), repr(road.mask), repr(outcome), repr(vars(road)["mask"])):
        assert SECRET not in text
        assert "s3cr3t" not in text


def test_signed_addresses_do_not_reach_a_log(caplog: pytest.LogCaptureFixture) -> None:
    with servers.serving(servers.answering(b"")) as base, caplog.at_level("DEBUG"):
        transport(base).exchange(part(f"{base}/part?X-Amz-Signature=s3cr3t", b"x"))
    assert "PUT" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_credentials_that_are_not_ascii_are_refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        Transport(BASE, "kéy", SECRET)


def test_a_large_body_gets_more_time() -> None:
    times = Timeouts()
    assert times.of(100) == (5.0, 60.0)
    connect_s, read_s = times.of(6_000_000)
    assert connect_s == 20
    assert read_s == 120


@pytest.mark.parametrize(
    "address",
    [
        "http://store.example/part?X-Amz-Signature=1",
        "ftp://store.example/part",
        "file:///etc/passwd",
        "https://127.0.0.1/part",
        "https://localhost:8080/part",
        "https://169.254.169.254/latest",
        "https://[::1]/part",
        "https://[::ffff:127.0.0.1]/part",
        "https://0.0.0.0/part",
    ],
)
@responses.activate
def test_a_part_goes_to_no_unencrypted_or_local_address(address: str) -> None:
    """The service names where parts go: it can neither have them sent in the clear nor reach into this machine."""
    outcome = transport().exchange(part(address, b"x"))
    assert isinstance(outcome, NoAnswer)
    assert outcome.hopeless
    assert not outcome.sent
    assert len(responses.calls) == 0
