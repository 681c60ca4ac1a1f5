"""Which findings are about which image of a dataset: on the image itself, on its caption file, or on its row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from scenario_apply.dataset.types import Image
from scenario_apply.errors import Diagnostic
from scenario_apply.model.file_names import stem_of


class CaptionPlace(NamedTuple):
    """Where a caption was found. file: relative to the root; None: in the manifest. line: of a row of a table."""

    file: str | None
    line: int | None = None


def findings_of_images(
    images: Iterable[Image],
    captions: Mapping[str, CaptionPlace],
    problems: Iterable[Diagnostic],
    shown: Callable[[str], str],
) -> dict[str, list[Diagnostic]]:
    """Path of an image -> its findings, in their order. captions: by path. shown: a file as the findings name it."""
    by_place: dict[tuple[str, int | None], list[str]] = {}
    for image in images:
        file, place = shown(image.file), captions.get(image.path)
        keys: list[tuple[str, int | None]] = [(file, None), (stem_of(file), None)]
        if place is not None and place.file is not None:
            keys.append((shown(place.file), place.line))
        for key in dict.fromkeys(keys):
            by_place.setdefault(key, []).append(image.path)
    found: dict[str, list[Diagnostic]] = {}
    for problem in problems:
        at = problem.location
        if at is None:
            continue
        for key in ((at.file, at.line), (at.file, None), (stem_of(at.file), None)):
            if key in by_place:
                for path in by_place[key]:
                    found.setdefault(path, []).append(problem)
                break
    return found


_TWIN_CODES = frozenset({"D01", "D02", "D03", "D04", "D05"})
_TWIN_WORDS = (" copy of ", "-duplicate of ", " file as ", " picture as ")  # what stands before the path


def twins_named(findings: Iterable[Diagnostic], paths: Collection[str]) -> tuple[str, ...]:
    """Which of a dataset's other pictures the findings of one call its duplicate, by path, each once.

    A message says "... of PATH" or "... as PATH", perhaps with words after it.
    """
    found = []
    for finding in findings:
        if finding.code in _TWIN_CODES:
            rest = [finding.message.partition(word)[2] for word in _TWIN_WORDS]
            named = next((text for text in rest if text), "")
            ends = (at for at in range(len(named), 0, -1) if at == len(named) or named[at] in " ,")
            found += [path for path in (named[:at] for at in ends) if path in paths][:1]
    return tuple(dict.fromkeys(found))
