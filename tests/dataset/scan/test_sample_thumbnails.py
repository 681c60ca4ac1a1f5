"""Small copies for pages: as they are, or the largest made smaller, so that all fit."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from scenario_apply.dataset.scan.sample_thumbnails import read_sample_thumbnails
from scenario_apply.dataset.scan.thumbnails import NoThumbnail, Thumbnail


def keep(root: Path, quality: int, form: str = "WEBP") -> tuple[str, int]:
    """A copy with grain; its digest and size."""
    folder = root / ".scenario" / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    Image.effect_noise((200, 160), 60).convert("RGB").save(out, form, quality=quality)
    digest = sha256(out.getvalue()).hexdigest()
    (folder / f"{digest}.webp").write_bytes(out.getvalue())
    return digest, len(out.getvalue())


def test_copies_that_fit_together_stay_as_they_are(tmp_path: Path) -> None:
    copies = dict(keep(tmp_path, quality) for quality in (20, 90))
    shown = read_sample_thumbnails(str(tmp_path), copies, most_bytes=10, most_in_all=sum(copies.values()))
    for digest, size in copies.items():
        one = shown[digest]
        assert isinstance(one, Thumbnail)
        assert (one.width, one.height, len(one.data)) == (200, 160, size)


def test_the_largest_are_made_smaller_until_all_fit(tmp_path: Path) -> None:
    small, large = keep(tmp_path, 5), keep(tmp_path, 95)
    room = small[1] + large[1] // 2
    shown = read_sample_thumbnails(str(tmp_path), [small[0], large[0]], most_bytes=10, most_in_all=room)
    one, other = shown[small[0]], shown[large[0]]
    assert isinstance(one, Thumbnail)
    assert isinstance(other, Thumbnail)
    assert len(one.data) == small[1]
    assert len(one.data) + len(other.data) <= room
    assert other.width < 200


@pytest.mark.parametrize("digest", ["0" * 64, "../../etc/passwd", ""])
def test_what_is_not_there_has_a_reason(tmp_path: Path, digest: str) -> None:
    (shown,) = read_sample_thumbnails(str(tmp_path), [digest], most_bytes=10, most_in_all=10).values()
    assert isinstance(shown, NoThumbnail)


def test_only_webp_is_shown_under_that_name(tmp_path: Path) -> None:
    digest, _ = keep(tmp_path, 80, "PNG")
    (shown,) = read_sample_thumbnails(str(tmp_path), [digest], most_bytes=10, most_in_all=10**6).values()
    assert shown == NoThumbnail("its small copy is not in WebP")
