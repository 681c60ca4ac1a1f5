"""Files of datasets that are no files of the disk by themselves: those in zip files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from stat import S_ISDIR
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.model.file_names import nfc
from scenario_apply.model.globs import glob_pattern, with_low_ending
from scenario_apply.model.lint_rules import Finding

if TYPE_CHECKING:
    from scenario_apply.manifest.loader.archives import Archives
    from scenario_apply.manifest.loader.data_guard import DataGuard
    from scenario_apply.manifest.loader.listing import Folder


_MOST_NAMED = 3


class Notes(NamedTuple):
    """images_below: sub-folders, relative to the root -> the number of pictures directly in them."""

    findings: tuple[Finding, ...] = ()
    images_below: Mapping[str, int] = {}  # never modified


class Elsewhere:
    """What lies elsewhere, for the datasets of one run. Nothing is imported until a dataset needs it."""

    def __init__(self) -> None:
        self._archives: Archives | None = None

    def open(self, path: str, guard: DataGuard) -> int:
        """A descriptor of a file in a zip. path: absolute. Raises Barred, OSError."""
        return self._zips.open(path, guard)

    def walk(self, full: str, guard: DataGuard, *, depth: int | None) -> Iterator[Folder] | None:
        """The folder and its sub-folders, as listing.walk gives them; None for a path of the disk itself."""
        place = self._zips.split(full) if ".zip" in full.lower() else None
        return None if place is None else self._zips.walk(*place, guard, depth=depth)

    def on_disk(self, full: str) -> str:
        """The file that a path changes with: the zip for a path in a zip, otherwise the path itself."""
        place = self._zips.split(full) if ".zip" in full.lower() else None
        return full if place is None else place[0]

    def notes(self, full: str, guard: DataGuard, file: str) -> Notes:
        """What a folder that walk() gave leaves out. file: the folder, relative to the root."""
        place = self._zips.split(full)
        if place is None:
            return Notes()
        archive = self._zips.read(place[0], guard)
        shown, hint = file[: len(file) - len(place[1])].rstrip("/"), "make the zip again without them"
        found = [Finding("N10", f"{shown}: {text}", hint=hint) for text in archive.refused]
        if archive.nested:
            what = f"{shown}: a zip file in it is not opened: {', '.join(archive.nested[:_MOST_NAMED])}"
            found.append(Finding("N10", what, hint="unpack it, and name it by itself", severity="warning"))
        prefix = f"{place[1]}/" if place[1] else ""
        names = [row[0] for row in archive.folders.get(place[1], []) if S_ISDIR(row[4])]
        below = {f"{file}/{name}": archive.images_in(prefix + name) for name in names}
        return Notes(tuple(found), {path: count for path, count in below.items() if count})

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
