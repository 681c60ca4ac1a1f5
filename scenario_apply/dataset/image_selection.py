"""Which files of the listed folders are the dataset's pictures, which may be captions, and what is left aside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.model.file_names import (
    CAPTION_SUFFIXES,
    IMAGE_SUFFIXES,
    is_junk_file,
    is_unicode,
    natural_key,
    nfc,
    spelled,
    suffix_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One folder as it was listed. path: within the dataset, "" for its top; file: relative to the root.

    rows: (name, size, mtime_ns, inode) of its regular files. subfolders: names of folders in it that were not entered.
    """

    path: str
    file: str
    rows: Sequence[tuple[str, int, int, int]]
    subfolders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """images in natural order of their paths; texts: every other file by path within the dataset."""

    images: tuple[FileEntry, ...]
    texts: Mapping[str, FileEntry]
    junk: tuple[str, ...] = ()  # files, relative to the root
    nameless: tuple[str, ...] = ()  # pictures and captions whose names are not Unicode, spelled out: left aside
    excluded: frozenset[str] = frozenset()  # paths of pictures that a glob or `exclude` leaves out


def select(folders: Iterable[Listed], *, exclude: Sequence[str] = (), keep: re.Pattern[str] | None = None) -> Selection:
    """keep: pattern over the path within the dataset that pictures must match; None: every picture."""
    images: dict[str, FileEntry] = {}
    texts: dict[str, FileEntry] = {}
    junk: list[str] = []
    nameless: list[str] = []
    excluded: set[str] = set()
    unwanted = _exclusion(exclude)
    for folder in folders:
        path_prefix = folder.path + "/" if folder.path else ""
        file_prefix = folder.file + "/" if folder.file not in ("", ".") else ""
        is_named = is_unicode(folder.path) and is_unicode(folder.file)
        for name, size, mtime_ns, inode in folder.rows:
            if not (is_named and (name.isascii() or is_unicode(name))):
                if suffix_of(name) in IMAGE_SUFFIXES | CAPTION_SUFFIXES:
                    nameless.append(spelled(file_prefix + name))
                continue
            path = path_prefix + (name if name.isascii() else nfc(name))
            ending = name[name.rfind(".") :].lower()
            if name[0] in ".~" or (ending not in CAPTION_SUFFIXES and is_junk_file(name)):
                junk.append(file_prefix + name)
            elif ending in IMAGE_SUFFIXES:
                if (unwanted is not None and unwanted(path)) or not (keep is None or keep.fullmatch(path)):
                    excluded.add(path)
                else:
                    images[path] = FileEntry(path, file_prefix + name, size, mtime_ns, inode)
            else:
                texts[path] = FileEntry(path, file_prefix + name, size, mtime_ns, inode)
    ordered = sorted(images.values(), key=_order)
    return Selection(
        images=tuple(ordered),
        texts=texts,
        junk=tuple(junk),
        nameless=tuple(nameless),
        excluded=frozenset(excluded),
    )


def merge(selections: Sequence[Selection]) -> Selection:
    """Several places as one dataset; a picture that two of them hold counts once."""
    if len(selections) == 1:
        return selections[0]
    by_file = {image.file: image for selection in selections for image in selection.images}
    return Selection(
        images=tuple(sorted(by_file.values(), key=_order)),
        texts={path: entry for selection in selections for path, entry in selection.texts.items()},
        junk=tuple(dict.fromkeys(file for selection in selections for file in selection.junk)),
        nameless=tuple(dict.fromkeys(file for selection in selections for file in selection.nameless)),
        excluded=frozenset().union(*(s.excluded for s in selections)) - {image.path for image in by_file.values()},
    )


def _order(entry: FileEntry) -> tuple[tuple[tuple[int, int, str], ...], str]:
    return natural_key(entry.path), entry.path


def _exclusion(patterns: Sequence[str]) -> Callable[[str], bool] | None:
    if not patterns:
        return None
    compiled = [glob_pattern(nfc(p.removeprefix("./")).rstrip("/")) for p in patterns]

    def is_excluded(path: str) -> bool:
        parts = path.split("/")
        candidates = {path, *parts, *("/".join(parts[:n]) for n in range(1, len(parts)))}
        return any(p.fullmatch(candidate) for p in compiled for candidate in candidates)

    return is_excluded


def has_magic(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def glob_pattern(pattern: str) -> re.Pattern[str]:
    """A glob over POSIX paths: ** any folders, * and ? within a name, [ab] one of them. Hidden names are no match."""
    out: list[str] = []
    at, size = 0, len(pattern)
    while at < size:
        if pattern.startswith("**/", at):
            out.append(r"(?:[^/]+/)*")
            at += 3
        elif pattern.startswith("**", at):
            out.append(r".*")
            at += 2
        elif pattern[at] == "*":
            out.append(r"[^/]*")
            at += 1
        elif pattern[at] == "?":
            out.append(r"[^/]")
            at += 1
        elif pattern[at] == "[" and (end := pattern.find("]", at + 2)) > 0:
            inside = pattern[at + 1 : end].replace("\\", "\\\\")
            out.append("[" + ("^" + inside[1:] if inside[0] == "!" else inside.replace("^", "\\^")) + "]")
            at = end + 1
        else:
            out.append(re.escape(pattern[at]))
            at += 1
    try:
        return re.compile("".join(out))
    except re.error:  # an odd [set]: taken as it stands
        return re.compile(re.escape(pattern))
