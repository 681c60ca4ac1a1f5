"""Splits of a dataset that the names of its pictures say, as Hugging Face's imagefolder has them."""

from __future__ import annotations

import re

from msgspec.structs import replace

from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.types import Convention
from scenario_apply.model.file_names import name_of
from scenario_apply.model.folder_names import OTHER_SPLITS, TRAIN_SPLITS
from scenario_apply.model.lint_rules import Finding

_PREFIX = re.compile(r"([a-z]+)(?:[-_. ]|(?=\d))", re.IGNORECASE)
_MOST_NAMED = 3


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
