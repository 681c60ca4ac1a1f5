"""Pictures for tests, drawn in memory."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

from PIL import Image, ImageDraw


@lru_cache(maxsize=64)
def png(seed: int = 0, side: int = 64) -> bytes:
    """A small PNG, another one for each seed."""
    image = Image.new("RGB", (side, side), (seed * 37 % 256, seed * 91 % 256, seed * 53 % 256))
    ImageDraw.Draw(image).ellipse((4, 4, side // 2 + seed % 16, side - 8), fill=(255 - seed % 200, 128, seed % 256))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def data_url(seed: int = 0, side: int = 64) -> str:
    """The form training images are sent in."""
    return "data:image/png;base64," + bare(seed, side)


def bare(seed: int = 0, side: int = 64) -> str:
    """The form assets are sent in."""
    return base64.b64encode(png(seed, side)).decode()
