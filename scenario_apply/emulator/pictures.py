"""Format and size of a picture from its header, and whether its bytes are complete.

Nothing is decoded at upload: a PNG's checksums and a JPEG's last bytes tell a cut-off file, and cost a tenth of it.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

from scenario_apply.emulator.picture_headers import BadPicture, Bytes, read_raster

_MIME = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
_HEAD_BYTES = 4096
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class NotAPicture(ValueError):
    """Bytes that are no whole picture of a known format, or one that is too large; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Facts of a picture. Sides are pixels; None where only a full decoder would know."""

    mime: str
    format: str
    width: int | None
    height: int | None


def inspect(data: bytes) -> Picture:
    """Facts of a picture. Raises NotAPicture."""
    return _inspect(data)


def inspect_file(path: Path) -> Picture:
    """The same for a file of any size, which is not read whole."""
    with path.open("rb") as file:
        if not file.read(1):
            raise NotAPicture("no bytes")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _inspect(data)


def _inspect(data: Bytes) -> Picture:
    head = data[:_HEAD_BYTES]
    if not head:
        raise NotAPicture("no bytes")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return Picture(mime="image/heic", format="heic", width=None, height=None)
    if head.lstrip().startswith((b"<svg", b"<?xml")) and b"<svg" in head:
        return Picture(mime="image/svg+xml", format="svg", width=None, height=None)
    try:
        raster = read_raster(data)
    except BadPicture as problem:
        raise NotAPicture(str(problem)) from None
    mime = _MIME[raster.format]
    return Picture(mime=mime, format=mime.removeprefix("image/"), width=raster.width, height=raster.height)
