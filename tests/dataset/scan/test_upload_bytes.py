"""dataset.scan.upload_bytes: what is uploaded is what was scanned, and complete."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from scenario_apply.dataset.scan.scan_all import read_for_upload
from scenario_apply.dataset.types import Image
from scenario_apply.errors import ManifestError
from tests.dataset.build import picture


def image_of(data: bytes, name: str = "set/1.png") -> Image:
    return Image(
        path="1.png",
        file=name,
        sha256=sha256(data).hexdigest(),
        size_bytes=len(data),
        mime="image/png",
        width=1,
        height=1,
        caption=None,
    )


def put(root: Path, data: bytes, name: str = "set/1.png") -> None:
    (root / "set").mkdir(exist_ok=True)
    (root / name).write_bytes(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_unchanged_bytes_are_given(tmp_path: Path, kind: str) -> None:
    data = picture(kind=kind)
    put(tmp_path, data)
    assert read_for_upload(str(tmp_path), image_of(data)) == data


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (picture(seed=2), "image-changed", "set/1.png changed"),
        (None, "image-missing", "set/1.png was deleted"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "lfs-pointer", "Git LFS pointer"),
    ],
)
def test_what_is_not_the_scanned_picture_is_refused(tmp_path: Path, data: bytes | None, code: str, said: str) -> None:
    if data is not None:
        put(tmp_path, data)
    with pytest.raises(ManifestError) as caught:
        read_for_upload(str(tmp_path), image_of(picture(seed=1)))
    assert caught.value.code == code
    assert said in caught.value.message
    if code == "lfs-pointer":
        assert caught.value.problems[0].hint == "git lfs pull"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_damaged_picture_is_never_sent(tmp_path: Path, kind: str) -> None:
    data = picture(kind=kind)[:-40]
    put(tmp_path, data)
    with pytest.raises(ManifestError) as caught:
        read_for_upload(str(tmp_path), image_of(data))
    assert caught.value.code == "image-damaged"
