"""Finds folders that hold the captions of pictures in another one: set/captions/01.txt for set/01.png."""

from __future__ import annotations

from collections.abc import Mapping

from scenario_apply.dataset.scan.sources import Listing
from scenario_apply.manifest.loader.listing import caption_stems, subfolders_of

_MOST_FOLDERS = 20  # that are listed for one dataset


def caption_folders_of(listing: Listing, root: str, *, recursive: bool) -> Mapping[str, frozenset[str]]:
    """Folder, relative to the root -> the names of its caption files, without ending, in lower case.

    Sub-folders that are not read, and folders beside the pictures' own whose name says that they hold captions.
    """
    taken = {place.file for place in listing.places}
    candidates = [entry.file for entry in listing.siblings]
    for place in listing.places if not recursive else ():
        if place.folders and place.keep is None:
            names = subfolders_of(place.folders[0])
            candidates += [f"{place.file}/{name}" if place.file != "." else name for name in names]
    found = {}
    for file in [file for file in dict.fromkeys(candidates) if file not in taken][:_MOST_FOLDERS]:
        if stems := caption_stems(f"{root}/{file}", listing.guard):
            found[file] = stems
    return found
