"""Where the captions of a dataset are kept: which file has that of an image, and where a new one belongs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from scenario_apply.dataset.captions.gather import Gathered, Reader, gather
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.image_selection import Selection
from scenario_apply.dataset.pairing import AFTER, BEFORE, side_of
from scenario_apply.dataset.scan.caption_files import caption_reader
from scenario_apply.dataset.scan.inputs import inputs_of
from scenario_apply.dataset.scan.sources import Sources
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import METADATA_FILES, SIDECAR_SUFFIXES, name_of, stem_of, suffix_of
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess, is_url

_NOT_WRITTEN = {
    "map": "its captions are written in the manifest",
    "filename": "its captions are the names of its images",
}


class CaptionPlaces(Struct, frozen=True, kw_only=True):
    """Where the captions of a dataset are on the disk. root: absolute. read: reads a file, relative to the root."""

    spec: DatasetSpec
    root: str
    images: tuple[FileEntry, ...]
    gathered: Gathered
    read: Reader
    texts: Mapping[str, FileEntry]

    @property
    def lacking(self) -> tuple[FileEntry, ...]:
        """Images that have no caption in a file."""
        if self.spec.caption is not None and self.spec.captions.kind != "auto":
            return ()
        have = {*self.gathered.raws, *self.gathered.unreadable}
        return tuple(image for image in self.images if image.path not in have)

    @property
    def table(self) -> str | None:
        """The table of captions that has those of all images, relative to the root: named, or recognised.

        One with a usual name is read beside other captions, so that it is not the only place.
        """
        path = self.spec.captions.path
        if self.spec.captions.kind == "file":
            return path.removeprefix("./") if path else None
        return next(iter(self._recognised), None)

    @property
    def _recognised(self) -> tuple[str, ...]:
        """Tables that are read only while no image has a caption of another kind."""
        if self.spec.captions.kind != "recognise":
            return ()
        beside = {self.texts[path].file for path in self.gathered.used if path in self.texts}
        usual = {file for file in beside if name_of(file).lower() in METADATA_FILES}
        return tuple(file for file in self.gathered.forms if file not in usual)

    @property
    def sidecars(self) -> tuple[str, ...]:
        """Files beside images that hold their captions, relative to the root, each once."""
        if self.spec.captions.kind not in ("recognise", "sidecar"):
            return ()
        found = (self.texts[path].file for path in sorted(self.gathered.used) if path in self.texts)
        beside = dict.fromkeys(file for file in found if file not in self.gathered.forms)
        return tuple(filter(self._is_text_here, beside))

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables and maps that were read, relative to the root, each once."""
        return tuple(filter(self._is_text_here, self.gathered.forms))

    def _is_text_here(self, file: str) -> bool:
        """Whether it is a text file of the disk, and not one in a zip or behind a URL, nor parquet."""
        is_here = not is_url(file) and os.path.isfile(os.path.join(self.root, file))
        return is_here and suffix_of(file) != ".parquet"

    def why_not(self) -> str | None:
        """Why no caption can be added to the files of this dataset; None where it can."""
        if self.spec.is_pairs:
            return "edit pairs have instructions"
        table, images = self.table, [image.file for image in self.images]
        if any(map(is_url, self.spec.images)) or not all(map(self._is_text_here, images[:1])):
            return "its images are in a zip file or behind a URL"
        if table is not None and (is_url(table) or suffix_of(table) == ".parquet" or ".zip/" in table.lower()):
            return "its table of captions is parquet, or is in a zip file or behind a URL"
        if len(self._recognised) > 1:
            return f"its captions are in several tables: {' and '.join(self._recognised)}"
        return _NOT_WRITTEN.get(self.spec.captions.kind)

    def new_sidecar(self, image: FileEntry) -> str:
        """The file beside an image that its caption belongs into, relative to the root."""
        ending = self.spec.captions.suffix or self._usual_ending()
        stems = Counter(stem_of(other.path) for other in self.images)
        base = image.file if stems[stem_of(image.path)] > 1 else stem_of(image.file)
        return base + ending

    def _usual_ending(self) -> str:
        """Of the files that hold captions already: those with .json are read only while there are no others."""
        endings = Counter(
            suffix_of(raw.file)
            for raw in self.gathered.raws.values()
            if raw.file is not None and raw.file not in self.gathered.forms
        )
        return endings.most_common(1)[0][0] if endings else SIDECAR_SUFFIXES[0]

    def exists(self, file: str) -> bool:
        """Whether anything has that name, a link that leads nowhere included; endings count without case."""
        folder, name = os.path.split(os.path.join(self.root, file))
        base, ending = os.path.splitext(name)
        return any(os.path.lexists(os.path.join(folder, base + form)) for form in {ending, ending.upper()})


def caption_places(
    spec: DatasetSpec, *, root: str, allow_outside: bool = False, remote: RemoteAccess = NO_REMOTE
) -> CaptionPlaces:
    """Lists the dataset and reads its captions. allow_outside, remote: as in scan_datasets."""
    sources = Sources(root, allow_outside=allow_outside, remote=remote)
    spec = sources.resolved(spec)
    listing = sources.list_all(spec)
    read = caption_reader(listing.guard, listing.refused)
    inputs = inputs_of(listing, spec, root)
    listing.virtual.fetch(inputs, ())
    if inputs.paired is not None:
        sides = [side_of(inputs.paired.images, side, inputs.paired.texts) for side in (AFTER, BEFORE)]
        selection = Selection(images=(), texts={path: entry for side in sides for path, entry in side.texts.items()})
        gathered = Gathered()
        for found in (gather(spec, side, read) for side in sides):
            gathered.used |= found.used
            gathered.forms |= found.forms
    else:
        selection = inputs.selection or Selection(images=(), texts={})
        gathered = gather(spec, selection, read)
    return CaptionPlaces(
        spec=spec, root=root, images=selection.images, gathered=gathered, read=read, texts=selection.texts
    )
