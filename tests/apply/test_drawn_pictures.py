"""drawn_pictures.py: what is drawn is downloaded, hashed and kept small beside the manifest, and nothing else is."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Mapping, Sequence
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image, ImageDraw

from scenario_apply.api.rate.budget import RequestBudget
from scenario_apply.apply.drawn_pictures import SampleLooker
from scenario_apply.apply.signed_pictures import SignedSource
from scenario_apply.dataset.scan.sample_thumbnails import MOST_BYTES, MOST_SIDE, read_sample_thumbnails
from scenario_apply.dataset.scan.thumbnails import Shown, Thumbnail
from scenario_apply.dataset.scan.web_files import WebReader
from scenario_apply.errors import ApplyError, Interrupted
from scenario_apply.model.remote import AssetId
from scenario_apply.model.remote_pictures import PictureAsset
from scenario_apply.model.remote_urls import NO_REMOTE
from scenario_apply.model.secret import Secret
from scenario_apply.state.state import DrawnPicture
from scenario_apply.state.stores.sample_store import SampleStore
from tests.fakes.clock import FakeClock

FOX, HEN, GONE, ELSEWHERE = (AssetId(name) for name in ("fox", "hen", "gone", "elsewhere"))


def drawn(number: int) -> bytes:
    image = Image.new("RGB", (640, 480), (200, 180, 40 * number))
    ImageDraw.Draw(image).ellipse((60 * number, 80, 60 * number + 200, 400), fill="navy")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class Service:
    """PictureApi. asked: how many assets each request asks for."""

    base_url = "https://api.cloud.scenario.com/v1"

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.bytes = {FOX: drawn(1), HEN: drawn(2)}

    def get_models(self, *_: object) -> Any:
        raise AssertionError

    get_model = get_models

    def get_assets(self, ids: Sequence[AssetId]) -> Mapping[AssetId, PictureAsset]:
        self.asked.append(len(ids))
        hosts = {one: "evil.example" if one == ELSEWHERE else "cdn.cloud.scenario.com" for one in ids if one != GONE}
        return {
            one: PictureAsset(one, Secret(f"https://{host}/{one}?Signature=hunter2")) for one, host in hosts.items()
        }


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()

    def fetch(self: object, url: str, tag: str, sink: Any, most: int) -> None:
        assert "evil" not in url
        name = AssetId(url.partition("?")[0].rpartition("/")[2])
        sink.write(made.bytes.get(name, b"no picture"))

    monkeypatch.setattr(WebReader, "fetch", fetch)
    return made


def looker(service: Service, root: Path) -> SampleLooker:
    return SampleLooker(SignedSource(service, NO_REMOTE), SampleStore(str(root)))


def _copy(root: Path, digest: str) -> Shown:
    return read_sample_thumbnails(str(root), [digest], most_bytes=MOST_BYTES, most_in_all=MOST_BYTES)[digest]


def files(root: Path) -> list[str]:
    return sorted(os.listdir(root / ".scenario" / "samples"))


def test_a_picture_is_recorded_with_its_digest_its_hash_and_a_small_copy(service: Service, tmp_path: Path) -> None:
    seen = looker(service, tmp_path)([FOX, HEN])
    assert service.asked == [2]
    assert [one.sha256 for one in seen.values()] == [sha256(service.bytes[one]).hexdigest() for one in (FOX, HEN)]
    fox, hen = seen[FOX], seen[HEN]
    assert (fox.asset_id, len(fox.dhash or "")) == (FOX, 32)
    assert fox.dhash != hen.dhash
    assert files(tmp_path) == sorted(f"{one.thumbnail}.webp" for one in (fox, hen))
    shown = _copy(tmp_path, fox.thumbnail or "")
    assert isinstance(shown, Thumbnail)
    assert (max(shown.width, shown.height), len(shown.data) <= MOST_BYTES) == (MOST_SIDE, True)
    assert (tmp_path / ".scenario" / ".gitignore").read_text().endswith("*\n")


def test_what_cannot_be_had_is_left_out_and_no_foreign_host_is_asked(service: Service, tmp_path: Path) -> None:
    seen = looker(service, tmp_path)([GONE, FOX, ELSEWHERE, AssetId("text")])
    assert [*seen] == [FOX]
    with pytest.raises(ApplyError, match="lies on evil") as caught:
        looker(service, tmp_path)([ELSEWHERE, GONE])
    assert "SCENARIO_APPLY_ALLOW_REMOTE=https://evil.example/" in caught.value.message
    assert "hunter2" not in str(caught.value)
    assert looker(service, tmp_path)([]) == {}


def test_addresses_are_asked_for_in_few_requests(service: Service, tmp_path: Path) -> None:
    many = [AssetId(f"text{n}") for n in range(130)]
    assert [*looker(service, tmp_path)([FOX, *many])] == [FOX]
    assert service.asked == [64, 64, 3]


def test_a_copy_that_is_missing_or_was_changed_is_put_back(service: Service, tmp_path: Path) -> None:
    look = looker(service, tmp_path)
    fox = look([FOX])[FOX]
    [name] = files(tmp_path)
    path = tmp_path / ".scenario" / "samples" / name
    content = path.read_bytes()
    assert look.restore([fox]) == {}
    assert service.asked == [1], "what is there is not downloaded"
    for spoil in (path.unlink, lambda: path.write_bytes(b"changed")):
        spoil()
        assert look.restore([fox]) == {}
        assert path.read_bytes() == content


def test_other_bytes_than_those_that_were_drawn_are_not_put_back(service: Service, tmp_path: Path) -> None:
    look = looker(service, tmp_path)
    fox = look([FOX])[FOX]
    (tmp_path / ".scenario" / "samples" / f"{fox.thumbnail}.webp").unlink()
    service.bytes[FOX] = drawn(3)
    assert "other bytes" in look.restore([fox])[FOX].why
    assert files(tmp_path) == []
    never = DrawnPicture(asset_id=HEN)
    assert look.restore([never]) == {}, "one that was never downloaded has no copy that could be missing"


def test_nothing_is_written_through_a_link(service: Service, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / ".scenario").mkdir(parents=True)
    outside.mkdir()
    (root / ".scenario" / "samples").symlink_to(outside)
    with pytest.raises(ApplyError, match="samples"):
        looker(service, root)([FOX])
    assert os.listdir(outside) == []


def test_a_run_that_is_interrupted_does_not_wait_for_pictures(service: Service, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    check = RequestBudget(0, FakeClock(), cancel).stop_if_cancelled
    look = SampleLooker(SignedSource(service, NO_REMOTE, check), SampleStore(str(tmp_path)))
    with pytest.raises(Interrupted):
        look([FOX, HEN])


class Redirecting(BaseHTTPRequestHandler):
    """Leads to another host."""

    def do_GET(self) -> None:
        asked = cast("list[str]", self.server.asked)  # type: ignore[attr-defined]
        asked.append(self.path)
        self.send_response(302)
        self.send_header("Location", "https://evil.example/fox")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing on stderr."""


def test_a_redirect_leads_to_no_foreign_host(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        asked: list[str] = []
        server.asked = asked  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        near = Service()
        near.base_url = f"http://127.0.0.1:{server.server_port}/v1"
        fox = PictureAsset(FOX, Secret(f"http://127.0.0.1:{server.server_port}/fox?Signature=hunter2"))
        near.get_assets = lambda ids: {FOX: fox}  # type: ignore[method-assign]
        with pytest.raises(ApplyError, match=r"evil\.example, which is no host of the service") as caught:
            looker(near, tmp_path)([FOX])
        server.shutdown()
    assert asked == ["/fox?Signature=hunter2"]
    assert "hunter2" not in caught.value.message
