"""Where a new caption belongs, so that those that exist are still read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenario_apply.dataset.scan.caption_places import CaptionPlaces, caption_places
from tests.dataset.build import make_picture, spec_from


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in (1, 2):
        make_picture(tmp_path / "set" / f"0{number}.png", seed=number, size=(32, 32))
    return tmp_path


def places(root: Path, **spec: Any) -> CaptionPlaces:
    return caption_places(spec_from({"images": ["set"], **spec}), root=str(root))


@pytest.mark.parametrize(
    ("name", "text", "table", "file"),
    [
        ("01.txt", "a", None, "set/02.txt"),
        ("01.caption", "a", None, "set/02.caption"),
        ("01.json", '{"caption": "a fox"}', None, "set/02.json"),  # beside a .txt file it would not be read
        ("metadata.csv", "file_name,text\n01.png,a fox\n", None, "set/02.txt"),  # read beside others
        ("captions.json", '{"01.png": "a fox"}', "set/captions.json", None),
        ("../metadata.jsonl", '{"file_name": "set/01.png", "text": "a fox"}\n', "metadata.jsonl", None),
    ],
)
def test_a_new_caption_goes_where_the_others_are(
    root: Path, name: str, text: str, table: str | None, file: str | None
) -> None:
    (root / "set" / name).write_text(text)
    found = places(root)
    assert [image.path for image in found.lacking] == ["02.png"]
    assert found.table == table
    if file is not None:
        assert found.new_sidecar(found.lacking[0]) == file


def test_images_of_one_stem_get_captions_by_their_full_names(root: Path) -> None:
    make_picture(root / "set" / "01.jpg", seed=3, size=(32, 32))
    found = places(root)
    assert [found.new_sidecar(image) for image in found.images] == [
        "set/01.jpg.txt",
        "set/01.png.txt",
        "set/02.txt",
    ]


def test_the_texts_of_pairs_are_found_to_be_repaired(root: Path) -> None:
    make_picture(root / "after" / "01.png", seed=4, size=(32, 32))
    (root / "after" / "01.txt").write_text("make it red,\n")
    spec = spec_from({"before": "set", "after": "after"})
    found = caption_places(spec, root=str(root))
    assert (found.sidecars, found.lacking) == (("after/01.txt",), ())
    assert found.why_not() == "edit pairs have instructions"
