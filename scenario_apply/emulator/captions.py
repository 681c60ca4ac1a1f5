"""The automatic caption: made from the name and the header of a picture, and the same every time."""

from __future__ import annotations

import re

from scenario_apply.emulator.pictures import Picture


def automatic_caption(picture: Picture, name: str) -> str:
    """Such as `a square picture, 1024 by 1024 pixels, named knight 01`."""
    words = " ".join(re.findall(r"[^\W_]+", name.rsplit(".", 1)[0]))[:120]
    named = f", named {words}" if words else ""
    if picture.width is None or picture.height is None:
        return f"a picture{named}"
    if abs(picture.width - picture.height) * 20 <= max(picture.width, picture.height):
        shape = "square"
    elif picture.width > picture.height:
        shape = "wide"
    else:
        shape = "tall"
    return f"a {shape} picture, {picture.width} by {picture.height} pixels{named}"
