"""Bytes of pictures and of upload parts, in files named by what they hold.

A file appears under its name only when it is complete (written beside it, then renamed), so a killed server leaves at
worst a stray temporary file, which the next start removes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

_PIECE = 1024 * 1024


class Blobs:
    """The folders `blobs/` and `parts/` below a data folder."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._parts = root / "parts"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._parts.mkdir(exist_ok=True)
        for stray in self._blobs.glob("*.tmp"):
            stray.unlink()

    def path(self, sha256: str) -> Path:
        """Where a blob is, or would be."""
        return self._blobs / sha256

    def put(self, data: bytes) -> str:
        """Keep bytes; their SHA-256 in lower-case hex."""
        sha256 = hashlib.sha256(data).hexdigest()
        target = self._blobs / sha256
        if not target.exists():
            temporary = self._blobs / f"{sha256}.tmp"
            temporary.write_bytes(data)
            temporary.replace(target)
        return sha256

    def part(self, upload: str, number: int) -> Path:
        """Where a part of an upload is kept."""
        return self._parts / f"{upload}.{number}"

    def join(self, parts: Iterable[Path]) -> str:
        """Make one blob of the parts, in order, and remove them; its SHA-256. One part is only renamed."""
        paths = list(parts)
        digest = hashlib.sha256()
        whole = paths[0]
        if len(paths) > 1:
            whole = self._parts / f"{paths[0].name}.tmp"
            with whole.open("wb") as out:
                for path in paths:
                    with path.open("rb") as piece:
                        shutil.copyfileobj(piece, out, _PIECE)
        with whole.open("rb") as data:
            while piece_of := data.read(_PIECE):
                digest.update(piece_of)
        sha256 = digest.hexdigest()
        whole.replace(self._blobs / sha256)
        for path in paths:
            path.unlink(missing_ok=True)
        return sha256

    def discard(self, paths: Iterable[Path]) -> None:
        """Remove parts that are of no more use."""
        for path in paths:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all bytes."""
        for folder in (self._blobs, self._parts):
            for entry in os.scandir(folder):
                os.unlink(entry.path)
