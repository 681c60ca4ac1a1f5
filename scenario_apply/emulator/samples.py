"""Sample pictures of a simulated training: drawn from a seed, and labelled as simulated."""

from __future__ import annotations

import hashlib
import io
import math
from functools import lru_cache

from scenario_apply.emulator.results import SAMPLE_SIDE


@lru_cache(maxsize=64)
def draw_sample(seed: str, title: str, width: int = SAMPLE_SIDE, height: int = SAMPLE_SIDE) -> bytes:
    """A PNG of that size: soft rings in colours of the seed, the title, and the word `simulated`."""
    from PIL import Image, ImageDraw, ImageFont

    digest = hashlib.sha256(seed.encode("utf-8", "replace")).digest()
    image = Image.new("RGB", (SAMPLE_SIDE, SAMPLE_SIDE), (digest[0] // 3, digest[1] // 3, digest[2] // 3))
    draw = ImageDraw.Draw(image)
    for ring in range(12, 0, -1):
        angle = digest[ring] / 256 * math.tau
        x = SAMPLE_SIDE / 2 + math.cos(angle) * (13 - ring) * 6
        y = SAMPLE_SIDE / 2 + math.sin(angle) * (13 - ring) * 6
        radius = ring * 24
        colour = (digest[ring + 3] // 2 + 60, digest[ring + 7] // 2 + 60, digest[ring + 11] // 2 + 60)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    font = ImageFont.load_default(28)
    draw.rectangle((0, SAMPLE_SIDE - 96, SAMPLE_SIDE, SAMPLE_SIDE), fill=(16, 16, 20))
    draw.text((20, SAMPLE_SIDE - 88), "simulated", fill=(255, 196, 60), font=font)
    draw.text((20, SAMPLE_SIDE - 48), title[:34], fill=(240, 240, 240), font=font)
    if (width, height) != image.size:
        image = image.resize((width, height))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()
