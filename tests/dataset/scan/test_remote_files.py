"""dataset.scan.remote_files: a dataset in a bucket is the dataset that it would be in a folder, for one listing."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from errno import ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import Any

import obstore
import pytest
import requests
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

from scenario_apply.dataset.scan import remote_files
from scenario_apply.dataset.scan.object_stores import BucketReader
from scenario_apply.dataset.scan.remote_files import RemoteFiles
from scenario_apply.dataset.scan.remote_objects import RemoteFailed
from scenario_apply.dataset.scan.scan_all import read_for_upload
from scenario_apply.dataset.scan.virtual_files import VirtualFiles
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ManifestError
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess
from tests.dataset.build import PLACE, picture, spec_from
from tests.dataset.scan.test_scanner import codes, make, scan_one

ALL = RemoteAccess(everything=True)
SECRET = "a-secret-that-nobody-sees"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """An empty bucket named sets, in a store that the environment names."""
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    requests.put(f"{endpoint}/sets", timeout=10)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ALLOW_HTTP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return S3Store("sets", client_options={"allow_http": True})


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the objects whose bytes were fetched."""
    seen: list[str] = []
    fetch = BucketReader.fetch

    def counted(self: BucketReader, key: str, *rest: Any) -> None:
        seen.append(key)
        fetch(self, key, *rest)

    monkeypatch.setattr(BucketReader, "fetch", counted)
    return seen


def sum_of(body: bytes) -> str:
    return b64encode(sha256(body).digest()).decode()


def put_folder(bucket: S3Store, folder: Path, prefix: str = "kael") -> None:
    for path in sorted(folder.iterdir()):
        obstore.put(bucket, f"{prefix}/{path.name}", path.read_bytes())


def scanned(root: Path, remote: RemoteAccess = ALL, *, deep: bool = False, **fields: Any) -> Dataset:
    return scan_one(root, spec_from({"images": ["s3://sets/kael"], **fields}), remote=remote, deep=deep)


def test_a_bucket_is_read_like_a_folder(tmp_path: Path, bucket: S3Store) -> None:
    """Pictures and sidecars below the prefix; hidden files, junk and what only begins with its name are left out."""
    put_folder(bucket, make(tmp_path))
    for key in ("kael/.hidden.png", "kael/__MACOSX/x.png", "kael-2/9.png", "kael/more/8.png"):
        obstore.put(bucket, key, picture(seed=9))
    found = scanned(tmp_path)
    assert found.digest == scan_one(tmp_path, spec_from({"images": ["./set"]})).digest
    assert found.contents.images[0].file == "s3://sets/kael/0.png"
    assert codes(found) == {"N08"}
    assert scanned(tmp_path, recursive=True).image_count == 6
    assert scanned(tmp_path, images=["s3://sets/kael/[0-2].png", "s3://sets/kael/4.png"]).image_count == 4


def test_a_warm_scan_costs_a_listing(tmp_path: Path, bucket: S3Store, fetched: list[str]) -> None:
    """And after a change, the pictures with a new ETag are fetched; nothing is fetched twice in a run."""
    put_folder(bucket, make(tmp_path))
    first = scanned(tmp_path)
    assert sorted(fetched) == sorted(f"kael/{n}.{kind}" for n in range(5) for kind in ("png", "txt"))
    fetched.clear()
    assert scanned(tmp_path).digest == first.digest
    assert fetched == []
    obstore.put(bucket, "kael/2.png", picture(seed=7))
    assert scanned(tmp_path).digest != first.digest
    assert [key for key in fetched if key.endswith(".png")] == ["kael/2.png"]


def test_folders_and_buckets_mix(tmp_path: Path, bucket: S3Store) -> None:
    """The paths of pictures say where they are from."""
    put_folder(bucket, make(tmp_path))
    found = scanned(tmp_path, images=["./set", "s3://sets/kael"], lint={"D01": "off"})
    paths = [image.path for image in found.contents.images]
    assert paths == [f"{place}/{at}.png" for place in ("set", "sets/kael") for at in range(5)]


def test_a_moved_picture_is_known_by_the_checksum_of_its_store(
    tmp_path: Path, bucket: S3Store, endpoint: str, fetched: list[str]
) -> None:
    """Which S3 keeps where the uploader asked for SHA-256. Another picture is fetched."""
    put_folder(bucket, make(tmp_path))
    first = scanned(tmp_path, deep=True)
    bodies = {f"{at} é.png": (tmp_path / "set" / f"{at}.png").read_bytes() for at in range(4)}
    for name, body in {**bodies, "4.png": picture(seed=9)}.items():
        checksum = {"x-amz-sdk-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": sum_of(body)}
        requests.put(f"{endpoint}/sets/moved/{name}", body, headers=checksum, timeout=10)
    fetched.clear()
    moved = scanned(tmp_path, deep=True, images=["s3://sets/moved"])
    assert fetched == ["moved/4.png"]
    old, new = ({image.sha256 for image in found.contents.images} for found in (first, moved))
    assert len(old & new) == 4


def test_nothing_is_asked_without_consent(tmp_path: Path, bucket: S3Store, fetched: list[str]) -> None:
    """And what was read with consent is not read again because of a run without it."""
    put_folder(bucket, make(tmp_path))
    scanned(tmp_path)
    fetched.clear()
    refused = scanned(tmp_path, NO_REMOTE)
    assert [problem.severity for problem in refused.problems if problem.code == "remote-dataset"] == ["error"]
    assert scanned(tmp_path, RemoteAccess(prefixes=("s3://sets/kael",))).image_count == 5
    assert [key for key in fetched if key.endswith(".png")] == []


def test_consent_to_one_folder_is_none_to_another(tmp_path: Path, bucket: S3Store) -> None:
    put_folder(bucket, make(tmp_path))
    assert "remote-dataset" in codes(scanned(tmp_path, RemoteAccess(prefixes=("s3://sets/other",))))
    with pytest.raises(RemoteFailed, match="may not be read"):
        RemoteFiles(NO_REMOTE).open("s3://sets/kael/0.png")


def test_an_upload_fetches_the_bytes_and_checks_them(tmp_path: Path, bucket: S3Store) -> None:
    put_folder(bucket, make(tmp_path))
    image = scanned(tmp_path).contents.images[1]
    body = (tmp_path / "set" / "1.png").read_bytes()
    assert read_for_upload(str(tmp_path), image, virtual=VirtualFiles(ALL)) == body
    obstore.put(bucket, "kael/1.png", picture(seed=8))
    with pytest.raises(ManifestError) as caught:
        read_for_upload(str(tmp_path), image, virtual=VirtualFiles(ALL))
    assert caught.value.code == "image-changed"
    with pytest.raises(ManifestError, match="may not be read"):
        read_for_upload(str(tmp_path), image)


def test_captions_may_come_from_a_bucket_and_pairs_too(tmp_path: Path, bucket: S3Store) -> None:
    make(tmp_path)
    rows = "file_name,text\n" + "".join(f"{n}.png,the long road number {n} to somewhere\n" for n in range(5))
    obstore.put(bucket, "texts/captions.csv", rows.encode())
    found = scanned(tmp_path, images=["./set"], captions="s3://sets/texts/captions.csv")
    assert found.contents.images[4].caption == "the long road number 4 to somewhere"
    missing = scanned(tmp_path, images=["./set"], captions="s3://sets/texts/none.csv")
    assert "C18" in codes(missing)
    put_folder(bucket, tmp_path / "set", "before")
    for at in range(5):
        obstore.put(bucket, f"after/{at}.png", picture(seed=at + 20))
    sides: dict[str, Any] = {"before": "s3://sets/before", "after": "s3://sets/after"}
    assert scanned(tmp_path, images=(), instruction="make it rain", **sides).pair_count == 5


@pytest.mark.parametrize(
    ("url", "said"), [("s3://nobody/kael", "NoSuchBucket"), ("s3://sets/nothing", "does not exist")]
)
def test_what_a_store_does_not_have_is_named(tmp_path: Path, bucket: S3Store, url: str, said: str) -> None:
    """At its place in the manifest, and without anything of the store's settings."""
    texts: list[str | None] = []
    with suppress(ManifestError):
        texts += [problem.message for problem in scanned(tmp_path, images=[url]).problems]
    if not texts:
        with pytest.raises(ManifestError) as caught:
            scanned(tmp_path, images=[url])
        texts += [caught.value.message, caught.value.problems[0].hint]
        assert caught.value.problems[0].location == PLACE
    assert said in (texts[0] or "")
    assert SECRET not in str(texts)


def test_a_listing_without_end_is_cut_off(tmp_path: Path, bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put_folder(bucket, make(tmp_path))
    monkeypatch.setattr(remote_files, "MOST_OBJECTS", 3)
    with pytest.raises(ManifestError, match="more than 3 objects"):
        scanned(tmp_path)


def test_what_is_kept_in_a_run_is_bounded(
    tmp_path: Path, bucket: S3Store, monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    """The oldest copies go first, and are fetched again when they are needed."""
    monkeypatch.setattr(remote_files, "_MOST_KEPT_BYTES", 5)
    for at in range(3):
        obstore.put(bucket, f"{at}.txt", b"four")
    files = RemoteFiles(ALL)
    for at in (0, 1, 1, 2, 0):
        with open(files.open(f"s3://sets/{at}.txt"), "rb") as opened:
            assert opened.read() == b"four"
    assert fetched == ["0.txt", "1.txt", "2.txt", "0.txt"]


def test_a_full_disk_is_named(bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder that is full."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    with pytest.raises(RemoteFailed, match="No space left") as caught:
        RemoteFiles(ALL).open("s3://sets/1.txt")
    assert "TMPDIR" in (caught.value.problems[0].hint or "")


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(ManifestError) as caught:
        scanned(tmp_path)
    assert "scenario-apply[remote]" in (caught.value.problems[0].hint or "")


def test_an_endpoint_elsewhere_must_be_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example:9000")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
    with pytest.raises(RemoteFailed, match="not encrypted"):
        next(BucketReader("s3://sets", ALL).below(""))
