"""The pictures and texts of a dataset, from what its sources list."""

from __future__ import annotations

import os
from collections.abc import Callable

from msgspec.structs import replace

from scenario_apply.dataset.image_selection import Listed, Selection, merge, select
from scenario_apply.dataset.scan.sources import Listing, SourceFolder
from scenario_apply.manifest.loader.listing import files_of, junk_folders_of, subfolders_of
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import nfc
from scenario_apply.model.globs import glob_pattern, with_low_ending


def selection_of(listing: Listing, spec: DatasetSpec) -> Selection:
    """The pictures and texts of all sources, with paths relative to their common folder."""
    if not listing.places:
        return Selection(images=(), texts={})
    sides = any(place.side for place in listing.places)
    common = "" if sides else os.path.commonpath([_absolute(place) for place in listing.places])
    selections = []
    for place in listing.places:
        prefix = place.side or os.path.relpath(_absolute(place), common).replace(os.sep, "/").removeprefix(".")
        listed = [
            Listed(
                path="/".join(part for part in (prefix, folder.within) if part),
                file="/".join(part for part in (place.file, folder.within) if part and part != "."),
                rows=files_of(folder),
                below=(*subfolders_of(folder), *junk_folders_of(folder)) if spec.exclude else (),
            )
            for folder in place.folders
        ]
        selections.append(select(listed, exclude=spec.exclude, keep=_keeper(place, f"{prefix}/" if prefix else "")))
    return replace(merge(selections), parent_tables=tuple(listing.parent_tables), above=tuple(listing.above))


def _absolute(place: SourceFolder) -> str:
    """Its folder as a path from "/", to compare it with others; that of a URL begins with its bucket or host."""
    return "/" if place.file == "." else "/" + place.file.rpartition("://")[2]


def _keeper(place: SourceFolder, prefix: str) -> Callable[[str], bool] | None:
    """A filter for paths with prefix; None to keep all."""
    if place.names is not None:
        paths = {prefix + (name if name.isascii() else nfc(name)) for name in place.names}
        return paths.__contains__
    if place.keep is None:
        return None
    match, start = glob_pattern(with_low_ending(nfc(place.keep))).fullmatch, len(prefix)
    return lambda path: match(path, start) is not None or match(with_low_ending(path), start) is not None
