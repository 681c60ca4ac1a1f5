"""N08, N11, F12: what lies in the folders of a dataset and is left out; numbers in names that are not applied."""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Subject
from scenario_apply.model.file_names import name_of
from scenario_apply.model.folder_names import OTHER_SPLITS, repeats_of
from scenario_apply.model.lint_rules import Finding
from scenario_apply.model.training_types import training_type

_MASKS = frozenset({"mask", "masks", "matte", "mattes"})
_REGULARISATION = frozenset(
    {"reg", "regs", "class", "class_images", "reg_images", "regularization", "regularisation", "regularization_images"}
)
_MOST_NAMED = 3


def skipped(subject: Subject) -> Iterator[Finding]:
    """N08: sub-folders with pictures that were not read; other splits, masks and regularisation images among them."""
    is_split = any(found.kind == "split-folder" for found in subject.layout)
    for folder, count in sorted((subject.skipped_folders or {}).items()):
        if not subject.pictures:
            return
        images = "1 image" if count == 1 else f"{count} images"
        name = name_of(folder).lower()
        if is_split and name in OTHER_SPLITS:
            what = f"{images} of the split {folder} {_are(count)} left out: a training uses the split train"
            hint = f"name ./{folder} under `images:`, too, to train on {_them(count)}"
            yield Finding("N08", what, folder, hint=hint, severity="info")
        elif name in _MASKS:
            what = f"{images} in {folder} {_are(count)} left out: masks, by the folder's name; Scenario uses none"
            yield Finding("N08", what, folder, severity="info")
        elif name in _REGULARISATION:
            what = f"{images} in {folder} {_are(count)} left out: Scenario trains without regularisation images"
            yield Finding("N08", what, folder, hint="move the folder away, or write `lint: { N08: off }`")
        else:
            what = f"{images} in the sub-folder {folder} {_are(count)} not part of the dataset"
            yield Finding("N08", what, folder, hint="write `recursive: true`, or `lint: { N08: off }`")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _them(count: int) -> str:
    return "it" if count == 1 else "them"


def repeats(subject: Subject) -> Iterator[Finding]:
    """N11: numbered folders of sd-scripts. The number is a count of repeats there and means nothing here."""
    folders = dict.fromkeys(picture.file.rpartition("/")[0] for picture in subject.pictures)
    numbers = {name_of(folder): number for folder in folders if (number := repeats_of(folder)) is not None}
    if not set(numbers.values()) - {1}:
        return
    named = ", ".join([*numbers][:_MOST_NAMED]) + (", ..." if len(numbers) > _MOST_NAMED else "")
    distinct = sorted(set(numbers.values()))
    if len(distinct) == 1:
        what = f"{named}: the {distinct[0]} is a number of repeats for sd-scripts, and is not applied"
        hint = f"write `nbRepeats: {distinct[0]}` in the model's parameters, or `lint: {{ N11: off }}`"
    else:
        what = f"{named}: the numbers are repeats for sd-scripts, and are not applied: each image counts the same"
        hint = "nbRepeats, in the model's parameters, is one number for all images; or write `lint: { N11: off }`"
    if subject.types and not any("nbRepeats" in training_type(kind).parameters for kind in subject.types):
        hint = f"{subject.types[0]} takes no number of repeats; write `lint: {{ N11: off }}`"
    is_open = any(found.kind == "repeat-folders" for found in subject.layout) and not subject.spec.has_repeats
    yield Finding("N11", what, hint=hint if is_open else None, key="images", severity=None if is_open else "info")


def junk(subject: Subject) -> Iterator[Finding]:
    """F12: one finding for each file, all of the same words, so that they are listed together."""
    count = len(subject.junk)
    some = "1 hidden, cache or mask file is" if count == 1 else f"{count} hidden, cache or mask files are"
    for file in subject.junk:
        yield Finding("F12", f"{some} left out", file)
