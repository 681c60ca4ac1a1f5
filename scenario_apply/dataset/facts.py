"""Facts about one picture file: from its header, and from its pixels after a deep scan."""

from __future__ import annotations

from typing import NamedTuple


class FileEntry(NamedTuple):
    """A file of a dataset as a folder listing gives it. NamedTuples here: a scan makes tens of thousands.

    path: within the dataset, POSIX, NFC. file: relative to the root, as the disk spells it.
    """

    path: str
    file: str
    size: int
    mtime_ns: int
    identity: int  # manifest.loader.listing.identity_of


GRID_SIZE = 8
"""Cells of a side of PixelStatistics.grid."""


class PixelStatistics(NamedTuple):
    """Statistics of the pixels of a picture, measured on a small grey copy. Levels are 0 to 255.

    darkest, dark, bright: the level that 1, 5 and 99 % of its pixels do not exceed. entropy: bits a pixel.
    sharpness: the strongest edges, as a share of the contrast: about 0.1 when blurred, 0.6 and more when sharp.
    grid: the brightness of GRID_SIZE x GRID_SIZE cells.
    """

    darkest: int
    dark: int
    bright: int
    entropy: float
    sharpness: float
    grid: bytes


class Facts(NamedTuple):
    """What one read of a picture file found. Stored in the fingerprint cache: change FORMAT there with it.

    fault: a lint code (F01, F02, F04, F10) when the file cannot be used; fault_text says why.
    transparent, hashes and look need the pixels: None and "" until a deep scan. hashes: 64 hex digits, two difference
    hashes of 128 bits, of the picture and of its mirror image.
    """

    file: str
    size: int
    mtime_ns: int
    identity: int  # manifest.loader.listing.identity_of
    sha256: str
    format: str  # Pillow's name: JPEG, PNG, WEBP, ...; "" when unknown
    mime: str
    width: int = 0  # as shown: EXIF orientation applied
    height: int = 0
    mode: str = ""
    depth: int = 8  # bits per channel
    alpha: bool = False
    animated: bool = False
    orientation: int = 1
    is_lfs_pointer: bool = False
    fault: str = ""
    fault_text: str = ""
    transparent: bool | None = None
    hashes: str = ""
    metadata: bool = False  # there is something that dataset.metadata removes
    profile: bool = False  # a colour profile other than sRGB is embedded
    statistics: PixelStatistics | None = None

    def with_pixels_of(self, other: Facts) -> Facts:
        """With what is known of the pixels of other, a file with the same bytes."""
        return self._replace(hashes=other.hashes, transparent=other.transparent, statistics=other.statistics)


MIME_OF_FORMAT = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}

FORMAT_OF_SUFFIX = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
}
