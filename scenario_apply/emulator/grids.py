"""Brightness grids of pictures, for the dataset score. Decoding is slow: a large set is done beside the requests."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterable
from pathlib import Path

GRID = 16


def brightness_grid(data: bytes) -> bytes:
    """GRID x GRID brightness values; empty where Pillow cannot decode the picture (HEIC, SVG)."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.draft("L", (GRID * 8, GRID * 8))
            return image.convert("L").resize((GRID, GRID), Image.Resampling.BOX).tobytes()
    except Exception:  # Pillow's readers raise whatever their arithmetic runs into on broken bytes
        return b""


class Grids:
    """Grids made in the background, by SHA-256 of the picture, until somebody takes them."""

    def __init__(self) -> None:
        self._made: dict[str, bytes] = {}
        self._asked: set[str] = set()
        self._tasks: queue.SimpleQueue[tuple[str, Path] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def taken(self, sha256: str) -> bytes | None:
        """The grid, once; None while it is not made."""
        return self._made.pop(sha256, None)

    def ask(self, pictures: Iterable[tuple[str, Path]]) -> None:
        """Make these, one after the other, as soon as possible."""
        for sha256, path in pictures:
            if sha256 not in self._asked:
                self._asked.add(sha256)
                self._tasks.put((sha256, path))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="grids")
            self._thread.start()

    def close(self) -> None:
        """No more will be asked for: the thread ends when it is through."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            sha256, path = task
            try:
                data = path.read_bytes()
            except OSError:  # the world was reset or closed meanwhile
                data = b""
            self._made[sha256] = brightness_grid(data)
            self._asked.discard(sha256)
