"""dataset.scan.unnamed_pictures: pictures whose names do not say so are named, not dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec
from tests.dataset.build import PLACE, make_picture, picture


def found(root: Path, **fields: Any) -> list[Diagnostic]:
    values = {"name": "d", "images": ("./set",), "captions": CaptionSource(kind="auto"), "place": PLACE}
    spec = DatasetSpec(**{**values, **fields})
    scanned = scan_datasets({"d": spec}, root=str(root), cache_path=None, types_of={"d": ()}, cwd=str(root))["d"]
    return [problem for problem in scanned.problems if problem.code == "F14"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("name", ["06.png_large", "07.png?w=1200", "08", "09.jpg;v=2", "10.jpg:large", "11.png "])
def test_a_picture_under_another_ending_is_a_warning_by_name(name: str, kind: str, tmp_path: Path) -> None:
    make_picture(tmp_path / "set/01.png")
    (tmp_path / "set" / name).write_bytes(picture(seed=7, size=(64, 64), kind=kind))
    (problem,) = found(tmp_path)
    assert problem.severity == "warning"
    assert name.strip() in problem.message
    assert not found(tmp_path, exclude=(name,))
    assert not found(tmp_path, images=("set/*.png",))


def test_other_files_are_no_pictures(tmp_path: Path) -> None:
    make_picture(tmp_path / "set/01.png")
    for name, data in {"notes": b"BM is not a bitmap", "weights.bin": bytes(64), "log.out": b"RIFF"}.items():
        (tmp_path / "set" / name).write_bytes(data)
    (tmp_path / "set" / "link").symlink_to("/etc/hostname")
    assert not found(tmp_path)
