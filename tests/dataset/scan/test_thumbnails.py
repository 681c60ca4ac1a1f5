"""Thumbnails fit their budget, are upright, and are made of the file that was planned, under the guards of a scan."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from scenario_apply.dataset.scan import thumbnails
from scenario_apply.dataset.scan.thumbnails import (
    LARGEST_SIDE,
    NoThumbnail,
    Shown,
    Thumbnail,
    WantedPicture,
    disk_reader,
    make_thumbnails,
)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 90).convert("RGB")


def shown(root: Path, name: str, data: bytes, *, most_bytes: int = 40_000, sha: str = "") -> Shown:
    (root / name).write_bytes(data)
    wanted = WantedPicture(sha or sha256(data).hexdigest(), name)
    (found,) = make_thumbnails([wanted], disk_reader(str(root)), most_bytes=most_bytes).values()
    return found


@pytest.mark.parametrize("most_bytes", [2_000, 5_000, 20_000])
def test_even_noise_fits_the_budget(tmp_path: Path, most_bytes: int) -> None:
    found = shown(tmp_path, "a.png", encoded(noise(900, 300), "PNG"), most_bytes=most_bytes)
    assert isinstance(found, Thumbnail)
    assert len(found.data) <= most_bytes
    assert abs(found.width / found.height - 3) < 0.1


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    data = encoded(Image.linear_gradient("L").resize((700, 500)))
    assert shown(tmp_path, "a.jpg", data) == shown(tmp_path, "b.jpg", data)


def test_a_small_picture_is_not_enlarged_and_a_large_one_is_bounded(tmp_path: Path) -> None:
    small = shown(tmp_path, "a.png", encoded(Image.new("RGB", (20, 10), "red"), "PNG"))
    large = shown(tmp_path, "b.png", encoded(Image.new("RGB", (3000, 1000), "red"), "PNG"))
    assert isinstance(small, Thumbnail)
    assert isinstance(large, Thumbnail)
    assert (small.width, small.height) == (20, 10)
    assert large.width == LARGEST_SIDE


def test_a_picture_is_turned_upright(tmp_path: Path) -> None:
    """As its EXIF orientation says: the left half, which is red, comes to the top."""
    image = Image.new("RGB", (80, 40), "blue")
    image.paste("red", (0, 0, 40, 40))
    tags = Image.Exif()
    tags[0x0112] = 6
    found = shown(tmp_path, "a.jpg", encoded(image, quality=95, exif=tags.tobytes()))
    assert isinstance(found, Thumbnail)
    with Image.open(io.BytesIO(found.data)) as upright:
        assert upright.size == (40, 80)
        red, _, blue = upright.convert("RGB").getpixel((20, 10))  # type: ignore[misc]  # of an RGB picture
        assert red > 200 > 60 > blue


def test_a_transparent_picture_is_on_white(tmp_path: Path) -> None:
    found = shown(tmp_path, "a.png", encoded(Image.new("RGBA", (30, 30), (255, 0, 0, 0)), "PNG"))
    assert isinstance(found, Thumbnail)
    with Image.open(io.BytesIO(found.data)) as image:
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)


POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    f"oid sha256:{'ab' * 32}\n"
    "size 12345\n"
).encode()  # fmt: skip


@pytest.mark.parametrize(
    ("data", "sha", "why"),
    [
        (POINTER, "ab" * 32, "not pulled from Git LFS"),
        (b"no picture at all", "", "it cannot be decoded: no known format"),
        (encoded(Image.new("RGB", (9, 9)), "PNG"), "00" * 32, "the file has changed since the plan was made"),
        (encoded(noise(60, 60), "PNG")[:900], "", "it is truncated"),
    ],
)
def test_what_cannot_be_shown_says_why(tmp_path: Path, data: bytes, sha: str, why: str) -> None:
    found = shown(tmp_path, "a.png", data, sha=sha)
    assert isinstance(found, NoThumbnail)
    assert found.why.startswith(why) or "truncated" in found.why


def test_files_that_must_not_be_read_are_not(tmp_path: Path) -> None:
    """A link out of the folder, a hidden file, a missing one."""
    data = encoded(Image.new("RGB", (9, 9)), "PNG")
    (tmp_path / "out.png").write_bytes(data)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.png").symlink_to(tmp_path / "out.png")
    (root / ".hidden.png").write_bytes(data)
    whys = []
    for name in ("link.png", ".hidden.png", "gone.png"):
        wanted = WantedPicture(sha256(data).hexdigest(), name)
        (found,) = make_thumbnails([wanted], disk_reader(str(root)), most_bytes=9_000).values()
        assert isinstance(found, NoThumbnail)
        whys.append(found.why)
    assert whys == [
        "it lies outside the manifest's folder",
        "it is hidden: a part of its path begins with a dot",
        "the file is gone",
    ]


def test_a_file_of_any_size_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "_LARGEST_FILE_BYTES", 100)
    found = shown(tmp_path, "a.png", encoded(noise(30, 30), "PNG"))
    assert isinstance(found, NoThumbnail)
    assert found.why.startswith("the file is larger than")


def test_decoding_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a scan: a few bytes may not stand for any number of pixels."""
    monkeypatch.setattr("scenario_apply.dataset.scan.decoding._FREE_PIXELS", 1_000)
    found = shown(tmp_path, "a.png", encoded(Image.new("RGB", (1500, 1500)), "PNG"))
    assert found == NoThumbnail("the limit on decoding was reached")


def test_each_picture_is_made_once_in_the_order_wanted(tmp_path: Path) -> None:
    wanted = []
    for number in range(9):
        data = encoded(Image.new("RGB", (9, 9), (number, 0, 0)), "PNG")
        (tmp_path / f"{number}.png").write_bytes(data)
        wanted.append(WantedPicture(sha256(data).hexdigest(), f"{number}.png"))
    found = make_thumbnails([*wanted, *wanted], disk_reader(str(tmp_path)), most_bytes=9_000)
    assert list(found) == [picture.sha256 for picture in wanted]
