"""What a picture may cost: pixels, parts of its file, scans. Nothing in a manifest raises these limits.

A file of 100 bytes can ask for gigabytes, so everything here is checked on the header, before any decoder sees the
file.
"""

from __future__ import annotations

MOST_PIXELS = 50_000_000
"""Trainings use one to two million. Decoded, this many take 200 MB, and 800 MB in the decoder for WebP."""

MOST_SCANS = 64
"""Scans of a JPEG. Progressive encoders write about ten; each one costs a pass over all pixels."""

MOST_IMAGES = 1_000
"""In one dataset; no training takes more than a hundred."""

MOST_IMAGES_IN_ALL = 100_000

_FREE_PARTS = 4096
_BYTES_A_PART = 1024


class PictureRefused(Exception):
    """A picture that is not decoded. code: F02 or F10; text: `what is wrong; how to fix it`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    def fault_text(self, name: str) -> str:
        """The text for Facts.fault_text."""
        return f"{name} is damaged: {self.text}" if self.code == "F02" else self.text


def most_parts(size_bytes: int) -> int:
    """How many segments, chunks, blocks or fill bytes a file of that size may have. Real files stay far below."""
    return _FREE_PARTS + size_bytes // _BYTES_A_PART


def too_many_parts(size_bytes: int, parts: str) -> PictureRefused:
    """parts: what they are called in that format, in the plural."""
    text = f"it has more than {most_parts(size_bytes)} {parts}, which no real picture has; export it again"
    return PictureRefused("F02", text)


def check_pixels(width: int, height: int) -> None:
    """Raises PictureRefused for sizes that no training needs and no decoder should meet."""
    if width <= 0 or height <= 0:
        raise PictureRefused("F02", f"its header gives a size of {width}x{height}; export or download it again")
    if width * height > MOST_PIXELS:
        millions = width * height / 1e6
        size = f"{width}x{height}: {millions:.{0 if millions >= 100 else 1}f} megapixels"
        raise PictureRefused("F10", f"{size}, at most {MOST_PIXELS / 1e6:.0f} are read; scale it down")
