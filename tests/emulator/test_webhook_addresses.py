"""Webhooks reach this machine and private networks only when an option allows it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import httpx
import pytest

from scenario_apply.emulator import deliveries
from scenario_apply.emulator.addresses import is_public, literal_address
from scenario_apply.emulator.deliveries import ForbiddenDestination
from scenario_apply.emulator.thread import EmulatorThread, manual_options

from . import contract
from .test_jobs_and_webhooks import receiver, wait_for
from .test_training import with_images

LOCAL = (
    *("127.0.0.1", "127.255.0.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0"),
    *("fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
)
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::")


@pytest.mark.parametrize("address", LOCAL)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("text", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1"])
def test_other_notations_of_loopback(text: str) -> None:
    assert literal_address(text) == ipaddress.ip_address("127.0.0.1")


LOCAL_URLS = (
    *("http://127.0.0.1:9/", "http://[::1]/", "http://localhost/x", "http://LOCALHOST./", "http://a.localhost/"),
    *("http://169.254.169.254/latest/meta-data/", "https://10.1.2.3/", "http://[::ffff:127.0.0.1]/", "http://127.1/"),
    *("http://2130706433/", "http://0x7f000001/", "http://user:x@127.0.0.1/", "http://[fe80::1]/", "http://0/"),
)


@pytest.mark.parametrize("url", LOCAL_URLS)
def test_a_local_address_is_refused_at_once(api: httpx.Client, url: str) -> None:
    """When an endpoint is made, and when it is changed."""
    base = "/projects/proj_default/webhook-endpoints"
    refused = api.post(base, json={"url": url, "enabledEvents": ["*"]})
    assert refused.status_code == 400
    assert "--allow-local-webhooks" in refused.json()["message"]
    made = api.post(base, json={"url": "https://hooks.example/", "enabledEvents": ["*"]}).json()["webhookEndpoint"]
    assert api.put(f"{base}/{made['id']}", json={"url": url}).status_code == 400


def event(url: str) -> Any:
    """What the courier hands over."""
    return {"url": url, "payload": b"{}", "secret": "whsec_x"}


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:7f00:1"], ["fe80::1%1"]])
def test_a_name_is_judged_by_what_it_leads_to(monkeypatch: pytest.MonkeyPatch, addresses: list[str]) -> None:
    """When the connection is made: one local address among several is enough to refuse; nothing is connected to."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    def connect(*_: Any) -> socket.socket:
        raise AssertionError("a connection was made")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("socket.create_connection", connect)
    for url in ("http://rebinding.example/", "https://rebinding.example/"):
        with pytest.raises(ForbiddenDestination):
            deliveries._post(event(url), 0, False)


def test_the_address_that_was_judged_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere the second time gains nothing: it is resolved once."""
    asked: list[str] = []
    reached: list[Any] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", ("8.8.8.8" if len(asked) == 1 else "127.0.0.1", port))]

    def connect(place: Any, timeout: float) -> socket.socket:
        reached.append(place)
        raise OSError("no network in tests")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("socket.create_connection", connect)
    assert deliveries._post(event("http://rebinding.example/"), 0, False) == 0
    assert (asked, reached) == (["rebinding.example"], [("8.8.8.8", 80)])


def test_an_endpoint_from_before_is_refused_on_delivery(capsys: pytest.CaptureFixture[str]) -> None:
    """A database may hold local addresses; they get nothing, and the attempts show it."""
    with receiver([]) as (url, got), EmulatorThread(manual_options()) as emulator, contract.client(emulator.url) as api:
        base = "/projects/proj_default/webhook-endpoints"
        body = {"url": "https://hooks.example/", "enabledEvents": ["model.training.started"]}
        made = api.post(base, json=body).json()["webhookEndpoint"]
        emulator._do(lambda server: server.world.db.run("UPDATE webhook_endpoints SET url = ?", (url,)))
        api.put(f"/models/{with_images(api)}/train", json={})
        wait_for(lambda: api.get(base).json()["webhookEndpoints"][0]["nbFailedCalls"] >= 1)
        events = api.get(f"{base}/{made['id']}/events").json()["items"]
        seen = api.get(f"{base}/{made['id']}/events/{events[0]['id']}").json()["webhookEvent"]["attempts"]
    assert got == []
    assert seen[0]["responseStatusCode"] == 0
    assert "--allow-local-webhooks" in capsys.readouterr().err


def test_redirects_are_not_followed() -> None:
    options = manual_options(allow_local_webhooks=True)
    with (
        receiver([302, 302, 302, 302], "http://127.0.0.1:{port}/inner") as (url, got),
        EmulatorThread(options) as emulator,
        contract.client(emulator.url) as api,
    ):
        base = "/projects/proj_default/webhook-endpoints"
        api.post(base, json={"url": url, "enabledEvents": ["model.training.started"]})
        api.put(f"/models/{with_images(api)}/train", json={})
        wait_for(lambda: api.get(base).json()["webhookEndpoints"][0]["nbFailedCalls"] >= 2)
    assert {headers[":path"] for headers, _ in got} == {"/hook"}
