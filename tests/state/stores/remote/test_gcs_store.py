"""state.stores.remote.object_backend on Google Cloud Storage: a small one of ours, behind a proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.fakes.faulty_proxy import faulty_proxy
from tests.fakes.google_storage import google_storage
from tests.state.stores.remote.object_suite import ObjectSuite, Place


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    with google_storage("states") as server, faulty_proxy(server) as proxy:
        account = {"client_email": "a@b", "private_key": "k", "private_key_id": "k", "disable_oauth": True}
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
        monkeypatch.setenv("GOOGLE_BASE_URL", proxy.url)
        yield Place("gs://states", proxy, "NoSuchBucket")


class TestGcs(ObjectSuite):
    """The suite of all object stores. A hundred contenders meet on S3."""

    most_contenders = 10


def test_the_same_bytes_written_twice_are_two_versions(place: Place) -> None:
    """Their ETags are one; the generation tells them apart."""
    backend = place.backend()
    first = backend.write(b"{1}", replacing=None)
    second = backend.write(b"{2}", replacing=first)
    third = backend.write(b"{1}", replacing=second)
    assert third.partition(" ")[0] == first.partition(" ")[0]
    assert third != first
