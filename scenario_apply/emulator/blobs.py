"""Bytes of pictures and of upload parts, in files named by what they hold.

A file appears under its name only when it is complete (written beside it, then renamed), and goes only after the
database no longer needs it. So a killed server leaves at worst stray files, which the next start removes.
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

    def __init__(self, root: Path, open_uploads: frozenset[str]) -> None:
        """open_uploads: those whose parts are still needed; all other parts are removed."""
        self._blobs = root / "blobs"
        self._parts = root / "parts"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._parts.mkdir(exist_ok=True)
        for stray in self._blobs.glob("*.tmp"):
            stray.unlink()
        for part in self._parts.iterdir():
            if part.suffix == ".tmp" or part.stem not in open_uploads:
                part.unlink()

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
        """Make one blob of the parts, in order; its SHA-256. The parts stay. One part is linked, not copied."""
        paths = list(parts)
        whole = self._parts / f"{paths[0].name}.tmp"
        whole.unlink(missing_ok=True)
        if not (len(paths) == 1 and _linked(paths[0], whole)):
            with whole.open("wb") as out:
                for path in paths:
                    with path.open("rb") as piece:
                        shutil.copyfileobj(piece, out, _PIECE)
        with whole.open("rb") as data:
            sha256 = hashlib.file_digest(data, "sha256").hexdigest()
        whole.replace(self._blobs / sha256)
        whole.unlink(missing_ok=True)  # a rename onto the same file leaves both names
        return sha256

    def discard(self, paths: Iterable[Path]) -> None:
        """Remove parts that are not needed any longer."""
        for path in paths:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all bytes."""
        for folder in (self._blobs, self._parts):
            for entry in os.scandir(folder):
                os.unlink(entry.path)


def _linked(source: Path, target: Path) -> bool:
    """Give a file a second name; False on file systems that know no such thing."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
