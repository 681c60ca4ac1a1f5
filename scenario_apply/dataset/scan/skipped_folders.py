"""Sub-folders with pictures that a dataset leaves out because it does not ask for them."""

from __future__ import annotations

from scenario_apply.dataset.scan.sources import Listing
from scenario_apply.manifest.loader.listing import count_images, subfolders_of
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import spelled


def skipped_folders_of(listing: Listing, spec: DatasetSpec, root: str) -> dict[str, int]:
    """Sub-folders with pictures that are not read: folder, relative to the root -> number of pictures."""
    if spec.recursive:
        return {}
    taken = {place.file for place in listing.places}
    counts = {}
    for place in listing.places:
        if place.keep is not None or place.names is not None or len(place.folders) > 1:
            continue
        for name in subfolders_of(place.folders[0]):
            file = f"{place.file}/{name}" if place.file != "." else name
            if file not in taken and (count := listing.images_below.get(file) or count_images(f"{root}/{file}")):
                counts[spelled(file)] = count
    return counts
