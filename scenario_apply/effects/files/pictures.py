"""What takes Pillow: odd formats, files that look cut off, pixels. Imported only where it is needed."""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO, TYPE_CHECKING, Any, cast

from PIL import Image, UnidentifiedImageError
from PIL.Image import DecompressionBombError

from scenario_apply.core.dataset.facts import FORMAT_OF_SUFFIX, MIME_OF_FORMAT, Entry, Facts
from scenario_apply.core.dataset.names import name_of, suffix_of
from scenario_apply.core.dataset.sniff import is_heif

if TYPE_CHECKING:
    from scenario_apply.core.dataset.headers import Data

_EXIF_ORIENTATION = 0x0112
_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_filters = threading.Lock()  # warnings.catch_warnings changes what the whole process sees


class DamagedPicture(Exception):
    """The bytes do not decode. Its text says how Pillow put it."""


@contextmanager
def opened(source: IO[bytes]) -> Iterator[Image.Image]:
    """A picture, header read. Pillow's warning on large ones is ours to give (F10), so it is silenced here."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(source, formats=_formats())
    try:
        yield image
    finally:
        image.close()


@cache
def _formats() -> tuple[str, ...]:
    """The formats this Pillow reads, of those we take: no other decoder ever sees a file."""
    from importlib import import_module

    for plugin in ("Jpeg", "Mpo", "Png", "WebP", "Gif", "Bmp", "Tiff", "Avif"):
        with suppress(ImportError):  # AVIF is newer than the oldest Pillow we take
            import_module(f"PIL.{plugin}ImagePlugin")
    with suppress(ImportError):  # the extra [heif]; without it probe() says so when it meets such a file
        import_module("pillow_heif").register_heif_opener()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def probe(data: Data, entry: Entry, digest: str, *, suspicious: bool) -> Facts:
    """Facts by Pillow. suspicious: the structure has no end, so the pixels are decoded to see whether that matters."""
    try:
        # the bytes that were hashed, not the file once more: it may be another one by now
        with opened(io.BytesIO(data) if isinstance(data, bytes) else cast(IO[bytes], data)) as image:
            facts = _facts(entry, image, digest)
            if suspicious or facts.format not in ("GIF", "TIFF", "BMP"):
                image.load()
            return facts
    except DecompressionBombError:
        return _faulty(entry, "F10", "far more pixels than any training uses; scale it down", digest)
    except UnidentifiedImageError:
        return _faulty(entry, *_unidentified(data[:64], entry, suspicious), digest)
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        text = f"{name_of(entry.file)} is damaged: {error or type(error).__name__}; export or download it again"
        return _faulty(entry, "F02", text, digest)


def _unidentified(head: bytes, entry: Entry, suspicious: bool) -> tuple[str, str]:
    name = name_of(entry.file)
    if is_heif(head):
        mend = "install scenario-apply[heif], or convert it to PNG"
        return "F04", f"{name} is a HEIC picture; {mend}"
    if suspicious or head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8", b"BM")):
        return "F02", f"{name} is damaged: it breaks off in its header; export or download it again"
    return "F01", f"{name} is not an image of a known format; use PNG, JPEG or WebP"


def _facts(entry: Entry, image: Image.Image, digest: str) -> Facts:
    format_ = "JPEG" if image.format == "MPO" else (image.format or "")
    orientation = _orientation(image)
    width, height = image.size
    if orientation > 4:
        width, height = height, width
    alpha = image.mode in _ALPHA_MODES or "transparency" in image.info
    return Facts(
        *entry[1:],
        digest,
        format_,
        MIME_OF_FORMAT.get(format_, Image.MIME.get(format_, "application/octet-stream")),
        width,
        height,
        image.mode.split(";")[0],
        16 if image.mode.startswith(("I", "F")) else 8,
        alpha,
        image.format != "MPO" and getattr(image, "n_frames", 1) > 1,
        orientation,
        transparent=None if alpha else False,
    )


def _orientation(image: Image.Image) -> int:
    # getexif() on a PNG without EXIF decodes the whole picture.
    if image.format == "PNG" and "exif" not in image.info:
        return 1
    value = image.getexif().get(_EXIF_ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _faulty(entry: Entry, code: str, text: str, digest: str) -> Facts:
    format_ = FORMAT_OF_SUFFIX.get(suffix_of(entry.file), "")
    mime = MIME_OF_FORMAT.get(format_, "application/octet-stream")
    return Facts(*entry[1:], digest, "", mime, fault=code, fault_text=text)


def verify(file: IO[bytes]) -> None:
    """Raises DamagedPicture unless the whole picture decodes. Leaves the file wherever it is.

    PNG by its checksums, which every damage breaks, at a fiftieth of a decode; JPEG at an eighth of its size, which
    reads all of its data at half the cost; the rest in full.
    """
    try:
        with opened(file) as image:
            if image.format == "PNG":
                image.verify()
                return
            if image.format in ("JPEG", "MPO"):
                image.draft("RGB", (image.width // 8 or 1, image.height // 8 or 1))
            image.load()
    except Exception as error:  # as above: decoders raise what they like
        raise DamagedPicture(str(error) or type(error).__name__) from error


def look_at(file: IO[bytes]) -> tuple[str, bytes, bool]:
    """(look, 32x32 RGB thumbnail, has transparent parts) of a picture, decoded once.

    look: two 128-bit difference hashes in hex: of the picture upright, and of its mirror image. JPEG is decoded at a
    quarter or an eighth where it is large enough. Raises DamagedPicture.
    """
    from PIL import ImageOps

    try:
        with _again(file) as twin, opened(twin) as image:
            if image.format == "PNG":
                image.verify()
        with _again(file) as twin, opened(twin) as image:
            if image.format in ("JPEG", "MPO"):
                image.draft("RGB", (128, 128))
            image.load()
            upright = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
            transparent = _is_transparent(upright)
            flat = _flattened(upright)
    except Exception as error:  # as above
        raise DamagedPicture(str(error) or type(error).__name__) from error
    tiny = flat.convert("L").resize((9, 9), Image.Resampling.LANCZOS)
    colours = flat.resize((32, 32), Image.Resampling.BOX)
    look = f"{_difference_hash(tiny):032x}{_difference_hash(ImageOps.mirror(tiny)):032x}"
    return look, colours.tobytes(), transparent


@contextmanager
def _again(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The same open file from its start, for Pillow to close: the name is not looked up a second time."""
    with open(os.dup(file.fileno()), "rb") as twin:
        twin.seek(0)
        yield twin


def _is_transparent(image: Image.Image) -> bool:
    if image.mode not in _ALPHA_MODES and "transparency" not in image.info:
        return False
    low: Any = image.convert("RGBA").getchannel("A").getextrema()[0]
    return bool(low < 255)


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        with_alpha = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return ground
    return image.convert("RGB")


def _difference_hash(tiny: Image.Image) -> int:
    """128 bits of a 9x9 picture: is a pixel darker than its right neighbour; than the one below?"""
    grey = tiny.tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = 9 * row + column
            bits = bits << 2 | (grey[at] < grey[at + 1]) << 1 | (grey[at] < grey[at + 9])
    return bits
