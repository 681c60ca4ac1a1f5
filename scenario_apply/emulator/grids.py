"""Small copies of pictures: brightness for the dataset score, colours for what a training learns of them.

Decoding is slow: the grids of a large set are made beside the requests.
"""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from scenario_apply.emulator.picture_headers import MOST_PIXELS, BadPicture, read_raster

if TYPE_CHECKING:
    from PIL import Image

GRID = 16
TONES = 32
"""Side of the grid of colours that a training leaves of a picture."""


_one_at_a_time = threading.Lock()  # a large picture takes 200 to 800 MB while it is decoded


def brightness_grid(data: bytes) -> bytes:
    """GRID x GRID brightness values; empty for what is not decoded here: see `small_copy`."""
    from PIL import Image

    copy = small_copy(data, "L", GRID * 8)
    return b"" if copy is None else copy.resize((GRID, GRID), Image.Resampling.BOX).tobytes()


def tones(data: bytes) -> bytes:
    """TONES x TONES colours, three bytes each; empty for what is not decoded here: see `small_copy`."""
    from PIL import Image

    copy = small_copy(data, "RGB", TONES * 4)
    return b"" if copy is None else copy.resize((TONES, TONES), Image.Resampling.BOX).tobytes()


def small_copy(data: bytes, mode: str, side: int) -> Image.Image | None:
    """A picture in a mode, reduced by whole numbers to sides not much over `side`.

    None for what is not decoded here: other formats than PNG, JPEG and WebP, broken pictures, and pictures over the
    limit of pixels.
    """
    from PIL import Image

    try:
        raster = read_raster(data, for_decoding=True)
    except BadPicture:
        return None
    if not raster.pieces:
        return None
    try:
        with _one_at_a_time, Image.open(io.BytesIO(b"".join(raster.pieces)), formats=(raster.format,)) as image:
            image.draft(mode, (side, side))
            if image.width * image.height > MOST_PIXELS:
                return None
            return _reduced(image, side).convert(mode)
    except Exception:  # Pillow's readers raise whatever their arithmetic runs into on broken bytes
        return None


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """Smaller by whole numbers before its colours are converted, where its mode allows that without a copy."""
    if image.mode not in ("L", "RGB", "CMYK", "YCbCr"):
        return image
    return image.reduce((max(1, image.width // side), max(1, image.height // side)))


class Grids:
    """Grids made in the background, by SHA-256 of the picture, until they are taken."""

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
        """End the thread once it has made the grids requested so far."""
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
