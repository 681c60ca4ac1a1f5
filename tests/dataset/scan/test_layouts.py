"""dataset/scan/layouts.py: pictures one or two folders down, and what must not be followed there."""

from __future__ import annotations

from pathlib import Path

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import DatasetSpec
from tests.dataset.build import PLACE, make_picture


def scan(root: Path, images: str = "./set", cache: str | None = None) -> Dataset:
    spec = DatasetSpec(name="d", images=(images,), place=PLACE)
    return scan_datasets({"d": spec}, root=str(root), cache_path=cache, types_of={}, cwd=str(root))["d"]


def test_a_numbered_folder_that_leads_outside_is_not_read(tmp_path: Path) -> None:
    """A link counts as what it leads to, and the refusal names it."""
    make_picture(tmp_path / "outside" / "01.png", size=(64, 64))
    root = tmp_path / "root"
    make_picture(root / "set" / "5_mine" / "02.png", seed=1, size=(64, 64))
    (root / "set" / "10_theirs").symlink_to(tmp_path / "outside")
    found = scan(root)
    assert [image.path for image in found.contents.images] == ["5_mine/02.png"]
    assert [p.severity for p in found.problems if p.code == "outside-root"] == ["error"]


def test_a_picture_beside_numbered_folders_means_that_folder_alone(tmp_path: Path) -> None:
    """Nothing is recognised where the folder itself has pictures: the others are named."""
    for name in ("set/01.png", "set/10_more/02.png"):
        make_picture(tmp_path / name, seed=len(name), size=(64, 64))
    found = scan(tmp_path)
    assert [image.path for image in found.contents.images] == ["01.png"]
    assert "N08" in {p.code for p in found.problems}


def test_a_picture_added_to_a_numbered_folder_is_seen(tmp_path: Path) -> None:
    """The cached result depends on the folders below, and on hidden files that are counted."""
    cache = str(tmp_path / ".scenario" / "datasets")
    make_picture(tmp_path / "set/img/10_x/01.png", seed=1, size=(64, 64))
    assert scan(tmp_path, cache=cache).image_count == 1
    make_picture(tmp_path / "set/img/10_x/02.png", seed=2, size=(64, 64))
    (tmp_path / "set/img/10_x/.DS_Store").write_text("x")
    found = scan(tmp_path, cache=cache)
    assert found.image_count == 2
    assert [p.message for p in found.problems if p.code == "F12"] == ["1 hidden, cache or mask file is left out"]


def test_a_glob_takes_what_it_says(tmp_path: Path) -> None:
    for at, name in enumerate(("set/train_1.png", "set/test_2.png")):
        make_picture(tmp_path / name, seed=at, size=(64, 64))
    assert scan(tmp_path).image_count == 1
    assert scan(tmp_path, "./set/*").image_count == 2


def test_repeats_that_the_model_sets_are_no_warning(tmp_path: Path) -> None:
    make_picture(tmp_path / "set/10_x/01.png", size=(64, 64))
    for has_repeats, severity in ((False, "warning"), (True, "info")):
        spec = DatasetSpec(name="d", images=("./set",), place=PLACE, has_repeats=has_repeats)
        found = scan_datasets({"d": spec}, root=str(tmp_path), cache_path=None, types_of={}, cwd=str(tmp_path))["d"]
        assert [p.severity for p in found.problems if p.code == "N11"] == [severity]


def test_a_type_without_repeats_is_not_told_to_set_them(tmp_path: Path) -> None:
    make_picture(tmp_path / "set/10_x/01.png", size=(64, 64))
    spec = DatasetSpec(name="d", images=("./set",), place=PLACE)
    for kind, says in (("flux.1-lora", "write `nbRepeats: 10`"), ("sd-xl-lora", "takes no number of repeats")):
        types = {"d": (kind,)}
        found = scan_datasets({"d": spec}, root=str(tmp_path), cache_path=None, types_of=types, cwd=str(tmp_path))["d"]
        (hint,) = [str(p.hint) for p in found.problems if p.code == "N11"]
        assert says in hint
