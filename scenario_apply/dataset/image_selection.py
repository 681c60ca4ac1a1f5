"""Selects from listed folders the dataset's pictures and possible caption files; the rest is junk."""

from __future__ import annotations

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
from scenario_apply.model.globs import any_glob, has_magic


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One listed folder. path: within the dataset, "" for its top; file: relative to the root.

    rows: (name, size, mtime_ns, identity) of its regular files.
    """

    path: str
    file: str
    rows: Sequence[tuple[str, int, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """images in natural order of their paths; texts: every other file by path within the dataset."""

    images: tuple[FileEntry, ...]
    texts: Mapping[str, FileEntry]
    junk: tuple[str, ...] = ()  # files, relative to the root
    nameless: tuple[str, ...] = ()  # skipped pictures and captions whose names are not Unicode, with escapes
    excluded: frozenset[str] = frozenset()  # paths of pictures left out by a glob or `exclude`


def select(
    folders: Iterable[Listed], *, exclude: Sequence[str] = (), keep: Callable[[str], bool] | None = None
) -> Selection:
    """Sorts files into pictures, texts and junk. keep: whether to keep a picture, by its path; None: all are kept."""
    images: dict[str, FileEntry] = {}
    texts: dict[str, FileEntry] = {}
    junk: list[str] = []
    nameless: list[str] = []
    excluded: set[str] = set()
    is_excluded = _exclusion(exclude)
    for folder in folders:
        path_prefix = folder.path + "/" if folder.path else ""
        file_prefix = folder.file + "/" if folder.file not in ("", ".") else ""
        is_named = is_unicode(folder.path) and is_unicode(folder.file)
        for name, size, mtime_ns, identity in folder.rows:
            if not (is_named and (name.isascii() or is_unicode(name))):
                if suffix_of(name) in IMAGE_SUFFIXES | CAPTION_SUFFIXES:
                    nameless.append(spelled(file_prefix + name))
                continue
            path = path_prefix + (name if name.isascii() else nfc(name))
            ending = name[name.rfind(".") :].lower()
            if name[0] in ".~" or (ending not in CAPTION_SUFFIXES and is_junk_file(name)):
                junk.append(file_prefix + name)
            elif ending in IMAGE_SUFFIXES:
                if (is_excluded is not None and is_excluded(path)) or not (keep is None or keep(path)):
                    excluded.add(path)
                else:
                    images[path] = FileEntry(path, file_prefix + name, size, mtime_ns, identity)
            else:
                texts[path] = FileEntry(path, file_prefix + name, size, mtime_ns, identity)
    ordered = sorted(images.values(), key=_order)
    return Selection(
        images=tuple(ordered),
        texts=texts,
        junk=tuple(junk),
        nameless=tuple(nameless),
        excluded=frozenset(excluded),
    )


def merge(selections: Sequence[Selection]) -> Selection:
    """Several selections as one; a picture that is in two of them counts once."""
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
    written = dict.fromkeys(nfc(pattern.removeprefix("./")).rstrip("/") for pattern in patterns)
    globs = tuple(pattern for pattern in written if has_magic(pattern))
    plain = written.keys() - set(globs)
    any_of_them = any_glob(globs).fullmatch if globs else None

    def fits(candidate: str) -> bool:
        return candidate in plain or (any_of_them is not None and any_of_them(candidate) is not None)

    folders: dict[str, bool] = {"": False}

    def is_excluded_folder(path: str) -> bool:
        """Whether the folder or one above it is excluded; each folder is checked once."""
        unknown: list[str] = []
        while (known := folders.get(path)) is None:
            unknown.append(path)
            path = path.rpartition("/")[0]
        for folder in reversed(unknown):
            known = folders[folder] = known or fits(folder.rpartition("/")[2]) or fits(folder)
        return known

    def is_excluded(path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return is_excluded_folder(folder) or fits(name) or fits(path)

    return is_excluded
