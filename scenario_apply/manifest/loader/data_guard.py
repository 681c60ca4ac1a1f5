"""Decides what may be read as data: regular files below the manifest's folder, after following links; nothing hidden.

The manifest and its folder may come from an untrusted author. Neither a link nor a name such as `.git/config` or
`.env` may turn a file of this machine into a caption. A dataset may leave the folder only if it says so and the
caller consents.

A path is checked twice: when folders are listed, for a good message, and again after a file was opened, by the path
that the kernel reports for the descriptor. A file replaced by a link in between is therefore refused. A hard link
cannot be distinguished from the file itself.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from stat import S_ISREG
from typing import IO, TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

Barrier = Literal["outside", "hidden", "machine"]

READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # opening a pipe must not wait for a writer
_FOLDER = READ | os.O_DIRECTORY
_MACHINE = ("/proc/", "/sys/", "/dev/")
_MEMORY = "/dev/shm/"  # noqa: S108  # an ordinary file system in spite of its path
_F_GETPATH = 50  # of fcntl, on macOS
_LONGEST_PATH = 4096


_WHY: dict[Barrier, str] = {
    "outside": "it lies outside the manifest's folder",
    "hidden": "it is hidden: a part of its path begins with a dot",
    "machine": "it is part of the system, not a data file",
}


class Barred(PermissionError):
    """A file that must not be read as data. barrier: why; the text continues "cannot be read: "."""

    def __init__(self, barrier: Barrier) -> None:
        super().__init__(errno.EACCES, _WHY[barrier])
        self.barrier = barrier


class OtherFiles(Protocol):
    """Opens what is no file of the disk by itself: a file in a zip, or behind a URL."""

    def open(self, path: str, guard: DataGuard) -> int: ...


class DataGuard:
    """Opens files and folders below one root. may_leave: the dataset may leave it, and the caller consents.

    others: opens files in zip files and behind URLs; None: those are not read.
    """

    def __init__(self, root: str, *, may_leave: bool = False, others: OtherFiles | None = None) -> None:
        """root: absolute and normalised; it need not exist."""
        self.root = root
        self.may_leave = may_leave
        self._others = others
        self._real = _real_folder(root)
        self._prefix = self._real if self._real.endswith("/") else self._real + "/"
        self._machine = tuple(folder for folder in _MACHINE if not self._prefix.startswith(folder))

    def barrier(self, real: str) -> Barrier | None:
        """Why a path must not be read; None when it may be. real: absolute, with all links followed."""
        if f"{real}/".startswith(self._machine) and not real.startswith(_MEMORY):
            return "machine" if self.may_leave else "outside"
        if real.startswith(self._prefix):
            return "hidden" if "/." in real[len(self._prefix) - 1 :] else None
        if real == self._real:
            return None
        if not self.may_leave:
            return "outside"
        return "hidden" if _is_hidden(real, self._real) else None

    def barrier_as_written(self, full: str) -> Barrier | None:
        """Like barrier, for a path as written, absolute and normalised: a hidden link hides its target."""
        return "hidden" if _is_hidden(full, self.root) else None

    def is_inside(self, full: str) -> bool:
        """Whether a path is below the root, without following links."""
        return full == self.root or full.startswith(self.root.rstrip("/") + "/")

    def open(self, file: str) -> int:
        """A descriptor of a regular file. file: relative to the root, or absolute. Raises Barred, OSError."""
        if self._others is not None and "://" in file:
            return self._others.open(file, self)
        try:
            return self._open(file, READ)
        except NotADirectoryError:
            if self._others is None:
                raise
            return self._others.open(file if file.startswith("/") else f"{self.root}/{file}", self)

    def open_folder(self, path: str) -> int:
        """A descriptor of a folder. Raises Barred, OSError."""
        return self._open(path, _FOLDER)

    @contextmanager
    def opened(self, file: str) -> Iterator[IO[bytes]]:
        """A regular file, open for reading. Raises Barred, OSError."""
        with open(self.open(file), "rb") as opened:
            yield opened

    def _open(self, file: str, flags: int) -> int:
        path = file if file.startswith("/") else f"{self.root}/{file}"
        handle = os.open(path, flags)
        try:
            if flags == READ and not S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            barrier = self.barrier(_path_of(handle, path))
            if barrier is not None:
                raise Barred(barrier)
        except BaseException:
            os.close(handle)
            raise
        return handle


def _is_hidden(path: str, root: str) -> bool:
    """Whether a part of the path that root lacks begins with a dot. Both are absolute and normalised."""
    common = os.path.commonpath([path, root]).rstrip("/")
    return "/." in path[len(common) :]


def _real_folder(root: str) -> str:
    """The real path of the folder, as the kernel reports it."""
    try:
        handle = os.open(root, _FOLDER)
    except (OSError, ValueError):
        return os.path.realpath(root)
    try:
        return _path_of(handle, root)
    finally:
        os.close(handle)


def _path_of(handle: int, path: str) -> str:
    """The real path of an open file. path: as it was opened."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(handle, _F_GETPATH, bytes(_LONGEST_PATH)).rstrip(b"\0"))
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{handle}")
    return _path_without_proc(handle, path)


def _path_without_proc(handle: int, path: str) -> str:
    """The real path where /proc is not mounted. Raises OSError if the path no longer leads to the open file."""
    real = os.path.realpath(path)
    if not os.path.samestat(os.lstat(real), os.fstat(handle)):
        raise OSError(errno.ESTALE, "it was replaced while it was opened")
    return real
