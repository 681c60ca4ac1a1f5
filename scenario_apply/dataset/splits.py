"""Names of folders and files that say how other trainers use them: splits of a dataset, and numbers of repeats."""

from __future__ import annotations

import re

from msgspec.structs import replace

from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.types import Convention
from scenario_apply.model.file_names import name_of
from scenario_apply.model.lint_rules import Finding

TRAIN_SPLITS = frozenset({"train", "training"})
OTHER_SPLITS = frozenset({"validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation"})
"""Splits as Hugging Face's imagefolder recognises them, as folders and at the start of file names."""
_PREFIX = re.compile(r"([a-z]+)(?:[-_. ]|(?=\d))", re.IGNORECASE)
_NUMBERED = re.compile(r"([1-9]\d{0,2})_.+")
"""<repeats>_<name> of sd-scripts. 01_front is an order, not a number of repeats."""

_MOST_NAMED = 3


def repeats_of(folder: str) -> int | None:
    """The number in the name of a numbered folder; None for any other."""
    match = _NUMBERED.fullmatch(name_of(folder))
    return None if match is None else int(match[1])


def without_other_splits(
    selection: Selection,
) -> tuple[Selection, tuple[Convention, ...], tuple[Finding, ...]]:
    """Without the pictures of validation and test splits, where the name of every picture begins with its split."""
    splits = {image.path: _split_of(image.path) for image in selection.images}
    if None in splits.values() or not {"train"} < set(splits.values()):
        return selection, (), ()
    kept = tuple(image for image in selection.images if splits[image.path] == "train")
    left = {image.path: image.file for image in selection.images if splits[image.path] != "train"}
    some = ", ".join(map(name_of, [*left][:_MOST_NAMED])) + (", ..." if len(left) > _MOST_NAMED else "")
    are = "1 image is" if len(left) == 1 else f"{len(left)} images are"
    what = f"{are} left out: {some}. By their names they are of other splits than train"
    hint = "write a glob, such as `images: ./folder/*`, to train on all"
    note = Finding("N08", what, next(iter(left.values())), hint=hint, severity="info")
    found = Convention("split-prefix", len(kept), "train")
    return replace(selection, images=kept, excluded={**selection.excluded, **left}), (found,), (note,)


def _split_of(path: str) -> str | None:
    """train, validation and so on, of train_01.png; None where the name begins with no split."""
    match = _PREFIX.match(name_of(path))
    word = "" if match is None else match[1].lower()
    return "train" if word in TRAIN_SPLITS else word if word in OTHER_SPLITS else None
