"""What bytes claim to be a picture: format and size from the header, and whether they are whole.

Nothing is decoded at upload: a PNG's checksums and a JPEG's last bytes tell a cut-off file, and cost a tenth of it.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MIME = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
_END_BYTES = 4096
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class NotAPicture(ValueError):
    """Bytes that are no whole picture of a known format; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Facts of a picture. Sides are pixels; None where only a full decoder would know."""

    mime: str
    format: str
    width: int | None
    height: int | None


def inspect(data: bytes) -> Picture:
    """Facts of a picture. Raises NotAPicture."""
    return _inspect(io.BytesIO(data), data[:_END_BYTES], data[-_END_BYTES:], len(data))


def inspect_file(path: Path) -> Picture:
    """The same for a file of any size, which is not read whole."""
    with path.open("rb") as data:
        head = data.read(_END_BYTES)
        size = data.seek(0, io.SEEK_END)
        data.seek(max(0, size - _END_BYTES))
        tail = data.read()
        data.seek(0)
        return _inspect(data, head, tail, size)


def _inspect(data: BinaryIO, head: bytes, tail: bytes, size: int) -> Picture:
    if not size:
        raise NotAPicture("no bytes")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return Picture(mime="image/heic", format="heic", width=None, height=None)
    if head.lstrip().startswith((b"<svg", b"<?xml")) and b"<svg" in head:
        return Picture(mime="image/svg+xml", format="svg", width=None, height=None)
    return _inspect_raster(data, head, tail, size)


def _inspect_raster(data: BinaryIO, head: bytes, tail: bytes, size: int) -> Picture:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(data, formats=("PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF"))
            kind = str(image.format)
            width, height = image.size
            if kind == "PNG":
                image.verify()
    except UnidentifiedImageError:
        raise NotAPicture("no known picture format") from None
    except Exception as problem:  # Pillow's readers raise whatever their arithmetic runs into on broken bytes
        raise NotAPicture(f"broken picture: {problem}") from None
    if kind in ("JPEG", "MPO") and b"\xff\xd9" not in tail:
        raise NotAPicture("the JPEG is cut off")
    if kind == "WEBP" and int.from_bytes(head[4:8], "little") + 8 > size:
        raise NotAPicture("the WebP is cut off")
    if kind not in _MIME:
        raise NotAPicture(f"{kind} is not supported")
    return Picture(mime=_MIME[kind], format=_MIME[kind].removeprefix("image/"), width=width, height=height)
