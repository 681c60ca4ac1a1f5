"""dataset.lint.mask_rules: masks beside the pictures are not trained on without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.errors import Diagnostic
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec
from tests.dataset.build import PLACE, make_picture


def found(root: Path, **fields: object) -> list[Diagnostic]:
    values = {
        "name": "d",
        "images": ("./set",),
        "captions": CaptionSource(kind="auto"),
        "place": PLACE,
        "recursive": True,
    }
    spec = DatasetSpec(**{**values, **fields})  # type: ignore[arg-type]  # fields of the tests below
    scanned = scan_datasets({"d": spec}, root=str(root), cache_path=None, types_of={"d": ()}, cwd=str(root))["d"]
    return [problem for problem in scanned.problems if problem.code == "F15"]


def grey(path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (64, 64), 255).save(path)


@pytest.mark.parametrize(
    "name", ["01_mask.png", "01-mask.png", "01.mask.png", "01_MASK.PNG", "mask_01.png", "masks/01.png"]
)
def test_a_grey_picture_named_like_a_mask_is_an_error(name: str, tmp_path: Path) -> None:
    make_picture(tmp_path / "set/01.png", size=(64, 64))
    grey(tmp_path / "set" / name)
    (problem,) = found(tmp_path)
    assert (problem.severity, Path(name).name in problem.message) == ("error", True)
    pattern = str(problem.hint).split('"')[1]
    assert not found(tmp_path, exclude=(pattern,))


def test_a_picture_in_colour_named_like_a_mask_is_a_warning(tmp_path: Path) -> None:
    """It may be a picture of somebody with a mask."""
    make_picture(tmp_path / "set/fox.png", size=(64, 64))
    make_picture(tmp_path / "set/fox_mask.png", seed=1, size=(64, 64))
    assert [problem.severity for problem in found(tmp_path)] == ["warning"]


@pytest.mark.parametrize("name", ["gas_mask.png", "02_mask.png", "mask.png", "unmask.png", "masks/02.png"])
def test_a_mask_of_no_picture_is_a_picture(name: str, tmp_path: Path) -> None:
    make_picture(tmp_path / "set/01.png", size=(64, 64))
    make_picture(tmp_path / "set/un.png", seed=2, size=(64, 64))
    grey(tmp_path / "set" / name)
    assert not found(tmp_path)
