"""From a dataset's words to folders that were listed: patterns resolved, the root guarded, everything stat'ed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenario_apply.dataset.image_selection import Listed, Selection, glob_pattern, has_magic, merge, select
from scenario_apply.dataset.scan.barriers import barred_finding
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.manifest.loader.listing import Folder, RealPaths, files_of, list_folder, subfolders_of, walk
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import is_unicode, nearest, spelled
from scenario_apply.model.lint_rules import Finding

if TYPE_CHECKING:
    from scenario_apply.dataset.pairing import TableRow


@dataclass(slots=True)
class SourceFolder:
    """One place pictures come from. file: relative to the root. keep: pattern over paths below it, None: all."""

    file: str
    folders: list[Folder]
    keep: str | None = None
    side: str = ""  # before or after, in pairs


@dataclass(slots=True)
class Listing:
    """All a dataset depends on, listed. stats: (file, size, mtime_ns, inode) of single files such as captions.

    guard: opens what is listed.
    """

    guard: DataGuard
    places: list[SourceFolder] = field(default_factory=list)
    stats: list[tuple[str, int, int, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    barred: dict[str, Finding] = field(default_factory=dict)  # files that must not be read, as written
    links: list[str] = field(default_factory=list)  # real paths of folders that are links
    rows: list[TableRow] = field(default_factory=list)  # pairs of a table or a list

    def fingerprint(self) -> tuple[object, ...]:
        """Plain values that change when anything listed does."""
        places = [(p.file, p.keep, p.side, [(f.within, f.gone, f.rows) for f in p.folders]) for p in self.places]
        return (places, self.stats, self.links)

    def mtimes(self) -> list[int]:
        rows = [row[2] for place in self.places for folder in place.folders for row in folder.rows]
        return [*rows, *(stat[2] for stat in self.stats)]


class Sources:
    """Lists datasets below one root. allow_outside: the caller consents to what datasets say of leaving it."""

    def __init__(self, root: str, *, allow_outside: bool) -> None:
        self._root = os.path.normpath(root)
        self._real = RealPaths()
        self._guards = {
            allowed: DataGuard(self._root, may_leave=allowed and allow_outside) for allowed in (False, True)
        }

    def list_all(self, spec: DatasetSpec) -> Listing:
        """Everything spec names. What is missing, hidden or outside the root is a finding, and is not listed."""
        out = Listing(self._guards[spec.allow_outside_root])
        for pattern in spec.images:
            self._add(out, spec, pattern)
        for side, folder in (("before", spec.before), ("after", spec.after)):
            if folder is not None:
                self._add(out, spec, folder, side)
            elif spec.before is not None or spec.after is not None:
                out.findings.append(
                    Finding("P01", f"the pairs have no {side} folder", hint=f"write `{side}: ./folder`")
                )
        if spec.pairs is not None and spec.pairs.folder is not None:
            self._add(out, spec, spec.pairs.folder)
        table = spec.pairs.table if spec.pairs is not None else None
        for file in (spec.captions.path if spec.captions.kind == "file" else None, table):
            if file is not None:
                self._stat(out, spec, file)
        return out

    def add_folders_of(self, out: Listing, spec: DatasetSpec, files: Sequence[str]) -> None:
        """The folders of single pictures, for pairs by table or list."""
        folders: dict[str, list[str]] = {}
        for file in files:
            folder, _, name = file.rpartition("/")
            folders.setdefault(folder or ".", []).append(name)
        for folder in folders:
            full = self._inside(out, spec, folder)
            if full is not None:
                listed = list_folder(full, out.guard)
                if not listed.gone:
                    out.places.append(SourceFolder(self._file(full), [self._guarded(out, spec, listed)]))

    def _add(self, out: Listing, spec: DatasetSpec, pattern: str, side: str = "") -> None:
        if has_magic(pattern) and not os.path.lexists(os.path.join(self._root, pattern)):
            self._add_glob(out, spec, pattern, side)
            return
        full = self._inside(out, spec, pattern)
        if full is None:
            return
        if spec.recursive:
            folders = [self._guarded(out, spec, folder) for folder in walk(full, out.guard, depth=None)]
        else:
            folders = [self._guarded(out, spec, list_folder(full, out.guard))]
        if folders[0].gone == "a file":
            parent, name = os.path.split(full)
            listed = self._guarded(out, spec, list_folder(parent, out.guard))
            out.places.append(SourceFolder(self._file(parent), [listed], re.escape(name), side))
        elif folders[0].gone:
            out.findings.append(self._gone(pattern, full, folders[0].gone))
        else:
            out.places.append(SourceFolder(self._file(full), folders, None, side))

    def _add_glob(self, out: Listing, spec: DatasetSpec, pattern: str, side: str) -> None:
        parts = pattern.replace("\\", "/").removeprefix("./").split("/")
        fixed = next(at for at, part in enumerate(parts) if has_magic(part))
        full = self._inside(out, spec, "/".join(parts[:fixed]) or ".")
        if full is None:
            return
        rest = parts[fixed:]
        if not rest[-1]:
            rest[-1] = "*"
        depth = None if any("**" in part for part in rest) else len(rest) - 1
        folders = [self._guarded(out, spec, folder) for folder in walk(full, out.guard, depth=depth)]
        if folders[0].gone:
            out.findings.append(self._gone(pattern, full, folders[0].gone))
            return
        out.places.append(SourceFolder(self._file(full), folders, glob_pattern("/".join(rest)).pattern, side))

    def _inside(self, out: Listing, spec: DatasetSpec, written: str) -> str | None:
        """The absolute path of what is written, or None and a finding when it must not be read."""
        full = os.path.normpath(os.path.join(self._root, written))
        try:
            real = self._real.of(full)
        except ValueError:  # a NUL byte
            out.findings.append(Finding("N01", f"{written!r} is not a path"))
            return None
        if real != full:
            out.links.append(real)
        barrier = out.guard.barrier(real) or out.guard.barrier_of_words(full)
        if barrier is None:
            return full
        link_to = spelled(real) if real != full and out.guard.is_inside(full) else None
        declared = spec.allow_outside_root
        out.findings.append(barred_finding(barrier, written, link_to=link_to, declared=declared))
        return None

    def _guarded(self, out: Listing, spec: DatasetSpec, folder: Folder) -> Folder:
        """The folder without links to what must not be read."""
        if not any(row[5] for row in folder.rows):
            return folder
        kept = []
        for row in folder.rows:
            barrier = out.guard.barrier(row[5]) if row[5] and row[4] else None
            if barrier is None:
                kept.append(row)
                continue
            file = spelled(self._file(f"{folder.path}/{row[0]}"))
            link_to, declared = spelled(row[5]), spec.allow_outside_root
            out.findings.append(barred_finding(barrier, spelled(row[0]), file, link_to=link_to, declared=declared))
            out.links.append(row[5])
        return folder._replace(rows=kept)

    def _stat(self, out: Listing, spec: DatasetSpec, written: str) -> None:
        full = self._inside(out, spec, written)
        if full is None:
            out.barred[written.removeprefix("./")] = out.findings.pop()  # told by whoever would read it
            return
        try:
            stat = os.stat(full)
        except OSError:
            out.stats.append((self._file(full), -1, 0, 0))  # whoever reads it says that it is missing
        else:
            out.stats.append((self._file(full), stat.st_size, stat.st_mtime_ns, stat.st_ino))

    def _file(self, full: str) -> str:
        """Relative to the root, POSIX; "." for the root itself."""
        if full.startswith(self._root + os.sep):
            return full[len(self._root) + 1 :].replace(os.sep, "/")
        return os.path.relpath(full, self._root).replace(os.sep, "/")

    def _gone(self, written: str, full: str, why: str) -> Finding:
        if why != "missing":
            return Finding("N01", f"{written} cannot be listed: {why}")
        parent, name = os.path.split(full)
        try:
            near = nearest(name, filter(is_unicode, sorted(os.listdir(parent))))
        except OSError:
            near = None
        hint = (
            f"did you mean {os.path.join(os.path.dirname(written), near)}?"
            if near
            else "paths are relative to the manifest"
        )
        return Finding("N01", f"there is no {written}", hint=hint)


def selection_of(listing: Listing, spec: DatasetSpec) -> Selection:
    """The pictures and texts of all places, under paths relative to what the places have in common."""
    if not listing.places:
        return Selection(images=(), texts={})
    sides = any(place.side for place in listing.places)
    common = "" if sides else os.path.commonpath(["/" + p.file if p.file != "." else "/" for p in listing.places])
    selections = []
    for place in listing.places:
        own = "/" + place.file if place.file != "." else "/"
        prefix = place.side or os.path.relpath(own, common).replace(os.sep, "/").removeprefix(".")
        listed = [
            Listed(
                path="/".join(part for part in (prefix, folder.within) if part),
                file="/".join(part for part in (place.file, folder.within) if part and part != "."),
                rows=files_of(folder),
            )
            for folder in place.folders
        ]
        keep = None
        if place.keep is not None:
            keep = re.compile((re.escape(prefix + "/") if prefix else "") + place.keep)
        selections.append(select(listed, exclude=spec.exclude, keep=keep))
    return merge(selections)


def unentered(listing: Listing, spec: DatasetSpec, root: str) -> dict[str, int]:
    """Sub-folders that hold pictures and were not entered: folder, relative to the root -> how many."""
    from scenario_apply.manifest.loader.listing import count_images

    if spec.recursive:
        return {}
    taken = {place.file for place in listing.places}
    counts = {}
    for place in listing.places:
        if place.keep is not None or len(place.folders) > 1:
            continue
        for name in subfolders_of(place.folders[0]):
            file = f"{place.file}/{name}" if place.file != "." else name
            if file not in taken and (count := count_images(f"{root}/{file}")):
                counts[spelled(file)] = count
    return counts
