"""Selects from listed folders the dataset's pictures and possible caption files; the rest is junk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field

from scenario_apply.dataset.exclusion import Exclusion, any_file_in
from scenario_apply.dataset.facts import FileEntry
from scenario_apply.model.file_names import (
    CAPTION_SUFFIXES,
    IMAGE_SUFFIXES,
    TEXT_SUFFIXES,
    is_junk_file,
    is_unicode,
    natural_key,
    nfc,
    spelled,
    suffix_of,
)


class Listed(Struct, frozen=True, kw_only=True):
    """One listed folder. path: within the dataset, "" for its top; file: relative to the root.

    rows: (name, size, mtime_ns, identity) of its regular files. below: names of its folders, read or not.
    """

    path: str
    file: str
    rows: Sequence[tuple[str, int, int, int]]
    below: Sequence[str] = ()


class Selection(Struct, frozen=True, kw_only=True):
    """images in natural order of their paths; texts: every other file by path within the dataset.

    unknown: texts whose ending says neither picture nor text, in sources that take every picture of a folder.
    twins: files whose paths are those of other files in Unicode NFC: (kept, left out). parent_tables: tables one folder
    up. above: tables further up. identity: of a file, relative to the root, whether it is in the dataset or not; None
    where there is none.
    """

    images: tuple[FileEntry, ...]
    texts: Mapping[str, FileEntry]
    junk: tuple[str, ...] = ()  # files, relative to the root
    nameless: tuple[str, ...] = ()  # skipped pictures and captions whose names are not Unicode, with escapes
    excluded: Mapping[str, str] = field(default_factory=dict)  # pictures left out by a glob or `exclude`: path -> file
    excluded_folders: frozenset[str] = frozenset()  # left out by `exclude`, relative to the root
    unknown: tuple[FileEntry, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()
    unused: frozenset[str] = frozenset()  # patterns of `exclude` that leave nothing out
    parent_tables: tuple[FileEntry, ...] = ()
    above: tuple[FileEntry, ...] = ()
    elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)  # other folders of caption files: their stems
    identity: Callable[[str], int | None] = lambda _: None


def select(
    folders: Iterable[Listed], *, exclude: Sequence[str] = (), keep: Callable[[str], bool] | None = None
) -> Selection:
    """Sorts files into pictures, texts and junk. keep: whether to keep a picture, by its path; None: all are kept."""
    images: dict[str, FileEntry] = {}
    texts: dict[str, FileEntry] = {}
    junk: list[str] = []
    nameless: list[str] = []
    excluded: dict[str, str] = {}
    unknown: list[FileEntry] = []
    twins: list[tuple[str, str]] = []
    exclusion = Exclusion(exclude)
    is_excluded = exclusion.covers if exclude else None
    below: dict[str, str] = {}
    for folder in folders:
        path_prefix = nfc(folder.path) + "/" if folder.path else ""
        file_prefix = folder.file + "/" if folder.file not in ("", ".") else ""
        if exclude:
            below |= {path_prefix + nfc(name): file_prefix + name for name in folder.below}
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
                    excluded[path] = file_prefix + name
                elif path in images:
                    twins.append((images[path].file, file_prefix + name))
                else:
                    images[path] = FileEntry(path, file_prefix + name, size, mtime_ns, identity)
            elif path in texts:
                twins.append((texts[path].file, file_prefix + name))
            else:
                entry = texts[path] = FileEntry(path, file_prefix + name, size, mtime_ns, identity)
                if keep is None and ending not in TEXT_SUFFIXES and not (is_excluded is not None and is_excluded(path)):
                    unknown.append(entry)
    ordered = sorted(images.values(), key=_order)
    return Selection(
        images=tuple(ordered),
        texts=texts,
        junk=tuple(junk),
        nameless=tuple(nameless),
        excluded=excluded,
        excluded_folders=frozenset([file for path, file in below.items() if exclusion.covers_folder(path)]),
        unknown=tuple(unknown),
        twins=tuple(twins),
        unused=exclusion.unused([*excluded, *texts, *junk, *map(any_file_in, below)]) if exclude else frozenset(),
    )


def merge(selections: Sequence[Selection]) -> Selection:
    """Several selections as one; a picture that is in two of them counts once."""
    if len(selections) == 1:
        return selections[0]
    by_file = {image.file: image for selection in selections for image in selection.images}
    paths: dict[str, FileEntry] = {}
    twins = dict.fromkeys(twin for selection in selections for twin in selection.twins)
    for image in by_file.values():
        if (kept := paths.setdefault(image.path, image)) is not image:
            twins[kept.file, image.file] = None
    excluded = {path: file for selection in selections for path, file in selection.excluded.items()}
    return Selection(
        images=tuple(sorted(paths.values(), key=_order)),
        texts={path: entry for selection in selections for path, entry in selection.texts.items()},
        junk=tuple(dict.fromkeys(file for selection in selections for file in selection.junk)),
        nameless=tuple(dict.fromkeys(file for selection in selections for file in selection.nameless)),
        excluded={path: file for path, file in excluded.items() if path not in paths},
        excluded_folders=frozenset().union(*(selection.excluded_folders for selection in selections)),
        unknown=tuple({entry.file: entry for selection in selections for entry in selection.unknown}.values()),
        twins=tuple(twins),
        unused=frozenset.intersection(*(selection.unused for selection in selections)),
    )


def _order(entry: FileEntry) -> tuple[tuple[tuple[int, int, str], ...], str]:
    return natural_key(entry.path), entry.path
