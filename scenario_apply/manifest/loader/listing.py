"""Lists dataset folders: names and stats, with links resolved. No file is opened.

Forty thousand files must take no more than 0.2 seconds, so rows are plain tuples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from scenario_apply.model.file_names import (
    CAPTION_FOLDERS,
    CAPTION_SUFFIXES,
    is_hidden_junk,
    is_image_name,
    is_junk_folder,
    is_unicode,
    may_caption_folders,
    nfc,
    stem_of,
    suffix_of,
)

if TYPE_CHECKING:
    from scenario_apply.manifest.loader.data_guard import DataGuard

# name, size, mtime_ns, identity, mode, real path if it is a link (else ""), sorted by name
Row = tuple[str, int, int, int, int, str]


class Folder(NamedTuple):
    """path: absolute. within: relative to the requested folder, "" for itself. gone: why it could not be listed.

    hidden: names of hidden files that other programs leave among pictures.
    """

    path: str
    within: str
    rows: list[Row]
    gone: str = ""
    hidden: tuple[str, ...] = ()


_MOST_BELOW = 50  # sub-folders of one that are counted


def list_folder(path: str, guard: DataGuard, within: str = "") -> Folder:
    """One folder without hidden files. A broken link is a row with mode 0. guard: decides what may be listed."""
    rows: list[Row] = []
    hidden: list[str] = []
    handle = -1
    try:
        handle = guard.open_folder(path)
        with os.scandir(handle) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    if is_hidden_junk(name):
                        hidden.append(name)
                    continue
                if entry.is_symlink():
                    rows.append(_link_row(path, name))
                    continue
                try:
                    stat = entry.stat()
                except FileNotFoundError:  # deleted since it was listed
                    continue
                identity = stat.st_ino ^ stat.st_ctime_ns  # identity_of(), without a call for each file
                rows.append((name, stat.st_size, stat.st_mtime_ns, identity, stat.st_mode, ""))
    except OSError as error:
        return Folder(path, within, [], _why(error))
    finally:
        if handle >= 0:
            os.close(handle)
    rows.sort()
    return Folder(path, within, rows, hidden=tuple(sorted(hidden)))


def identity_of(stat: os.stat_result) -> int:
    """Which file that is, and which content: its inode and the time of its last change, folded into one number.

    Size and mtime may be set back after a write (cp -p, rsync --times, touch -r); the time of the change cannot.
    """
    return stat.st_ino ^ stat.st_ctime_ns


def _link_row(path: str, name: str) -> Row:
    full = f"{path}/{name}"
    real = os.path.realpath(full)
    try:
        stat = os.stat(real)
    except OSError:
        return (name, 0, 0, 0, 0, real)
    return (name, stat.st_size, stat.st_mtime_ns, identity_of(stat), stat.st_mode, real)


def walk(path: str, guard: DataGuard, *, depth: int | None) -> Iterator[Folder]:
    """The folder and its sub-folders, down to depth levels (None: all), without junk folders.

    A link is followed if the guard allows its target and the target is not a parent.
    """
    visited: set[str] = set()
    pending = [(path, "", 0)]
    while pending:
        here, within, level = pending.pop()
        folder = list_folder(here, guard, within)
        yield folder
        if depth is not None and level >= depth:
            continue
        below = []
        for row in folder.rows:
            if S_ISDIR(row[4]) and not is_junk_folder(row[0]):
                if row[5]:
                    if row[5] in visited or guard.barrier(row[5]) or is_within(os.path.realpath(here), row[5]):
                        continue
                    visited.add(row[5])
                below.append((f"{here}/{row[0]}", f"{within}/{row[0]}" if within else row[0], level + 1))
        pending.extend(reversed(below))


def tables_of(path: str, guard: DataGuard) -> list[Row]:
    """The rows of tables, maps and folders of captions directly in a folder; none when it cannot be listed."""
    handle, rows = -1, []
    try:
        handle = guard.open_folder(path)
        with os.scandir(handle) as entries:
            for entry in entries:
                is_table = may_caption_folders(entry.name) and entry.is_file(follow_symlinks=False)
                is_folder = entry.name.lower() in CAPTION_FOLDERS and entry.is_dir(follow_symlinks=False)
                if entry.name[0] != "." and (is_table or is_folder):
                    stat = entry.stat()
                    rows.append((entry.name, stat.st_size, stat.st_mtime_ns, identity_of(stat), stat.st_mode, ""))
    except OSError:
        return []
    finally:
        if handle >= 0:
            os.close(handle)
    return sorted(rows)


def files_of(folder: Folder) -> list[tuple[str, int, int, int]]:
    """(name, size, mtime_ns, identity) of its regular files; a broken link counts as an empty file."""
    return [row[:4] for row in folder.rows if S_ISREG(row[4]) or (not row[4] and row[5])]


def junk_folders_of(folder: Folder) -> list[str]:
    """Sub-folders with caches and such things of other programs, whose names say so."""
    return [row[0] for row in folder.rows if S_ISDIR(row[4]) and is_junk_folder(row[0])]


def subfolders_of(folder: Folder) -> list[str]:
    return [row[0] for row in folder.rows if S_ISDIR(row[4]) and not is_junk_folder(row[0])]


def caption_stems(path: str, guard: DataGuard, most: int = 10_000) -> frozenset[str]:
    """The names of caption files directly in a folder, without ending, in lower case; none when it cannot be listed."""
    handle, stems = -1, set()
    try:
        handle = guard.open_folder(path)
        with os.scandir(handle) as entries:
            for _, entry in zip(range(most), entries, strict=False):
                if suffix_of(entry.name) in CAPTION_SUFFIXES and is_unicode(entry.name):
                    stems.add(stem_of(nfc(entry.name)).casefold())
    except OSError:
        return frozenset()
    finally:
        if handle >= 0:
            os.close(handle)
    return frozenset(stems)


def count_images(path: str, depth: int = 0) -> int:
    """The number of pictures in a folder; 0 when it cannot be listed. depth: levels of sub-folders to count, too."""
    try:
        with os.scandir(path) as entries:
            found = [entry for entry in entries if entry.name[0] != "."]
    except OSError:
        return 0
    below = [entry.path for entry in found if entry.is_dir(follow_symlinks=False)] if depth else []
    count = sum(is_image_name(entry.name) for entry in found)
    return count + sum(count_images(folder, depth - 1) for folder in below[:_MOST_BELOW])


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "missing"
        case NotADirectoryError():
            return "a file"
        case PermissionError():
            return error.strerror or "permission denied"
        case _:
            return error.strerror or type(error).__name__


class RealPaths:
    """os.path.realpath for many paths under few parents: one lstat per path instead of one per component."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The real path. path: absolute and normalised. A missing path is resolved as far as it exists."""
        known = self._known.get(path)
        if known is not None:
            return known
        parent, name = os.path.split(path)
        if not name:
            real = path
        else:
            try:
                is_link = os.path.islink(path)
                real = os.path.realpath(path) if is_link else os.path.join(self.of(parent), name)
            except OSError:
                real = path
        self._known[path] = real
        return real


def is_within(path: str, root: str) -> bool:
    """Whether path is root or below it. Both are real paths."""
    return path == root or path.startswith(root if root.endswith("/") else root + "/")
