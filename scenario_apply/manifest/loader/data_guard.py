"""What may be read as data: regular files below the manifest's folder, links followed, and nothing hidden.

The manifest and the files beside it may come from another author. A link must not turn a file of this machine into a
caption, and neither must a name such as `.git/config` or `.env`. A dataset may use files outside the folder only if it
says so and the caller agrees.

A path is judged twice: when folders are listed, for a good message, and once more after a file was opened, from the
path the kernel gives for the descriptor. A file that is replaced by a link in between is refused.
A hard link cannot be distinguished from the file itself.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from stat import S_ISREG
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Barrier = Literal["outside", "hidden", "machine"]

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # the opening of a pipe must not wait for a writer
_FOLDER = _READ | os.O_DIRECTORY
_MACHINE = ("/proc/", "/sys/", "/dev/")
_MEMORY = "/dev/shm/"  # noqa: S108  # an ordinary file system, in spite of its place
_F_GETPATH = 50  # of fcntl, on macOS
_LONGEST_PATH = 4096


_WHY: dict[Barrier, str] = {
    "outside": "it lies outside the manifest's folder",
    "hidden": "it is hidden: a part of its path begins with a dot",
    "machine": "it is a part of the system, not a data file",
}


class Barred(PermissionError):
    """A file that must not be read as data. barrier says why; the text reads on after «cannot be read: »."""

    def __init__(self, barrier: Barrier) -> None:
        super().__init__(errno.EACCES, _WHY[barrier])
        self.barrier = barrier


class DataGuard:
    """Opens files and folders of one root.

    may_leave: the dataset asks for files outside the root and the caller agrees.
    """

    def __init__(self, root: str, *, may_leave: bool = False) -> None:
        """root: absolute and normal; it need not exist."""
        self.root = root
        self.may_leave = may_leave
        self._real = _real_folder(root)
        self._prefix = self._real if self._real.endswith("/") else self._real + "/"
        self._machine = tuple(folder for folder in _MACHINE if not self._prefix.startswith(folder))

    def barrier(self, real: str) -> Barrier | None:
        """Why a path must not be read; None when it may. real: absolute, with every link followed."""
        if f"{real}/".startswith(self._machine) and not real.startswith(_MEMORY):
            return "machine" if self.may_leave else "outside"
        if real.startswith(self._prefix):
            return "hidden" if "/." in real[len(self._prefix) - 1 :] else None
        if real == self._real:
            return None
        if not self.may_leave:
            return "outside"
        return "hidden" if _is_hidden(real, self._real) else None

    def barrier_of_words(self, full: str) -> Barrier | None:
        """The same for a path as written, absolute and normal: a link with a hidden name hides what it leads to."""
        return "hidden" if _is_hidden(full, self.root) else None

    def is_inside(self, full: str) -> bool:
        """Whether a path lies below the root as written."""
        return full == self.root or full.startswith(self.root.rstrip("/") + "/")

    def open(self, file: str) -> int:
        """A descriptor of a regular file. file: relative to the root, or absolute. Raises Barred, OSError."""
        return self._open(file, _READ)

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
            if flags == _READ and not S_ISREG(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            barrier = self.barrier(_path_of(handle, path))
            if barrier is not None:
                raise Barred(barrier)
        except BaseException:
            os.close(handle)
            raise
        return handle


def _is_hidden(path: str, root: str) -> bool:
    """Whether a part of the path begins with a dot, of those that root does not have, too. Both absolute and normal."""
    common = os.path.commonpath([path, root]).rstrip("/")
    return "/." in path[len(common) :]


def _real_folder(root: str) -> str:
    """The folder as the kernel names what is opened below it."""
    try:
        handle = os.open(root, _FOLDER)
    except (OSError, ValueError):
        return os.path.realpath(root)
    try:
        return _path_of(handle, root)
    finally:
        os.close(handle)


def _path_of(handle: int, path: str) -> str:
    """Where an open file lies, links followed. path: by which it was opened."""
    if sys.platform == "darwin":
        import fcntl

        return os.fsdecode(fcntl.fcntl(handle, _F_GETPATH, bytes(_LONGEST_PATH)).rstrip(b"\0"))
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{handle}")
    return _path_without_proc(handle, path)


def _path_without_proc(handle: int, path: str) -> str:
    """The same where no /proc is mounted: the path now, if it still leads to what was opened."""
    real = os.path.realpath(path)
    if not os.path.samestat(os.lstat(real), os.fstat(handle)):
        raise OSError(errno.ESTALE, "it was replaced while it was opened")
    return real
