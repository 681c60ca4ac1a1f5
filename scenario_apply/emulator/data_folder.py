"""The folder a world lives in: made when it is not there, ours by a marker, and held by one emulator at a time.

The lock is the operating system's, so it goes with its process however that ends. The file also says who holds it.
An emulator deletes files in its folder, so it takes a folder only when it is new or carries the marker. The path is
resolved once; in the folder itself no link is followed, and `blobs/` and `parts/` hold regular files only.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from pathlib import Path

from scenario_apply.emulator.store import StoreError

MARKER = ".scenario-emulator"
_FILE = "emulator.lock"
_PAUSE_S = 0.05
_CONTENT = b"The embedded Scenario of scenario-apply keeps its data here and deletes files in this folder.\n"
_DATABASE = frozenset({"scenario.db", "scenario.db-wal", "scenario.db-shm", "scenario.db-journal"})
_FILES = _DATABASE | {MARKER, _FILE}
_FOLDERS = frozenset({"blobs", "parts"})
_BESIDE = frozenset({_FILE, "emulator.stdin", "emulator.stderr", "emulator.users", ".gitignore", "lost+found"})
"""What is in a folder before its emulator is: a command that starts one for itself writes there first."""


class DataFolder:
    """A locked folder. Raises StoreError when another emulator still holds it after `patience_s`, and
    for a folder that is not an emulator's."""

    def __init__(self, path: Path, *, patience_s: float = 3.0) -> None:
        """patience_s: how long to wait for an emulator that is shutting down."""
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise StoreError(f"{path} is a file; --data needs a folder") from None
        self.path = path.resolve()
        _refuse_foreign(self.path)
        self._file = _open_regular(self.path / _FILE)
        self._signature = b""
        deadline = time.monotonic() + patience_s
        while not self._taken():
            if time.monotonic() >= deadline:
                holder = os.read(self._file, 200).decode("utf-8", "replace").strip()
                os.close(self._file)
                raise StoreError(f"{path} is in use by another emulator ({holder or 'starting'}); give --data another")
            time.sleep(_PAUSE_S)
        try:
            os.ftruncate(self._file, 0)  # what it said was another's, or came with a checkout
            _refuse_foreign(self.path)
        except BaseException:
            self.release()
            raise

    def mark(self) -> None:
        """Say that the folder is an emulator's: once its database is known to be one."""
        if not os.path.lexists(self.path / MARKER):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(self.path / MARKER, flags, 0o600), "wb") as out:
                out.write(_CONTENT)

    def sign(self, url: str) -> None:
        """Record who holds the folder, for the next process that opens it."""
        self._signature = f"process {os.getpid()} at {url}\n".encode()
        self.sign_again()

    def sign_again(self) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, self._signature, 0)

    def unsign(self) -> None:
        """Record that the process that holds the folder is about to release it."""
        os.ftruncate(self._file, 0)

    def release(self) -> None:
        """Let the next one have it."""
        os.close(self._file)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _refuse_foreign(path: Path) -> None:
    """Raises StoreError unless the folder is new or an emulator's, and each part of it is what it should be."""
    with os.scandir(path) as entries:
        found = {entry.name: entry for entry in entries}
    for name, entry in found.items():
        if name in _FOLDERS and not entry.is_dir(follow_symlinks=False):
            raise _foreign(path, f"{name} is a link, not a folder")
        if name in _FILES and not entry.is_file(follow_symlinks=False):
            raise _foreign(path, f"{name} is not a regular file")
    # a folder of an earlier release has a database and a lock, and no marker
    is_earlier = _FILE in found and "scenario.db" in found and found.keys() <= _BESIDE | _DATABASE | _FOLDERS
    others = sorted(found.keys() - _BESIDE)
    if MARKER not in found and not is_earlier and others:
        raise _foreign(path, f"it holds {others[0]} and no {MARKER}, so it is not an emulator's")
    for folder in sorted(_FOLDERS & found.keys()):
        with os.scandir(path / folder) as entries:
            stray = next((entry.name for entry in entries if not entry.is_file(follow_symlinks=False)), None)
        if stray is not None:
            raise _foreign(path, f"{folder}/{stray} is not a regular file")


def _foreign(path: Path, why: str) -> StoreError:
    return StoreError(f"{path} cannot be used for data: {why}. Nothing was changed; give --data a new or empty folder")


def _open_regular(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        file = os.open(path, flags, 0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be opened: {error.strerror}") from error
    facts = os.fstat(file)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1:
        os.close(file)
        raise StoreError(f"{path} is not a regular file: delete it")
    return file
