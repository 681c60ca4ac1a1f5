"""Files of datasets that are not files on the disk: entries of zip files, and files behind URLs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from stat import S_ISDIR
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.manifest.loader.listing import identity_of
from scenario_apply.model.file_names import CAPTION_SUFFIXES, TABLE_SUFFIXES, nfc, suffix_of
from scenario_apply.model.globs import glob_pattern, with_low_ending
from scenario_apply.model.lint_rules import Finding
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess, is_url

if TYPE_CHECKING:
    from scenario_apply.dataset.assemble import DatasetInputs
    from scenario_apply.dataset.facts import Facts, FileEntry
    from scenario_apply.dataset.scan.remote_files import RemoteFiles
    from scenario_apply.manifest.loader.archives import Archives
    from scenario_apply.manifest.loader.data_guard import DataGuard
    from scenario_apply.manifest.loader.listing import Folder
    from scenario_apply.manifest.spec import DatasetSpec


_MOST_NAMED = 3


class Notes(NamedTuple):
    """images_below: sub-folders, relative to the root -> the number of pictures directly in them."""

    findings: tuple[Finding, ...] = ()
    images_below: Mapping[str, int] = {}  # never modified


class VirtualFiles:
    """Opens such files for the datasets of one run. Nothing is imported until a dataset needs it.

    access: the URLs that the caller consents to read.
    """

    def __init__(self, access: RemoteAccess = NO_REMOTE) -> None:
        self.access = access
        self._archives: Archives | None = None
        self._remote_files: RemoteFiles | None = None

    @property
    def is_remote(self) -> bool:
        """Whether a URL was read. Threads of the stores' libraries may run since then."""
        return self._remote_files is not None

    def open(self, path: str, guard: DataGuard) -> int:
        """A descriptor of a file in a zip, or behind a URL. path: absolute, or a URL. Raises Barred, OSError."""
        return self._remote.open(path) if is_url(path) else self._zips.open(path, guard)

    def walk(self, full: str, guard: DataGuard, *, depth: int | None) -> Iterator[Folder] | None:
        """The folder and its sub-folders, as listing.walk gives them; None for a path of the disk itself."""
        if is_url(full):
            return self._remote.walk(full, depth=depth)
        place = self._zips.split(full) if ".zip" in full.lower() else None
        return None if place is None else self._zips.walk(*place, guard, depth=depth)

    def stat(self, full: str) -> tuple[int, int, int]:
        """Size, mtime_ns and identity of a file, or of the zip that it is in. Raises OSError."""
        if is_url(full):
            found = self._remote.stat(full)
            if found is None:
                raise FileNotFoundError(full)
            return found[1:3] + found[4:]
        place = self._zips.split(full) if ".zip" in full.lower() else None
        stat = os.stat(full if place is None else place[0])
        return stat.st_size, stat.st_mtime_ns, identity_of(stat)

    def ask_for(self, spec: DatasetSpec) -> None:
        """Asks for the single files of a dataset at once that lie on web servers."""
        urls = [url for url in spec.images if url.startswith(("https://", "http://")) and self.access.permits(url)]
        if urls:
            self._remote.stat_all(urls)

    def fetch(self, inputs: DatasetInputs, fresh: Iterable[FileEntry]) -> None:
        """Fetches at once what a dataset is about to read from URLs: pictures, and texts that may be captions."""
        texts = inputs.selection.texts if inputs.selection is not None else inputs.paired and inputs.paired.texts
        may_caption = CAPTION_SUFFIXES | TABLE_SUFFIXES
        files = [entry.file for entry in (texts or {}).values() if suffix_of(entry.path) in may_caption]
        if urls := [file for file in (*files, *(entry.file for entry in fresh)) if is_url(file)]:
            self._remote.fetch_all(urls)

    def known_by_checksum(self, fresh: Iterable[FileEntry], known: Mapping[str, Facts]) -> dict[str, Facts]:
        """Facts by file of pictures that need not be fetched: their store's SHA-256 is that of a picture of known."""
        entries = {entry.file: entry for entry in fresh if entry.file.startswith("s3://")}
        digests = self._remote.checksums(entries) if entries and known else {}
        return {
            file: known[digest]._replace(file=file, mtime_ns=entries[file].mtime_ns, identity=entries[file].identity)
            for file, digest in digests.items()
            if digest in known and known[digest].size == entries[file].size
        }

    def notes(self, full: str, guard: DataGuard, file: str) -> Notes:
        """What a folder that walk() gave leaves out. file: the folder, relative to the root."""
        if is_url(full):
            return Notes(images_below={path: count for path, count in self._remote.images_below(full).items() if count})
        place = self._zips.split(full)
        if place is None:
            return Notes()
        archive = self._zips.read(place[0], guard)
        shown, hint = file[: len(file) - len(place[1])].rstrip("/"), "make the zip again without them"
        found = [Finding("N10", f"{shown}: {text}", hint=hint) for text in archive.refused]
        if archive.nested:
            names_shown = ", ".join(name[:200] for name in archive.nested[:_MOST_NAMED])
            what = f"{shown}: a zip file in it is not opened: {names_shown}"
            found.append(Finding("N10", what, hint="unpack it, and name it by itself", severity="warning"))
        prefix = f"{place[1]}/" if place[1] else ""
        names = [row[0] for row in archive.folders.get(place[1], []) if S_ISDIR(row[4])]
        below = {f"{file}/{name}": archive.images_in(prefix + name) for name in names}
        return Notes(tuple(found), {path: count for path, count in below.items() if count})

    @property
    def _remote(self) -> RemoteFiles:
        if self._remote_files is None:
            from scenario_apply.dataset.scan.remote_files import RemoteFiles

            self._remote_files = RemoteFiles(self.access)
        return self._remote_files

    @property
    def _zips(self) -> Archives:
        if self._archives is None:
            from scenario_apply.manifest.loader.archives import Archives

            self._archives = Archives()
        return self._archives


def matching_zips(folders: Sequence[Folder], pattern: str) -> list[str]:
    """The zip files in listed folders whose path, within them, matches a glob."""
    match = glob_pattern(with_low_ending(nfc(pattern))).fullmatch
    listed = ((folder, row[0]) for folder in folders for row in folder.rows)
    return [
        f"{folder.path}/{name}"
        for folder, name in listed
        if match(with_low_ending(nfc(f"{folder.within}/{name}".removeprefix("/"))))
    ]
