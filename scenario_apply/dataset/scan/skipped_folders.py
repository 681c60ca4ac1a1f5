"""What lies in the folders of a dataset and is left out: sub-folders that it does not ask for, hidden files, caches."""

from __future__ import annotations

from collections.abc import Iterator

from scenario_apply.dataset.scan.sources import Listing, SourceFolder
from scenario_apply.manifest.loader.listing import count_images, junk_folders_of, subfolders_of
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import is_image_name, spelled


def skipped_folders_of(
    listing: Listing, spec: DatasetSpec, root: str, excluded: frozenset[str] = frozenset()
) -> dict[str, int]:
    """Sub-folders with pictures that are not read: folder, relative to the root -> number of pictures.

    excluded: folders that `exclude` leaves out, relative to the root.
    """
    if spec.recursive:
        return {}
    taken = {place.file for place in listing.places} | excluded
    taken |= {_joined(place, folder.within) for place in listing.places for folder in place.folders}
    is_empty = not any(is_image_name(row[0]) for p in listing.places for folder in p.folders for row in folder.rows)
    counts = {}
    for place in listing.places:
        if place.keep is not None or place.names is not None:
            continue
        for folder in place.folders:
            for name in subfolders_of(folder):
                file = _joined(place, f"{folder.within}/{name}".removeprefix("/"))
                depth = _depth(name, is_empty=is_empty)
                known = listing.images_below.get(file)
                if file not in taken and (count := known or count_images(f"{root}/{file}", depth)):
                    counts[spelled(file)] = count
    return counts


def _depth(name: str, *, is_empty: bool) -> int:
    """How far to look for pictures: further where there are none yet, and in kohya_ss's folder of reg/1_man."""
    return 2 if is_empty else 1 if name.lower() == "reg" else 0


def skipped_junk_of(listing: Listing) -> Iterator[str]:
    """Hidden files and folders of caches in the listed folders, relative to the root; folders end with a slash."""
    for place in listing.places:
        if place.names is not None:
            continue
        for folder in place.folders:
            names = [*folder.hidden, *(f"{name}/" for name in junk_folders_of(folder))]
            yield from (spelled(_joined(place, f"{folder.within}/{name}".removeprefix("/"))) for name in names)


def _joined(place: SourceFolder, within: str) -> str:
    """A path below a source, relative to the root."""
    return "/".join(part for part in (place.file if place.file != "." else "", within) if part)
