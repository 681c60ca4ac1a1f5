"""Lists the folders and files that a dataset names: resolves patterns, and keeps the listing inside the root."""

from __future__ import annotations

import os
from collections.abc import Sequence
from stat import S_IFREG, S_ISDIR
from typing import TYPE_CHECKING

from msgspec import Struct, field

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.scan.barriers import no_consent_finding, refusal_finding
from scenario_apply.dataset.scan.layouts import layout_below
from scenario_apply.dataset.scan.remote_objects import located
from scenario_apply.dataset.scan.virtual_files import VirtualFiles, matching_zips
from scenario_apply.dataset.scan.written_paths import WrittenPaths
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.manifest.loader.listing import (
    Folder,
    RealPaths,
    Row,
    list_folder,
    tables_of,
    walk,
)
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.file_names import NearestName, is_image_name, is_table_name, is_unicode, spelled
from scenario_apply.model.globs import has_magic
from scenario_apply.model.lint_rules import Finding
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess, is_url

if TYPE_CHECKING:
    from scenario_apply.dataset.pair_tables import TableRow

MOST_FILES = 200_000
"""Files and folders that are listed for one dataset."""
MOST_FILES_IN_ALL = 4_000_000
_MOST_TABLE_BYTES = 24 << 20  # of tables above the images, counted for every dataset that may have to read them
_YAML_COST = 20  # reading YAML takes so much longer than reading CSV
_ROWS_OF_A_LISTING = 5  # opening a folder takes as long as listing this many files


class SourceFolder(Struct):
    """One source of pictures. file: relative to the root. keep: a glob over paths below it; None: all.

    names: the files to use, when the dataset names single files of the folder.
    """

    file: str
    folders: list[Folder]
    keep: str | None = None
    side: str = ""  # before or after, in pairs
    names: dict[str, None] | None = None
    layout: str = ""  # of the folders below it that are read, too: a kind of Convention


class Listing(Struct):
    """Everything a dataset depends on. stats: (file, size, mtime_ns, identity) of single files such as captions.

    guard: opens what is listed.
    """

    guard: DataGuard
    virtual: VirtualFiles = field(default_factory=VirtualFiles)
    places: list[SourceFolder] = field(default_factory=list)
    stats: list[tuple[str, int, int, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refused: dict[str, Finding] = field(default_factory=dict)  # by file, as written: why it must not be read
    links: list[str] = field(default_factory=list)  # real paths of folders that are links
    rows: list[TableRow] = field(default_factory=list)  # pairs of a table or a list
    parent_tables: list[FileEntry] = field(default_factory=list)  # tables one folder up
    above: list[FileEntry] = field(default_factory=list)  # tables further up, within the root
    siblings: list[FileEntry] = field(default_factory=list)  # folders beside the pictures' that may hold captions
    by_folder: dict[tuple[str, str], SourceFolder] = field(default_factory=dict)  # of single files, by folder and side
    images_below: dict[str, int] = field(default_factory=dict)  # sub-folders that are not of the disk: their pictures

    def fingerprint(self) -> tuple[object, ...]:
        """Plain values that change when anything listed does."""
        places = [
            (p.file, p.keep, p.side, [folder[1:] for folder in p.folders], p.names and tuple(p.names))
            for p in self.places
        ]
        found = [(finding.what, finding.hint) for finding in self.findings]
        return (places, self.stats, self.links, [entry[1:] for entry in self._beyond()], found)

    def mtimes(self) -> list[int]:
        rows = [row[2] for place in self.places for folder in place.folders for row in folder.rows]
        return [*rows, *(stat[2] for stat in self.stats), *(entry.mtime_ns for entry in self._beyond())]

    def _beyond(self) -> list[FileEntry]:
        """Entries outside the listed places."""
        return [*self.parent_tables, *self.above, *self.siblings]


class Sources:
    """Lists datasets below one root. allow_outside: the caller accepts `allow_outside_root` in datasets."""

    def __init__(self, root: str, *, allow_outside: bool, remote: RemoteAccess = NO_REMOTE) -> None:
        self._root = os.path.normpath(root)
        self._real = RealPaths()
        self._virtual = VirtualFiles(remote)
        self._guards = {
            allowed: DataGuard(self._root, may_leave=allowed and allow_outside, others=self._virtual)
            for allowed in (False, True)
        }
        self._paths = WrittenPaths(self._root, self._may_list)
        self._left = MOST_FILES_IN_ALL
        self._left_of_dataset = 0
        self._nearest: dict[str, NearestName] = {}
        self._tables: dict[str, list[Row]] = {}  # by folder
        self._table_bytes_left = _MOST_TABLE_BYTES

    def resolved(self, spec: DatasetSpec) -> DatasetSpec:
        """The dataset with its paths as the disk spells them."""
        return self._paths.resolved(spec)

    def exists(self, file: str) -> bool:
        """Whether there is something of that name, relative to the root. Nothing is opened."""
        return "\0" not in file and os.path.lexists(os.path.join(self._root, file))

    def _may_list(self, folder: str) -> bool:
        return self._guards[False].barrier(self._real.of(folder)) is None

    def list_all(self, spec: DatasetSpec) -> Listing:
        """Everything that spec names. Missing, hidden or outside files are findings and are not listed."""
        out = Listing(self._guards[spec.allow_outside_root], self._virtual)
        self._left_of_dataset = min(MOST_FILES, self._left)
        if self._left < 0:
            out.findings.append(_too_many(in_all=True))
            return out
        with located(spec, "images"):
            self._virtual.ask_for(spec)
        added: set[str] = set()
        for index, written in enumerate(spec.images):
            for pattern in self._paths.meant(written):
                if pattern not in added:
                    added.add(pattern)
                    self._add_written(out, spec, pattern, f"images.{index}")
        for side, folder in (("before", spec.before), ("after", spec.after)):
            if folder is not None:
                self._add_written(out, spec, folder, side, side)
            elif spec.before is not None or spec.after is not None:
                out.findings.append(
                    Finding("P01", f"the dataset names no {side} folder", hint=f"add `{side}: ./folder`")
                )
        if spec.pairs is not None and spec.pairs.folder is not None:
            self._add_written(out, spec, spec.pairs.folder, "pairs.folder")
        table = spec.pairs.table if spec.pairs is not None else None
        for file in (spec.captions.path if spec.captions.kind == "file" else None, table):
            if file is not None:
                self._stat(out, spec, file)
        if spec.captions.kind == "recognise" and not spec.is_pairs:
            self._add_tables_above(out)
        return out

    def _add_tables_above(self, out: Listing) -> None:
        """Tables above the pictures, which may hold their captions."""
        listed = {place.file for place in out.places}
        parents = {_folder_above(place.file) for place in out.places if place.file != "." and not is_url(place.file)}
        further = set()
        for parent in parents:
            while parent != ".":
                parent = _folder_above(parent)
                further.add(parent)
        for parent in sorted(parents | further):
            if parent in listed or parent.startswith("..") or parent.endswith("/.."):
                continue
            full = os.path.normpath(os.path.join(self._root, parent))
            if full not in self._tables:
                self._tables[full] = tables_of(full, out.guard)
            for name, size, mtime_ns, identity, *_ in self._tables[full]:
                self._table_bytes_left -= size * (_YAML_COST if name.lower().endswith((".yaml", ".yml")) else 1)
                if self._table_bytes_left < 0:
                    return
                file = name if parent == "." else f"{parent}/{name}"
                found = (
                    out.siblings if not is_table_name(name) else out.parent_tables if parent in parents else out.above
                )
                if file not in listed and (parent in parents or found is out.above):
                    found.append(FileEntry(name, file, size, mtime_ns, identity))

    def add_folders_of(self, out: Listing, spec: DatasetSpec, files: Sequence[str]) -> None:
        """Adds the folders of single pictures, for pairs from a table or list."""
        folders: dict[str, list[str]] = {}
        for file in files:
            folder, _, name = file.rpartition("/")
            folders.setdefault(folder or ".", []).append(name)
        for folder in folders:
            if self._left_of_dataset < 0:
                return
            full = self._inside(out, spec, self._paths.on_disk(folder))
            if full is not None:
                listed = self._list(out, full)
                if not listed.gone:
                    out.places.append(SourceFolder(self._file(full), [self._guarded(out, spec, listed)]))

    def _add_written(self, out: Listing, spec: DatasetSpec, pattern: str, key: str, side: str = "") -> None:
        """Adds one source. What is wrong with it is placed at its value in the manifest."""
        known = len(out.findings)
        with located(spec, key):
            self._add(out, spec, pattern, side)
        out.findings[known:] = [f if f.file is not None else f._replace(key=key) for f in out.findings[known:]]

    def _add(self, out: Listing, spec: DatasetSpec, pattern: str, side: str = "") -> None:
        if self._left_of_dataset < 0:
            return
        if (
            has_magic(pattern)
            and not pattern.startswith("http")
            and not os.path.lexists(os.path.join(self._root, pattern))
        ):
            self._add_glob(out, spec, pattern, side)
            return
        full = self._inside(out, spec, pattern)
        if full is None:
            return
        listed = self._walk(out, full, None) if spec.recursive else [self._list(out, full)]
        folders = [self._guarded(out, spec, folder) for folder in listed]
        if folders[0].gone == "a file":
            self._add_file(out, spec, full, side)
        elif folders[0].gone:
            out.findings.append(self._gone(pattern, full, folders[0].gone))
        else:
            place = SourceFolder(self._file(folders[0].path), folders, None, side)
            if not (spec.recursive or spec.is_pairs):
                below = layout_below(folders[0], lambda path: self._guarded(out, spec, self._list(out, path)))
                place.folders += below.folders
                place.layout = below.kind
            out.places.append(place)

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
        folders = [self._guarded(out, spec, folder) for folder in self._walk(out, full, depth)]
        if folders[0].gone:
            out.findings.append(self._gone(pattern, full, folders[0].gone))
            return
        if rest[-1].lower().endswith(".zip"):
            found = matching_zips(folders, "/".join(rest))
            if not found:
                out.findings.append(Finding("N01", f"no zip file matches {pattern}"))
            for path in found:
                self._add(out, spec, self._file(path), side)
            return
        out.places.append(SourceFolder(self._file(folders[0].path), folders, "/".join(rest), side))

    def _add_file(self, out: Listing, spec: DatasetSpec, full: str, side: str) -> None:
        """Adds a single file; its folder is listed once, however many of its files are named."""
        parent, name = os.path.split(full)
        file = self._file(parent)
        twin = out.by_folder.get((file, side))
        if twin is None:
            listed = self._guarded(out, spec, self._list(out, parent))
            twin = out.by_folder[file, side] = SourceFolder(file, [listed], side=side, names={})
            out.places.append(twin)
        assert twin.names is not None
        twin.names[name] = None

    def _list(self, out: Listing, full: str) -> Folder:
        if self._virtual.walk(full, out.guard, depth=0) is not None:
            return self._walk(out, full, 0)[0]
        folder = list_folder(full, out.guard)
        self._count(out, folder)
        return folder

    def _count(self, out: Listing, folder: Folder) -> bool:
        """Whether more may be listed; adds one finding when the limit is reached."""
        cost = _ROWS_OF_A_LISTING + len(folder.rows)
        before = self._left_of_dataset
        self._left -= cost
        self._left_of_dataset -= cost
        if before >= 0 > self._left_of_dataset:
            out.findings.append(_too_many(in_all=self._left < 0))
        return self._left_of_dataset >= 0

    def _walk(self, out: Listing, full: str, depth: int | None) -> list[Folder]:
        found = []
        there = self._virtual.walk(full, out.guard, depth=depth)
        for folder in there or walk(full, out.guard, depth=depth):
            found.append(folder)
            if not self._count(out, folder):
                break
        if there is not None and not found[0].gone:
            notes = self._virtual.notes(found[0].path, out.guard, self._file(found[0].path))
            out.findings += notes.findings
            out.images_below.update(notes.images_below)
        return found

    def _inside(self, out: Listing, spec: DatasetSpec, written: str) -> str | None:
        """The absolute path of a path in the manifest; None, with a finding, when it must not be read."""
        if is_url(written):
            permitted = self._virtual.access.permits(written)
            out.findings += [] if permitted else [no_consent_finding(written)]
            return written.rstrip("/") if permitted else None
        full = os.path.normpath(os.path.join(self._root, written))
        try:
            real = self._real.of(full)
        except ValueError:  # a NUL byte
            out.findings.append(Finding("N01", f"{written!r} is not a path"))
            return None
        if real != full:
            out.links.append(real)
        barrier = out.guard.barrier(real) or out.guard.barrier_as_written(full)
        if barrier is None:
            return full
        link_to = spelled(real) if real != full and out.guard.is_inside(full) else None
        declared = spec.allow_outside_root
        out.findings.append(refusal_finding(barrier, written, link_to=link_to, declared=declared))
        return None

    def _guarded(self, out: Listing, spec: DatasetSpec, folder: Folder) -> Folder:
        """The folder without links whose target must not be read. Such caption files stay listed, as refused."""
        if not any(row[5] for row in folder.rows):
            return folder
        kept = []
        for row in folder.rows:
            barrier = out.guard.barrier(row[5]) if row[5] and row[4] else None
            if barrier is None:
                kept.append(row)
                continue
            file = self._file(f"{folder.path}/{row[0]}")
            link_to, declared = spelled(row[5]), spec.allow_outside_root
            found = refusal_finding(barrier, spelled(row[0]), spelled(file), link_to=link_to, declared=declared)
            out.findings.append(found)
            out.links.append(row[5])
            if not S_ISDIR(row[4]) and not is_image_name(row[0]):
                out.refused[file] = found  # so that its picture is not reported as uncaptioned too
                kept.append((*row[:4], S_IFREG, row[5]))
        return folder._replace(rows=kept)

    def _stat(self, out: Listing, spec: DatasetSpec, written: str) -> None:
        full = self._inside(out, spec, written)
        if full is None:
            out.refused[written.removeprefix("./")] = out.findings.pop()  # reported when the file would be read
            return
        try:
            with located(spec, "pairs.table" if spec.is_pairs else "captions.file"):
                out.stats.append((self._file(full), *self._virtual.stat(full)))
        except OSError:
            out.stats.append((self._file(full), -1, 0, 0))  # reported as missing when it would be read

    def _file(self, full: str) -> str:
        """Relative to the root, POSIX; "." for the root itself. A URL as it is."""
        if is_url(full):
            return full
        if full.startswith(self._root + os.sep):
            return full[len(self._root) + 1 :].replace(os.sep, "/")
        return os.path.relpath(full, self._root).replace(os.sep, "/")

    def _gone(self, written: str, full: str, why: str) -> Finding:
        if why != "missing":
            return Finding("N01", f"{written} cannot be listed: {why}")
        parent, name = os.path.split(full)
        if parent not in self._nearest:
            try:
                self._nearest[parent] = NearestName(filter(is_unicode, sorted(os.listdir(parent))))
            except OSError:
                self._nearest[parent] = NearestName(())
        near = self._nearest[parent].of(name)
        hint = (
            f"did you mean {os.path.join(os.path.dirname(written), near)}?"
            if near
            else "paths are relative to the manifest"
        )
        return Finding("N01", f"{written} does not exist", hint=hint)


def _folder_above(file: str) -> str:
    """Of a folder below the root; "." for the root itself."""
    return file.rpartition("/")[0] or "."


def _too_many(*, in_all: bool) -> Finding:
    if in_all:
        what = f"the datasets of this manifest list more than {MOST_FILES_IN_ALL:,} files in total"
    else:
        what = f"this dataset lists more than {MOST_FILES:,} files and folders"
    return Finding("N01", what, hint="name only the folders with its pictures")
