"""dataset.scan.written_paths: the files that a manifest's paths mean, however the paths are spelled."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.scan.scan_all import scan_datasets
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import CaptionSource, DatasetSpec, PairSpec
from tests.dataset.build import PLACE, make_picture

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


def scan(root: Path, **fields: Any) -> Dataset:
    spec = DatasetSpec(**{"name": "d", "place": PLACE, **fields})
    return scan_datasets({"d": spec}, root=str(root), cache_path=None, types_of={"d": ()}, cwd=str(root))["d"]


def make(folder: Path) -> None:
    for at in range(3):
        make_picture(folder / f"{at}.png", seed=at)
        (folder / f"{at}.txt").write_text("a fox " * (at + 3))


@pytest.mark.parametrize("images", ["art\\kael", ".\\art\\kael\\", "art\\kael\\*.png", "art/kael\\{0,1,2}.png"])
def test_backslashes_count_as_slashes(images: str, tmp_path: Path) -> None:
    make(tmp_path / "art" / "kael")
    assert len([i for i in scan(tmp_path, images=(images,)).contents.images if i.caption]) == 3


def test_a_name_that_holds_a_backslash_is_itself(tmp_path: Path) -> None:
    make(tmp_path / "art\\kael")
    assert scan(tmp_path, images=("art\\kael",)).image_count == 3


@pytest.mark.parametrize(("disk", "written"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_paths_find_their_file_in_either_form_of_unicode(disk: str, written: str, tmp_path: Path) -> None:
    """Folders, globs, files, captions, and both sides of pairs."""
    make(tmp_path / disk / "in")
    (tmp_path / disk / "table.csv").write_text("file_name,text\nin/0.png,a table\n")
    for images in (f"./{written}/in", f"{written}/in/*.png", f"{written}\\in"):
        assert scan(tmp_path, images=(images,)).image_count == 3, images
    captions = CaptionSource(kind="file", path=f"./{written}/table.csv")
    shown = scan(tmp_path, images=(f"{written}/in/0.png",), captions=captions)
    assert [image.caption for image in shown.contents.images] == ["a table"]
    (tmp_path / f"{disk}.csv").write_text(f"before,after,instruction\n{disk}/in/0.png,{disk}/in/1.png,turn it\n")
    assert scan(tmp_path, pairs=PairSpec(table=f"{written}.csv")).pair_count == 1
    make(tmp_path / disk / "out")
    assert scan(tmp_path, before=f"{written}/in", after=f"./{written}/out").pair_count == 3


@pytest.mark.parametrize(
    ("written", "count"), [("set/*.{png,jpg}", 3), ("set/{0,2}.png", 2), ("{set,more}", 4), ("{set/*,more/*}", 4)]
)
def test_braces_list_alternatives(written: str, count: int, tmp_path: Path) -> None:
    make(tmp_path / "set")
    make_picture(tmp_path / "more" / "9.jpg", seed=9)
    assert scan(tmp_path, images=(written,)).image_count == count


def test_a_folder_outside_is_not_looked_into(tmp_path: Path) -> None:
    """To find another spelling of a name, no folder is listed that must not be read."""
    make(tmp_path / DECOMPOSED)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    for written in (f"../{COMPOSED}", f"link/{COMPOSED}"):
        found = scan(inside, images=(written,))
        assert found.image_count == 0
        assert {p.code for p in found.problems} <= {"outside-root", "N01"}
        assert DECOMPOSED not in "".join(p.message for p in found.problems)


@pytest.mark.parametrize("recursive", [False, True])
def test_two_names_that_differ_in_unicode_form_only_are_an_error(recursive: bool, tmp_path: Path) -> None:
    make(tmp_path / "set")
    for at, name in enumerate((COMPOSED, DECOMPOSED)):
        make_picture(tmp_path / "set" / f"{name}.png", seed=at + 5)
    found = [p for p in scan(tmp_path, images=("./set",), recursive=recursive).problems if p.severity == "error"]
    assert [p.code for p in found if "é is written" in p.message] == ["F11"]
    assert found[0].hint == "rename one of them"


def test_two_folders_that_differ_in_unicode_form_only_are_an_error(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        make(tmp_path / "set" / name)
    errors = [p for p in scan(tmp_path, images=("./set",), recursive=True).problems if p.severity == "error"]
    assert {p.code for p in errors} >= {"F11"}
    errors = [p for p in scan(tmp_path, images=(f"set/{COMPOSED}", f"set/{DECOMPOSED}")).problems if p.code == "F11"]
    assert any(p.severity == "error" for p in errors)


@pytest.mark.parametrize("folder", ["", "p/", "tables/"])
@pytest.mark.parametrize(
    "written", ["p/fox.png", "/home/somebody/data/p/fox.png", "C:\\work\\p\\fox.png", ".\\p\\fox.png"]
)
def test_a_table_of_pairs_names_files_as_another_machine_does(written: str, folder: str, tmp_path: Path) -> None:
    """Relative to the table, to the folder where the trainer ran, or absolute on the machine that wrote it."""
    import json

    make_picture(tmp_path / "p" / "fox.png", seed=1)
    make_picture(tmp_path / "p" / "fox_2.png", seed=2)
    row = {"before": written, "after": written.replace("fox.png", "fox_2.png"), "instruction": "turn it into a print"}
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "pairs.jsonl").write_text(json.dumps(row))
    found = scan(tmp_path, pairs=PairSpec(table=f"{folder}pairs.jsonl"))
    assert found.pair_count == 1, found.problems


@pytest.mark.parametrize("images", ["set/*.jpg", "set/*.JPG", "set/*.{jpg,webp}", "**/*.Jpg", "set/?.[jJ]*"])
def test_a_glob_takes_endings_in_capitals_and_small_letters(images: str, tmp_path: Path) -> None:
    """A camera's 1.JPG beside an exported 2.jpg is not left out."""
    for at, name in enumerate(("1.JPG", "2.jpg", "3.png")):
        make_picture(tmp_path / "set" / "x.jpg", seed=at)
        (tmp_path / "set" / "x.jpg").rename(tmp_path / "set" / name)
    found = scan(tmp_path, images=(images,)).contents.images
    assert [Path(image.path).name for image in found] == ["1.JPG", "2.jpg"]
