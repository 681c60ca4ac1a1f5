"""Limits on pixels, file parts and scans of a picture. A manifest cannot raise them.

A file of 100 bytes can make a decoder allocate gigabytes, so the limits are checked on the header, before decoding.
"""

from __future__ import annotations

MOST_PIXELS = 50_000_000
"""Trainings use one to two million. Decoding 50 million takes 200 MB, or 800 MB for WebP."""

MOST_SCANS = 64
"""Scans of a JPEG. Progressive encoders write about ten; each one costs a pass over all pixels."""

MOST_IMAGES = 1_000
"""Per dataset; no training accepts more than a hundred."""

MOST_IMAGES_IN_ALL = 100_000

_FREE_PARTS = 4096
_BYTES_A_PART = 1024


class PictureRefused(Exception):
    """The picture is not decoded. code: F02 or F10; text: `what is wrong; how to fix it`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    def fault_text(self, name: str) -> str:
        """The text for Facts.fault_text."""
        return f"{name} is damaged: {self.text}" if self.code == "F02" else self.text


def most_parts(size_bytes: int) -> int:
    """How many segments, chunks, blocks or fill bytes a file of that size may have. Real files have far fewer."""
    return _FREE_PARTS + size_bytes // _BYTES_A_PART


def too_many_parts(size_bytes: int, parts: str) -> PictureRefused:
    """The error for a file with too many parts. parts: their name in that format, in the plural."""
    text = f"it has more than {most_parts(size_bytes)} {parts}, which no real picture has; export it again"
    return PictureRefused("F02", text)


def check_pixels(width: int, height: int) -> None:
    """Raises PictureRefused for an empty picture or one of more than MOST_PIXELS."""
    if width <= 0 or height <= 0:
        raise PictureRefused("F02", f"its header gives a size of {width}x{height}; export or download it again")
    if width * height > MOST_PIXELS:
        millions = width * height / 1e6
        size = f"{width}x{height}: {millions:.{0 if millions >= 100 else 1}f} megapixels"
        raise PictureRefused("F10", f"{size}, at most {MOST_PIXELS / 1e6:.0f} are read; scale it down")
