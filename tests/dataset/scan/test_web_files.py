"""dataset.scan.web_files: files of web servers are read, and no address that a manifest must not reach."""

from __future__ import annotations

import io
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scenario_apply.dataset.scan.remote_objects import RemoteChanged, RemoteFailed
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.errors import ManifestError
from scenario_apply.model.remote_urls import RemoteAccess
from tests.api.servers import answering, serving
from tests.dataset.build import picture, spec_from
from tests.dataset.scan.test_scanner import codes, scan_one

FILES: dict[str, bytes] = {f"/set/{at}.png": picture(seed=at) for at in range(5)}
FILES["/texts.csv"] = b"file_name,text\n" + b"".join(b"%d.png,the long road number %d\n" % (at, at) for at in range(5))
REDIRECTS = {"/near": "/texts.csv", "/loop": "/loop", "/metadata": "http://169.254.169.254/latest", "/file": "file:///"}
REDIRECTS["/other"] = "http://localhost:9/set"
REDIRECTS["/odd"] = "http://[::1"


class _Handler(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(f"{self.command} {self.path}")
        if self.path in REDIRECTS:
            self.send_response(302)
            self.send_header("Location", REDIRECTS[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/busy":
            self.send_response(503)
            self.send_header("Retry-After", "3600")
            self.end_headers()
            return
        body = FILES.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("ETag", f'"{hash(body)}"')
        self.end_headers()
        if body is not None and self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def site(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    handler = type("Handler", (_Handler,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def access(site: str) -> RemoteAccess:
    return RemoteAccess(prefixes=(site,), allow_http=True)


def fetched(site: str, path: str) -> bytes:
    out = io.BytesIO()
    WebReader(access(site)).fetch(site + path, "", out, 1 << 20)
    return out.getvalue()


def test_pictures_and_a_table_of_a_web_server_are_a_dataset(tmp_path: Path, site: str, asked: list[str]) -> None:
    """Each is asked for once more in a warm scan, and not fetched."""
    spec = spec_from({"images": [f"{site}/set/{at}.png" for at in range(5)], "captions": f"{site}/texts.csv"})
    first = scan_one(tmp_path, spec, remote=access(site))
    assert first.contents.images[3].caption == "the long road number 3"
    assert not codes(first) & {"F01", "C01", "C18"}
    asked.clear()
    assert scan_one(tmp_path, spec, remote=access(site)).digest == first.digest
    assert sorted(asked) == sorted(f"HEAD {path}" for path in FILES)


def test_a_folder_of_a_web_server_cannot_be_listed(tmp_path: Path, site: str) -> None:
    found = scan_one(tmp_path, spec_from({"images": [f"{site}/set"]}), remote=access(site))
    assert "N01" in codes(found)


def test_a_redirect_is_followed(site: str) -> None:
    """To a public address, or to one that the caller named, as here."""
    assert fetched(site, "/near") == FILES["/texts.csv"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/metadata", "never read"),
        ("/file", "something other than a web server"),
        ("/odd", "something other than a web server"),
        ("/other", "not public"),
        ("/none", "No such"),
        ("/loop", "more than 5 times"),
    ],
)
def test_where_a_redirect_may_not_lead(site: str, path: str, said: str) -> None:
    with pytest.raises((RemoteFailed, FileNotFoundError), match=said):
        fetched(site, path)


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        (RemoteAccess(everything=True), "not encrypted"),
        (RemoteAccess(everything=True, allow_http=True), "not public"),
    ],
)
def test_private_and_unencrypted_addresses_need_consent_of_their_own(
    site: str, asked: list[str], allowed: RemoteAccess, said: str
) -> None:
    with pytest.raises(RemoteFailed, match=said):
        WebReader(allowed).stat(f"{site}/texts.csv")
    assert asked == []


NEVER_READ = ["169.254.169.254", "[fe80::1]", "0.0.0.0", "168.63.129.16", "192.0.0.192", "100.100.100.200"]
NEVER_READ += ["[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]"]
NEVER_READ += ["[::a9fe:a9fe]", "[::ffff:0:a9fe:a9fe]", "2852039166"]


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"])
@pytest.mark.parametrize("host", NEVER_READ)
def test_some_addresses_are_never_read(monkeypatch: pytest.MonkeyPatch, host: str, proxy: str) -> None:
    """Those of the metadata services of clouds, also by IPv6 addresses that lead there, even if the caller names them.

    Nor is a proxy asked for them.
    """
    monkeypatch.setenv("http_proxy", proxy)
    url = f"http://{host}/latest"
    with pytest.raises(RemoteFailed, match="never read"):
        WebReader(RemoteAccess(prefixes=(url,), allow_http=True)).stat(url)


def test_a_file_that_changed_or_is_too_large_is_not_read(site: str) -> None:
    reader = WebReader(access(site))
    with pytest.raises(RemoteChanged):
        reader.fetch(f"{site}/texts.csv", '"other"', io.BytesIO(), 1 << 20)
    with pytest.raises(RemoteFailed, match="more than"):
        reader.fetch(f"{site}/texts.csv", "", io.BytesIO(), 5)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    spec = spec_from({"images": ["http://127.0.0.1:9/1.png"]})
    with pytest.raises(ManifestError, match="does not answer") as caught:
        scan_one(tmp_path, spec, remote=access("http://127.0.0.1:9"))
    assert caught.value.code == "remote"


def test_certificates_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(RemoteFailed, match="REQUESTS_CA_BUNDLE"):
        WebReader(RemoteAccess(everything=True))


def test_a_server_does_not_say_how_long_to_wait(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    with pytest.raises(RemoteFailed, match="status 503"):
        fetched(site, "/busy")
    assert sum(waited) < 5


def test_an_answer_has_one_deadline(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly its bytes drip; here it has passed already."""
    monkeypatch.setattr("scenario_apply.dataset.scan.web_files._LONGEST_HEAD_S", 0)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(RemoteFailed, match="does not answer"):
        WebReader(access(site)).stat(f"{site}/texts.csv")


@pytest.mark.parametrize("size", ["\xb2", "9" * 5000, "-1"])
def test_a_size_that_is_no_number_is_not_known(site: str, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    plain = BaseHTTPRequestHandler.send_header
    monkeypatch.setattr(
        _Handler, "send_header", lambda self, key, value: plain(self, key, size if key == "Content-Length" else value)
    )
    found = WebReader(access(site)).stat(f"{site}/texts.csv")
    assert found is not None
    assert found.size == 0


def test_a_proxy_that_cannot_be_used_is_not_shown(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://user:hunter2@proxy.example")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(RemoteFailed, match="proxy") as caught:
        WebReader(RemoteAccess(prefixes=("http://data.example/a.png",), allow_http=True)).stat(
            "http://data.example/a.png"
        )
    assert "hunter2" not in str(caught.value)


def test_signed_addresses_are_not_shown_and_no_login_is_sent() -> None:
    """Of an address that a service signed, messages name the host; the request holds nothing but a path and a name."""
    seen: list[bytes] = []
    with serving(answering(b"no", "404 Not Found", seen=seen), answering(b"no", "500 Oops", seen=seen)) as url:
        here = RemoteAccess(everything=True, prefixes=(url,), allow_http=True)
        reader = WebReader(here, is_signed=True)
        with pytest.raises(FileNotFoundError):
            reader.fetch(f"{url}/a?signature=s3cret", "", io.BytesIO(), 1000)
        with pytest.raises(RemoteFailed) as failed:
            reader.fetch(f"{url}/a?signature=s3cret", "", io.BytesIO(), 1000)
    assert "s3cret" not in failed.value.message
    assert b"signature=s3cret" in seen[0]
    assert b"authorization" not in b"".join(seen).lower()


def test_a_redirect_to_a_host_that_may_not_be_asked_is_not_followed(site: str, asked: list[str]) -> None:
    """For addresses of a service: a redirect leads no further than they themselves may."""
    reader = WebReader(access(site), is_signed=True, may_ask=lambda url: "texts" not in url)
    with pytest.raises(RemoteFailed, match="no host of the service"), reader.opened(f"{site}/near", {}):
        pass
    assert asked == ["GET /near"]
    with reader.opened(f"{site}/texts.csv", {"Range": "bytes=1-"}) as answer:
        assert answer.read() == FILES["/texts.csv"]
