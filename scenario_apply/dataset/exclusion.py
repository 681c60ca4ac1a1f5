"""The patterns of `exclude:`: which paths they leave out, and which of them leave nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scenario_apply.model.file_names import nfc
from scenario_apply.model.globs import alternatives, any_glob, glob_pattern, has_magic, with_low_ending

_MOST_TRIED = 1_000_000  # a glob on a path takes a microsecond


class Exclusion:
    """Patterns of one dataset. They are names or paths of files or folders; backslashes count as slashes.

    The ending of a glob is the same in capitals. A name without magic means one file, exactly as it is written.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._written = {
            pattern: [normal_pattern(part) for part in alternatives(pattern)] for pattern in dict.fromkeys(patterns)
        }
        unique = dict.fromkeys(part for parts in self._written.values() for part in parts)
        self._globs = tuple(pattern for pattern in unique if has_magic(pattern))
        self._plain = unique.keys() - set(self._globs)
        lowered = tuple(dict.fromkeys(map(with_low_ending, self._globs)))
        self._any_of_them = any_glob(lowered).fullmatch if self._globs else None
        self._folders: dict[str, bool] = {"": False}

    def covers(self, path: str) -> bool:
        """Whether the file is left out. path: within the dataset, in NFC."""
        folder, _, name = path.rpartition("/")
        return self._covers_folder(folder) or self._fits(name) or self._fits(path)

    def covers_folder(self, path: str) -> bool:
        """Whether all files of a folder are left out, as by `old` or `old/*`. path: within the dataset, in NFC."""
        return self._covers_folder(path) or self._fits(any_file_in(path))

    def unused(self, paths: Iterable[str]) -> frozenset[str]:
        """The patterns, as written, that fit no path, name or folder. paths: of the files that were left out."""
        candidates: set[str] = set()
        for path in paths:
            above = path
            while above and above not in candidates:
                candidates.update((above, above.rpartition("/")[2]))
                above = above.rpartition("/")[0]
        idle = {pattern for pattern in self._plain if pattern not in candidates}
        left = _MOST_TRIED
        for glob in self._globs:
            left -= len(candidates)
            if left < 0:
                break
            fullmatch = glob_pattern(with_low_ending(glob)).fullmatch
            if not any(fullmatch(candidate) or fullmatch(with_low_ending(candidate)) for candidate in candidates):
                idle.add(glob)
        return frozenset(written for written, parts in self._written.items() if idle.issuperset(parts))

    def _covers_folder(self, path: str) -> bool:
        """Whether the folder or one above it is left out; each folder is checked once."""
        unknown: list[str] = []
        while (known := self._folders.get(path)) is None:
            unknown.append(path)
            path = path.rpartition("/")[0]
        for folder in reversed(unknown):
            known = self._folders[folder] = known or self._fits(folder.rpartition("/")[2]) or self._fits(folder)
        return known

    def _fits(self, candidate: str) -> bool:
        if candidate in self._plain:
            return True
        fits = self._any_of_them
        return fits is not None and (fits(candidate) or fits(with_low_ending(candidate))) is not None


def any_file_in(folder: str) -> str:
    """A path that stands for every file of a folder that is not listed."""
    return f"{folder}/*"


def normal_pattern(pattern: str) -> str:
    """As paths within a dataset are written: NFC, slashes, neither ./ in front nor a slash at the end."""
    return nfc(pattern.replace("\\", "/").removeprefix("./")).rstrip("/")
