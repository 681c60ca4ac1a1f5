"""state.stores.remote.object_backend on S3: moto's server behind a proxy that goes wrong on request."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import obstore
import pytest
import requests
from moto.server import ThreadedMotoServer
from obstore.exceptions import GenericError

from scenario_apply.state.stores.remote import object_access, object_requests
from scenario_apply.state.stores.remote.backend import StoreUnavailable
from scenario_apply.state.stores.remote.object_access import may_pass, reason
from tests.fakes.clock import FakeClock
from tests.fakes.faulty_proxy import Fault, faulty_proxy
from tests.state.stores.remote.contract_suite import holder
from tests.state.stores.remote.object_suite import SECRET, STATE, ObjectSuite, Place

if TYPE_CHECKING:
    from obstore import GetResult

DENIED = b"<Error><Code>AccessDenied</Code><Message>text</Message></Error>"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    host, port = started.get_host_and_port()
    yield f"http://{host}:{port}"
    started.stop()


@pytest.fixture
def place(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    requests.post(f"{server}/moto-api/reset", timeout=10)
    requests.put(f"{server}/states", timeout=10)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ALLOW_HTTP", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with faulty_proxy(server) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield Place("s3://states", proxy, "NoSuchBucket")


class TestS3(ObjectSuite):
    """The suite of all object stores."""

    @pytest.fixture
    def directly(self, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server)

    @pytest.mark.usefixtures("directly")
    def test_of_many_contenders_one_holds_it_at_a_time(self) -> None:
        """A hundred, without the proxy."""
        super().test_of_many_contenders_one_holds_it_at_a_time()


def test_requests_are_as_few_as_promised(place: Place) -> None:
    """Each of them is paid for."""
    backend = place.backend()
    assert place.requests(backend.read) == ["GET"]
    assert place.requests(lambda: backend.write(b"{1}", replacing=None)) == ["PUT"]
    leases = []
    take = place.requests(lambda: leases.append(backend.acquire(holder())))
    assert take[0] in ("POST", "DELETE")  # of nothing
    assert take[1:] == ["PUT", "PUT", "PUT", "HEAD", "PUT"]  # two that must be refused; the machine's clock is wrong
    assert place.requests(lambda: backend.renew(leases[0])) == ["PUT"]
    assert place.requests(lambda: backend.release(leases[0])) in (["PUT", "POST"], ["PUT", "DELETE"])
    assert place.requests(lambda: backend.acquire(holder())) == ["PUT", "HEAD"]
    assert place.requests(lambda: backend.keep_backup(1, b"{1}")) == ["PUT", "GET"]
    assert place.requests(lambda: backend.keep_backup(2, b"{2}")) == ["PUT"]
    assert place.requests(lambda: backend.put_call("a", b"{}", is_new=True)) == ["PUT"]


@pytest.mark.parametrize("header", ["if-match", "if-none-match"])
def test_a_store_that_ignores_conditions_keeps_no_lease(place: Place, header: str) -> None:
    """Two runs would hold it, and pay twice; nothing is left there."""
    place.proxy.hidden = (header,)
    with pytest.raises(StoreUnavailable, match="ignores If-Match"):
        place.backend().acquire(holder())
    assert place.keys() == set()


def test_credentials_that_may_not_delete_are_refused_before_anything_is_paid(place: Place) -> None:
    """No lease is left behind, which could not be given up."""
    place.proxy.faults += [Fault("refused", method, "", 403, DENIED) for method in ("POST", "DELETE")]
    with pytest.raises(StoreUnavailable, match=r"cannot be deleted: AccessDenied \(status 403\)"):
        place.backend().acquire(holder())
    assert place.keys() == set()


def test_a_refusal_inside_the_answer_to_a_bulk_delete_is_understood() -> None:
    """S3 answers 200, and says in it which objects stayed."""
    refused = GenericError(f"DeleteObjects request failed for key team/kael.lock: {SECRET} (code: AccessDenied)")
    slow = GenericError("DeleteObjects request failed for key team/kael.lock: text (code: SlowDown)")
    assert (reason(refused), may_pass(refused)) == ("AccessDenied", False)
    assert (reason(slow), may_pass(slow)) == ("SlowDown", True)


def test_a_store_that_does_not_answer_can_be_left_with_ctrl_c(place: Place) -> None:
    """The main thread takes the signal while the request still waits."""
    left: list[bool] = []
    over = threading.Event()

    def hang() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        left.append(over.wait(20))

    place.proxy.held_up, place.proxy.meanwhile = ("GET", STATE), hang
    with pytest.raises(KeyboardInterrupt):
        place.backend().read()
    assert left == []
    over.set()


def test_a_store_that_accepts_and_does_not_answer_is_given_up_soon(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one request of eight seconds, so that a command ends within ten."""
    backend, over = place.backend(), threading.Event()
    clock = backend._lease._clock
    assert isinstance(clock, FakeClock)
    assert object_requests._ANSWER_S == 8
    monkeypatch.setattr(object_requests, "_ANSWER_S", 0.2)

    def hang() -> None:
        clock.advance(8)
        over.wait(20)

    place.proxy.held_up, place.proxy.meanwhile = ("GET", STATE), hang
    with pytest.raises(StoreUnavailable, match="it does not answer"):
        backend.read()
    over.set()
    assert len(place.proxy.seen) <= 1  # the proxy counts it once it goes on


def test_a_large_state_gets_the_time_that_it_needs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that begins and does not end in time is asked for again, with more time."""
    times: list[float] = []
    asked: list[object] = []
    open_bucket, get = object_access.open_bucket, obstore.get

    class Cut:
        def __init__(self, answer: GetResult) -> None:
            self.meta = answer.meta

        def bytes(self) -> None:
            raise GenericError("HTTP error: request or response body error")

    def opened(url: str, **options: Any) -> Any:
        times.append(options["timeout_s"])
        return open_bucket(url, **options)

    def answered(store: Any, key: str) -> Any:
        asked.append(store)
        return Cut(get(store, key)) if len(asked) == 1 else get(store, key)

    place.backend().write(b"x" * 600_000, replacing=None)
    monkeypatch.setattr(object_requests, "open_bucket", opened)
    monkeypatch.setattr(obstore, "get", answered)
    stored = place.backend().read()
    assert stored is not None
    assert (len(stored.content), len(asked), times) == (600_000, 2, [8, 24])


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        ("InvalidAccessKeyId", 403, "AWS_ACCESS_KEY_ID"),
        ("RequestTimeTooSkewed", 403, "set this machine's clock"),
        ("ExpiredToken", 400, "renew them"),
        ("PermanentRedirect", 301, "AWS_REGION"),
        ("NotImplemented", 501, "conditional writes"),
        ("AuthorizationHeaderMalformed", 400, "AWS_REGION"),
    ],
)
def test_a_refusal_names_what_to_check(place: Place, code: str, status: int, hint: str) -> None:
    place.proxy.faults.append(Fault("refused", "GET", STATE, status, f"<Error><Code>{code}</Code></Error>".encode()))
    with pytest.raises(StoreUnavailable) as caught:
        place.backend().read()
    assert hint in (caught.value.problems[0].hint or "")
    assert len(place.proxy.seen) == 1


def test_without_credentials_it_says_so_at_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own credentials are asked for once, and what answers there is not taken for the store."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", place.proxy.url)
    monkeypatch.setenv("HOME", "/nonexistent")
    place.proxy.faults.append(Fault("refused", "PUT", "/latest/api/token", 403, times=9))
    with pytest.raises(StoreUnavailable, match="there are no credentials for it") as caught:
        place.backend().read()
    assert "export-credentials" in (caught.value.problems[0].hint or "")
    assert place.proxy.seen == ["PUT /latest/api/token"]


def test_a_store_that_nobody_serves_is_given_up_soon(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five attempts in three seconds."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    backend = place.backend()
    with pytest.raises(StoreUnavailable, match="it does not answer"):
        backend.read()
    clock = backend._lease._clock
    assert clock.monotonic() == pytest.approx(3)


def test_an_endpoint_without_encryption_needs_consent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example")
    with pytest.raises(StoreUnavailable, match="its endpoint is not encrypted") as caught:
        place.backend().read()
    assert "--allow-http" in (caught.value.problems[0].hint or "")
