"""state.stores.remote.object_backend on Azure: Microsoft's own emulator, Azurite, behind a proxy; `make azurite`."""

from __future__ import annotations

import hmac
import os
import re
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path

import pytest
import requests

from scenario_apply.state.stores.remote.backend import StoreUnavailable
from tests.fakes.faulty_proxy import faulty_proxy
from tests.state.stores.remote.object_suite import SECRET, ObjectSuite, Place

AZURITE = Path(__file__).parents[4] / "build/azurite/node_modules/azurite/dist/src/blob/main.js"
NODE = shutil.which("node")
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Every emulator's, and in Microsoft's documentation."""
PORT = re.compile(r"listens on (http://127\.0\.0\.1:\d+)")

pytestmark = pytest.mark.skipif(
    NODE is None or not AZURITE.is_file(), reason="Azurite is not installed: make azurite (needs npm)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    options = ("--disableTelemetry", "--inMemoryPersistence", "--skipApiVersionCheck", "--loose", "--silent")
    command = [str(NODE), str(AZURITE), "--blobHost", "127.0.0.1", "--blobPort", "0", *options]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path_factory.mktemp("azurite")
    ) as process:
        assert process.stdout is not None
        found = next(filter(None, map(PORT.search, process.stdout)), None)
        assert found is not None, "Azurite ended before it listened"
        yield found[1]
        process.terminate()


@pytest.fixture
def place(server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
    container = f"test-{sha256(request.node.nodeid.encode()).hexdigest()[:16]}"
    make_container(server, container)
    with faulty_proxy(server) as proxy:
        monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", proxy.url)
        yield Place(f"az://{container}", proxy, "ContainerNotFound")


def make_container(server: str, name: str) -> None:
    """As Azure's own tools do it. Source: "Authorize with Shared Key"."""
    sent = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    lines = ["PUT", *[""] * 11, *(f"{key}:{value}" for key, value in sorted(sent.items()))]
    text = "\n".join([*lines, f"/{ACCOUNT}/{ACCOUNT}/{name}", "restype:container"])
    signature = b64encode(hmac.new(b64decode(KEY), text.encode(), sha256).digest()).decode()
    headers = {**sent, "Authorization": f"SharedKey {ACCOUNT}:{signature}"}
    requests.put(f"{server}/{ACCOUNT}/{name}?restype=container", headers=headers, timeout=10).raise_for_status()


class TestAzure(ObjectSuite):
    """The suite of all object stores. A hundred contenders meet on S3."""

    most_contenders = 10


def test_a_wrong_key_is_refused_and_not_shown(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", SECRET)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{place.proxy.url}/{ACCOUNT}")
    monkeypatch.delenv("AZURE_STORAGE_USE_EMULATOR")
    with pytest.raises(StoreUnavailable, match=r"AuthorizationFailure \(status 403\)") as caught:
        place.backend().read()
    assert SECRET not in repr(caught.value.problems)
    assert "AZURE_STORAGE_ACCOUNT_KEY" in (caught.value.problems[0].hint or "")


def test_without_an_account_it_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_USE_EMULATOR")
    with pytest.raises(StoreUnavailable, match="cannot be opened: its account is not set"):
        place.backend().read()
    assert place.proxy.seen == []
