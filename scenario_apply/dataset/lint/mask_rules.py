"""F15: masks of other trainers that would be trained on as pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scenario_apply.dataset.lint.subject import Picture, Subject
from scenario_apply.model.file_names import stem_of
from scenario_apply.model.lint_rules import Finding

_MASK_NAME = re.compile(r"(?i)(.+?)(?:[ _.-]|(?<=\d))(?:mask|masks|matte|alphamask|masklabel)(?:[ _.-]?\d{1,3})?")
_MASK_PREFIX = re.compile(r"(?i)(?:mask|matte)[ _.-](.+)")
_MASK_FOLDERS = frozenset({"mask", "masks", "matte", "mattes"})
_GREY = frozenset({"1", "L", "LA", "I", "I;16"})


def masks(subject: Subject) -> Iterator[Finding]:
    """A picture named like the mask of another: an error where it is grey and the other is not, else a warning."""
    if subject.spec.is_pairs:
        return
    by_stem = {stem_of(picture.path).casefold(): picture for picture in subject.pictures}
    for picture in subject.pictures:
        other = next((by_stem[stem] for stem in _masked(picture.path) if stem in by_stem), None)
        if other is None or other is picture:
            continue
        what = f"{picture.path} looks like the mask of {other.path}, and would be trained on as a picture"
        hint = f'leave it out, as in `exclude: ["{_pattern(picture.path)}"]`, or write `lint: {{ F15: off }}`'
        is_grey = _is_grey(picture) and not _is_grey(other)
        yield Finding("F15", what, picture.file, None, hint, "error" if is_grey else None)


def _masked(path: str) -> Iterator[str]:
    """Stems of the pictures that a mask of this path may belong to."""
    folder, _, name = stem_of(path).casefold().rpartition("/")
    prefix = folder + "/" if folder else ""
    for form in (_MASK_NAME, _MASK_PREFIX):
        match = form.fullmatch(name)
        if match is not None:
            yield prefix + match[1].rstrip(" _.-")
    above, _, last = folder.rpartition("/")
    if last in _MASK_FOLDERS:
        root = above + "/" if above else ""
        for inner in ("", "images/", "image/", "img/", "imgs/"):
            yield f"{root}{inner}{name}"


def _pattern(path: str) -> str:
    """A glob for all masks of this form."""
    folder, _, name = path.rpartition("/")
    last = folder.rpartition("/")[2]
    if last.casefold() in _MASK_FOLDERS:
        return last
    match = _MASK_NAME.fullmatch(stem_of(name))
    return "*" + name[len(match[1]) :] if match is not None else name


def _is_grey(picture: Picture) -> bool:
    return picture.facts.mode in _GREY
