"""Names of folders that say how other trainers use them: splits of a dataset, and numbers of repeats."""

from __future__ import annotations

import re

from scenario_apply.model.file_names import name_of

TRAIN_SPLITS = frozenset({"train", "training"})
OTHER_SPLITS = frozenset({"validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation"})
"""Splits as Hugging Face's imagefolder recognises them, as folders and at the start of file names."""
_NUMBERED = re.compile(r"([1-9]\d{0,2})_.+")
"""<repeats>_<name> of sd-scripts. 01_front is an order, not a number of repeats."""


def repeats_of(folder: str) -> int | None:
    """The number in the name of a numbered folder; None for any other."""
    match = _NUMBERED.fullmatch(name_of(folder))
    return None if match is None else int(match[1])
