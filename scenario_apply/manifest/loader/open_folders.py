"""Opens many files of few folders: each folder is checked and opened once, its files by their names."""

from __future__ import annotations

import os
from stat import S_ISREG
from typing import TYPE_CHECKING, Protocol

from scenario_apply.manifest.loader.data_guard import READ

if TYPE_CHECKING:
    from scenario_apply.manifest.loader.data_guard import DataGuard

_MOST_FOLDERS = 16  # kept open; files of further folders are opened by their paths


class FileOpener(Protocol):
    """DataGuard and OpenFolders."""

    def open(self, file: str) -> int: ...


class OpenFolders:
    """Opens the same files as DataGuard.open, and refuses the same; use it for one dataset, and close it by `with`.

    In a folder that the guard allows, a file of a name without a dot is allowed too, unless it is a link, which is not
    followed here. Whatever cannot be opened like this is left to the guard: a link, a hidden file, any error.
    """

    def __init__(self, guard: DataGuard) -> None:
        self.may_leave = guard.may_leave
        self._guard = guard
        self._folders: dict[str, int] = {}

    def __enter__(self) -> OpenFolders:
        return self

    def __exit__(self, *_: object) -> None:
        while self._folders:
            os.close(self._folders.popitem()[1])

    def open(self, file: str) -> int:
        """A descriptor of a regular file. file: relative to the root, or absolute. Raises Barred, OSError."""
        folder, slash, name = file.rpartition("/")
        if name[:1] in ("", ".") or (slash and not folder) or "://" in file:
            return self._guard.open(file)
        try:
            known = self._folders.get(folder)
            handle = os.open(name, READ | os.O_NOFOLLOW, dir_fd=self._opened(folder) if known is None else known)
        except OSError:
            return self._guard.open(file)
        if S_ISREG(os.fstat(handle).st_mode):
            return handle
        os.close(handle)
        return self._guard.open(file)

    def _opened(self, folder: str) -> int:
        if len(self._folders) >= _MOST_FOLDERS:
            raise OSError
        handle = self._guard.open_folder(folder or ".")
        kept = self._folders.setdefault(folder, handle)  # another thread may have been faster
        if kept != handle:
            os.close(handle)
        return kept
