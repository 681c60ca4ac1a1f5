"""Small pictures with all that is altered before sending: turned, with a place, with profiles, in odd colours."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin

SECRET = b"50.8503 N, 4.3517 E"
"""In every piece of metadata below, as text."""

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"


def drawn(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Smooth, and another one in every corner, so that no turn or mirror image of it is itself."""
    corners = Image.frombytes("RGB", (2, 2), bytes((250, 20, 20, 30, 220, 40, 40, 50, 240, 200, 190, 90)))
    return corners.resize(size, Image.Resampling.BILINEAR).convert(mode)


def exif(orientation: int = 1) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010E] = SECRET.decode()
    gps = block.get_ifd(0x8825)
    gps[1], gps[2] = "N", (50.0, 51.0, 1.0)
    return block


def texts() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


def profile(name: str = "P3xx") -> bytes:
    """A profile with the colours of sRGB under a name of four letters."""
    held = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return held.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be")).replace(b"sRGB", name.encode())


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
