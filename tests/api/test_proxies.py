"""proxies.py: no proxy on the way to this machine, and errors that speak of the proxy where it is the one at fault."""

from __future__ import annotations

import pytest

from scenario_apply.api import connect
from scenario_apply.api.exchange import NoAnswer, Reply, Request, Safety
from scenario_apply.api.proxies import Proxy, proxy_of
from scenario_apply.api.transport import Timeouts, Transport
from scenario_apply.errors import Unreachable
from tests.api import servers
from tests.fakes.clock import FakeClock

GET = Request(method="GET", path="/models", safety=Safety.READ, doing="list")
TIMES = Timeouts(connect=1.0, read=0.5, first_read=0.5)
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *(name.lower() for name in NAMES)):
        monkeypatch.delenv(name, raising=False)


def exchanged(base: str) -> Reply | NoAnswer:
    with Transport(base, "key", "secret-value", timeouts=TIMES) as transport:
        return transport.exchange(GET)


@pytest.mark.parametrize(
    "variables",
    [
        {"HTTP_PROXY": "http://127.0.0.1:9"},
        {"http_proxy": "http://127.0.0.1:9", "NO_PROXY": "example.com"},
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"all_proxy": "no address:x", "no_proxy": ""},
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_requests_to_this_machine_go_past_every_proxy(
    variables: dict[str, str], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with servers.serving(servers.answering(b"{}")) as base:
        assert isinstance(exchanged(base.replace("127.0.0.1", host)), Reply)


@pytest.mark.parametrize("url", ["http://[::1]:8/v1", "http://127.9.9.9/v1", "https://localhost./v1"])
def test_every_loopback_address_is_this_machine(url: str) -> None:
    assert proxy_of(url, "http://proxy.example:3128") is None


@pytest.mark.parametrize("url", ["https://api.example/v1", "http://169.254.1.1/v1", "http://0.0.0.0/v1"])
def test_any_other_address_keeps_its_proxy(url: str) -> None:
    assert proxy_of(url, "http://proxy.example:3128") is not None
    assert proxy_of(url, None) is None


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("socks5://user:hunter2@127.0.0.1:9", "names a SOCKS proxy, 127.0.0.1:9, and SOCKS support is not installed"),
        ("http://127.0.0.1:notaport", "is no address of a proxy"),
        ("http://user:hunter2@", "is no address of a proxy"),
        ("gopher://127.0.0.1:9", "is no address of a proxy"),
        ("http://[::1:80", "is no address of a proxy"),
        ("pro xy:80", "is no address of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_before_anything_is_sent(
    variable: str, address: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv(variable, address)
    outcome = exchanged("https://api.invalid/v1")
    assert isinstance(outcome, NoAnswer)
    assert (outcome.sent, outcome.hopeless) == (False, True)
    assert words in outcome.what
    assert variable in outcome.what
    assert variable in (outcome.hint or "")
    assert "hunter2" not in f"{outcome}"
    assert "SCENARIO_BASE_URL" not in f"{outcome}"


def test_a_wrong_proxy_is_reported_when_a_client_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the address of the service is judged: it is not what is wrong."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:notaport")
    with pytest.raises(Unreachable, match="HTTP_PROXY names"):
        connect(
            base_url="http://service.example/v1",
            api_key="key",
            api_secret="secret-value",
            project_id=None,
            rate_limit_per_minute=0,
            clock=FakeClock(),
        )


def test_a_proxy_without_a_scheme_is_an_http_one() -> None:
    proxy = Proxy("proxy.example:3128", "HTTPS_PROXY")
    assert proxy.problem() is None
    assert proxy.for_requests()["https"] == "http://proxy.example:3128"


def test_a_socks_proxy_is_used_where_its_support_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert Proxy("socks5h://127.0.0.1:9", "ALL_PROXY").problem() is None


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (servers.answering(b"", status="407 Proxy Authentication Required"), "407 Proxy Authentication Required"),
        (servers.answering(b"", status="403 Forbidden"), "403 Forbidden"),
    ],
)
def test_a_proxy_that_refuses_is_named_with_its_words(
    handler: servers.Handler, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.serving(handler) as base:
        address = base.removesuffix("/v1")
        monkeypatch.setenv("HTTPS_PROXY", address.replace("http://", "http://user:hunter2@"))
        outcome = exchanged("https://api.invalid/v1")
    assert isinstance(outcome, NoAnswer)
    assert outcome.sent is False
    assert f"the proxy {address.removeprefix('http://')} on the way to api.invalid" in outcome.what
    assert words in outcome.what
    assert "hunter2" not in f"{outcome}"


def test_a_proxy_whose_host_does_not_exist_is_not_taken_for_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://no-such-proxy.invalid:3128")
    outcome = exchanged("https://api.invalid/v1")
    assert isinstance(outcome, NoAnswer)
    assert "the proxy no-such-proxy.invalid:3128 on the way to api.invalid was not found" in outcome.what


def test_a_proxy_of_the_environment_is_used_for_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with servers.serving(servers.answering(b"{}", seen=seen)) as base:
        monkeypatch.setenv("HTTP_PROXY", base.removesuffix("/v1"))
        assert isinstance(exchanged("http://service.invalid/v1"), Reply)
    assert seen[0].startswith(b"GET http://service.invalid/v1/models HTTP/1.1")
