"""Which findings are about which image of a dataset: on the image itself, on its caption file, or on its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
