"""The folder a world lives in: made when it is not there, and held by one emulator at a time.

The lock is the operating system's, so it goes with its process however that ends. The file also says who holds it.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from scenario_apply.emulator.store import StoreError

_FILE = "emulator.lock"
_PAUSE_S = 0.05


class DataFolder:
    """A locked folder. Raises StoreError when another emulator holds it and goes on holding it for `patience_s`."""

    def __init__(self, path: Path, *, patience_s: float = 3.0) -> None:
        """patience_s: an emulator that was just told to leave may still be on its way out."""
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise StoreError(f"{path} is a file; --data wants a folder") from None
        self._file = os.open(path / _FILE, os.O_RDWR | os.O_CREAT, 0o600)
        self._signature = b""
        deadline = time.monotonic() + patience_s
        while not self._taken():
            if time.monotonic() >= deadline:
                holder = os.read(self._file, 200).decode("utf-8", "replace").strip()
                os.close(self._file)
                raise StoreError(f"{path} is in use by another emulator ({holder or 'starting'}); give --data another")
            time.sleep(_PAUSE_S)

    def sign(self, url: str) -> None:
        """Say who holds the folder, for whoever comes next."""
        self._signature = f"process {os.getpid()} at {url}\n".encode()
        self.sign_again()

    def sign_again(self) -> None:
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, self._signature, 0)

    def unsign(self) -> None:
        """Say that whoever holds the folder is about to leave it."""
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
