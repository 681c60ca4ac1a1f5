"""dataset/splits.py: pictures of other splits, by the beginnings of their names."""

from __future__ import annotations

import pytest

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.splits import without_other_splits


def kept(*names: str) -> list[str]:
    entries = tuple(FileEntry(name, f"set/{name}", 1, 1, at) for at, name in enumerate(names))
    return [image.path for image in without_other_splits(Selection(images=entries, texts={}))[0].images]


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("train_1.png", "test_2.png"), ["train_1.png"]),
        (("Train-1.png", "training 2.png", "VAL.3.png", "dev4.png"), ["Train-1.png", "training 2.png"]),
        (("train_1.png", "train_2.png"), ["train_1.png", "train_2.png"]),
        (("test_1.png", "val_2.png"), ["test_1.png", "val_2.png"]),
        (("train_1.png", "test_2.png", "03.png"), ["train_1.png", "test_2.png", "03.png"]),
        (("train_1.png", "tester_2.png"), ["train_1.png", "tester_2.png"]),
        (("train.png", "test.png"), ["train.png"]),
    ],
)
def test_other_splits_are_left_out_where_every_name_begins_with_its_split(
    names: tuple[str, ...], left: list[str]
) -> None:
    assert kept(*names) == left


def test_what_is_left_out_is_named_and_counts_as_excluded() -> None:
    """So that its caption files are no orphans."""
    entries = tuple(FileEntry(name, f"set/{name}", 1, 1, 1) for name in ("train_1.png", "test_2.png"))
    selection, (found,), (note,) = without_other_splits(Selection(images=entries, texts={}))
    assert (found.kind, found.number, found.file) == ("split-prefix", 1, "train")
    assert (note.code, note.severity, "test_2.png" in note.what) == ("N08", "info", True)
    assert selection.excluded == {"test_2.png": "set/test_2.png"}
