"""dataset.scan.virtual_files: a dataset in a zip file is the dataset that it would be in a folder."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.scan.caption_places import caption_places
from scenario_apply.dataset.scan.scan_all import read_for_upload
from scenario_apply.dataset.types import Dataset
from scenario_apply.errors import ManifestError
from tests.dataset.build import spec_from
from tests.dataset.scan.test_scanner import codes, make, scan_one


def zipped(root: Path, name: str = "set.zip", top: str = "", more: dict[str, bytes] | None = None) -> None:
    """The folder root/set as a zip file beside it; root/set is gone afterwards."""
    files = {
        path.relative_to(root / "set").as_posix(): path.read_bytes() for path in sorted((root / "set").rglob("*.*"))
    }
    with zipfile.ZipFile(root / name, "w") as made:
        for file, data in (files | (more or {})).items():
            made.writestr(top + file, data)
    os.utime(root / name, (1e9, 1e9))


def scanned(root: Path, **fields: Any) -> Dataset:
    return scan_one(root, spec_from(fields))


@pytest.mark.parametrize("top", ["", "my set/", "a/b/"])
def test_a_zip_is_read_like_its_folder(tmp_path: Path, top: str) -> None:
    """Also when everything in it lies in one folder, as zip programs like to have it."""
    folder = scanned((make(tmp_path), tmp_path)[1], images=["./set"])
    zipped(tmp_path, top=top)
    found = scanned(tmp_path, images=["./set.zip"])
    assert found.digest == folder.digest
    assert codes(found) == codes(folder)
    assert [image.path for image in found.contents.images] == ["0.png", "1.png", "2.png", "3.png", "4.png"]


@pytest.mark.parametrize(
    "images",
    [["./*.zip"], ["./set.zip/*.png"], ["./set.zip/{0,1,2,3,4}.png"], [f"./set.zip/{n}.png" for n in range(5)]],
)
def test_globs_and_lists_reach_into_zips(tmp_path: Path, images: list[str]) -> None:
    make(tmp_path)
    zipped(tmp_path)
    found = scanned(tmp_path, images=images)
    assert found.image_count == 5
    assert found.contents.images[0].caption == "a red cloak"


def test_tables_of_a_zip_and_beside_it_are_used(tmp_path: Path) -> None:
    make(tmp_path)
    for path in (tmp_path / "set").glob("*.txt"):
        path.unlink()
    rows = "file_name,text\n" + "".join(f"{n}.png,the long road number {n} to somewhere\n" for n in range(5))
    zipped(tmp_path, more={"metadata.csv": rows.encode()})
    inside = scanned(tmp_path, images=["./set.zip"])
    assert inside.contents.images[3].caption == "the long road number 3 to somewhere"
    zipped(tmp_path)
    (tmp_path / "texts.csv").write_text(rows)
    beside = scanned(tmp_path, images=["./set.zip"], captions="./texts.csv")
    assert beside.digest == inside.digest


def test_pairs_are_read_from_zips(tmp_path: Path) -> None:
    make(tmp_path)
    zipped(tmp_path, "pairs.zip", top="before/")
    with zipfile.ZipFile(tmp_path / "pairs.zip", "a") as more:
        for at in range(5):
            more.writestr(f"after/{at}.png", (tmp_path / "set" / f"{4 - at}.png").read_bytes())
    found = scanned(tmp_path, before="./pairs.zip/before", after="./pairs.zip/after", instruction="make it rain")
    assert found.pair_count == 5


def test_skipped_folders_and_refused_files_are_named(tmp_path: Path) -> None:
    make(tmp_path)
    picture = (tmp_path / "set" / "0.png").read_bytes()
    zipped(tmp_path, more={"more/9.png": picture, "../out.png": picture, "inner.zip": b"PK"})
    found = scanned(tmp_path, images=["./set.zip"])
    assert {"N08", "N10"} <= codes(found)
    severities = [problem.severity for problem in found.problems if problem.code == "N10"]
    assert sorted(severities) == ["error", "warning"]


def test_a_warm_scan_unpacks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scenario_apply.manifest.loader import archives

    make(tmp_path)
    zipped(tmp_path)
    first = scanned(tmp_path, images=["./set.zip"])
    monkeypatch.setattr(archives, "_unpacked", lambda *_: pytest.fail("a picture was read"))
    assert scanned(tmp_path, images=["./set.zip"]).digest == first.digest


def test_an_upload_takes_the_bytes_of_the_zip_and_checks_them(tmp_path: Path) -> None:
    make(tmp_path)
    zipped(tmp_path)
    image = scanned(tmp_path, images=["./set.zip"]).contents.images[2]
    assert read_for_upload(str(tmp_path), image) == (tmp_path / "set" / "2.png").read_bytes()
    (tmp_path / "set" / "2.png").write_bytes((tmp_path / "set" / "1.png").read_bytes())
    zipped(tmp_path)
    with pytest.raises(ManifestError) as caught:
        read_for_upload(str(tmp_path), image)
    assert caught.value.code == "image-changed"


def test_a_zip_that_came_damaged_is_no_longer_missing(tmp_path: Path) -> None:
    """What is said of a zip without pictures is not kept from before it was there."""
    found = []
    for data in (None, b"PK", None):
        (tmp_path / "set.zip").unlink(missing_ok=True)
        if data is not None:
            (tmp_path / "set.zip").write_bytes(data)
        [problem] = scanned(tmp_path, images=["./set.zip"]).problems
        found.append(problem.message)
    assert [message.partition(": ")[0] for message in found] == [
        "./set.zip does not exist",
        "./set.zip cannot be listed",
        "./set.zip does not exist",
    ]


def test_nothing_is_written_into_a_zip_or_a_parquet_file(tmp_path: Path) -> None:
    """Captions that commands would add or repair: there are no files for them, and the reason is given."""
    folder = make(tmp_path)
    zipped(tmp_path)
    for images, captions, said in (
        ("./set.zip", None, "its images are in a zip file"),
        ("s3://bucket/set", None, "behind a URL"),
        ("./set", "./set/captions.parquet", "its table of captions is parquet"),
    ):
        (folder / "captions.parquet").write_bytes(b"PAR1")
        places = caption_places(spec_from({"images": [images], "captions": captions}), root=str(tmp_path))
        assert said in (places.why_not() or "")
        assert (places.sidecars, places.tables) == ((), ())
