"""Uses Pillow to read unusual formats, files that seem truncated, and pixels. Imported only where it is needed.

Pillow never gets a file unchanged: dataset.pixel_data refuses expensive files and passes on only what the pixels need.
Large pictures are decoded one at a time, and reduced before their colours are converted.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from operator import itemgetter, lt
from typing import Any, NamedTuple

from PIL import Image, ImageChops, UnidentifiedImageError

from scenario_apply.dataset.facts import FORMAT_OF_SUFFIX, MIME_OF_FORMAT, Facts, FileEntry, PixelStatistics
from scenario_apply.dataset.image_headers import exif_orientation, is_other_profile, read_header
from scenario_apply.dataset.image_limits import PictureRefused, check_pixels
from scenario_apply.dataset.lint.duplicate_rules import ColourGap, colour_gap
from scenario_apply.dataset.metadata import has_metadata
from scenario_apply.dataset.pixel_data import PixelData, check_png_sums, pixels_only
from scenario_apply.dataset.scan.decoding import DecodingAllowance, decoding_turn
from scenario_apply.dataset.scan.pixel_statistics import statistics_of
from scenario_apply.dataset.sniff import is_heif
from scenario_apply.model.file_names import name_of, suffix_of

ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_HEADER_ONLY = frozenset({"GIF", "TIFF", "BMP", "AVIF"})
"""Formats of which a plain scan reads only the header. pixel_data checks that an AVIF file is complete."""

THUMBNAIL_SIZE = (32, 32)
"""Of PixelSummary.colours."""

_MIN_REDUCED = 256  # pixels per side that are kept for the hashes
_TALL_STRIP = 64  # lines that are converted at a time
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_filters = threading.Lock()  # warnings.catch_warnings affects the whole process


class DamagedPicture(Exception):
    """The bytes cannot be decoded. The text is Pillow's reason."""


class NotDecoded(Exception):
    """The decoding allowance is spent; this picture was not decoded."""


class PixelSummary(NamedTuple):
    """hashes: two difference hashes in hex, of the upright picture and its mirror image. colours: 32x32 RGB."""

    hashes: str
    colours: Image.Image
    transparent: bool
    statistics: PixelStatistics


def prepared(data: bytes) -> PixelData:
    """The part of a picture file that Pillow may read. Raises PictureRefused or UnidentifiedImageError."""
    held = pixels_only(data)
    if held is None:
        raise UnidentifiedImageError("no known format")
    return held


@contextmanager
def opened(held: PixelData) -> Iterator[Image.Image]:
    """A picture whose header was read. Raises PictureRefused, or whatever Pillow raises."""
    # Large pictures are reported as F10, so Pillow's own warning is silenced.
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(held.data), formats=_formats())
    try:
        check_pixels(*image.size)  # the size according to the decoder, which may differ from our header reader
        yield image
    finally:
        image.close()


@cache
def _formats() -> tuple[str, ...]:
    """The accepted formats that this Pillow can read. No other decoder is used."""
    from importlib import import_module

    for plugin in ("Jpeg", "Mpo", "Png", "WebP", "Gif", "Bmp", "Tiff", "Avif"):
        with suppress(ImportError):  # AVIF is missing from the oldest supported Pillow
            import_module(f"PIL.{plugin}ImagePlugin")
    with suppress(ImportError):  # the extra [heif]; without it probe() reports such files
        import_module("pillow_heif").register_heif_opener()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def probe(data: bytes, entry: FileEntry, digest: str, allowance: DecodingAllowance, *, suspicious: bool) -> Facts:
    """Facts from Pillow. suspicious: the file has no end marker, so its pixels are decoded to see if it is complete."""
    try:
        held = prepared(data)
        with opened(held) as image:
            facts = _facts(entry, image, digest, data)
            if suspicious or facts.format not in _HEADER_ONLY:
                if not allowance.take(held.cost):
                    return _faulty(entry, "F02", f"{name_of(entry.file)} {_CUT_OFF}", digest)
                _load(image, held)
            return facts
    except PictureRefused as refused:
        return _faulty(entry, refused.code, refused.fault_text(name_of(entry.file)), digest)
    except UnidentifiedImageError:
        return _faulty(entry, *_unidentified(data[:64], entry, suspicious), digest)
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        text = f"{name_of(entry.file)} is damaged: {reason_of(error)}; export or download it again"
        return _faulty(entry, "F02", text, digest)


_CUT_OFF = "has no end marker, and the decoding limit was reached before it could be checked; export it again"


def _load(image: Image.Image, held: PixelData) -> None:
    """Decodes in turn. JPEG is decoded at an eighth of its size, which still reads all of its data."""
    with decoding_turn(held.width * held.height):
        if image.format in ("JPEG", "MPO"):
            image.draft("RGB", (image.width // 8 or 1, image.height // 8 or 1))
        image.load()


def reason_of(error: Exception) -> str:
    """Pillow's reason on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _unidentified(head: bytes, entry: FileEntry, suspicious: bool) -> tuple[str, str]:
    name = name_of(entry.file)
    if is_heif(head):
        hint = "install scenario-apply[heif], or convert it to PNG"
        return "F04", f"{name} is a HEIC picture; {hint}"
    if suspicious or head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8", b"BM")):
        return "F02", f"{name} is damaged: its header is truncated; export or download it again"
    return "F01", f"{name} is not an image of a known format; use PNG, JPEG or WebP"


def _facts(entry: FileEntry, image: Image.Image, digest: str, data: bytes) -> Facts:
    format_ = "JPEG" if image.format == "MPO" else (image.format or "")
    orientation = orientation_of(image, data)
    width, height = image.size
    if orientation > 4 and format_ != "TIFF":  # which Pillow turns by itself
        width, height = height, width
    alpha = image.mode in ALPHA_MODES or "transparency" in image.info
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
        # Not n_frames, which reads all frames.
        image.format != "MPO" and bool(getattr(image, "is_animated", False)),
        orientation,
        transparent=None if alpha else False,
        metadata=has_metadata(data),
        profile=is_other_profile(image.info.get("icc_profile") or b""),
    )


def orientation_of(image: Image.Image, data: bytes) -> int:
    """Read here: Pillow would parse the whole EXIF block, which can hold the same megabyte a thousand times."""
    header = read_header(data)
    if header is not None:
        return header.orientation
    if image.format == "TIFF":
        value = getattr(image, "tag_v2", {}).get(0x0112, 1)
        return value if isinstance(value, int) and 1 <= value <= 8 else 1
    block = image.info.get("exif", b"")
    return exif_orientation(block.removeprefix(b"Exif\0\0")) if isinstance(block, bytes) else 1


def _faulty(entry: FileEntry, code: str, text: str, digest: str) -> Facts:
    format_ = FORMAT_OF_SUFFIX.get(suffix_of(entry.file), "")
    mime = MIME_OF_FORMAT.get(format_, "application/octet-stream")
    return Facts(*entry[1:], digest, "", mime, fault=code, fault_text=text)


def verify(data: bytes) -> None:
    """Raises DamagedPicture unless the whole picture can be decoded.

    PNG is checked by its checksums, which takes a fiftieth of the time; JPEG is decoded at an eighth of its size,
    which still reads all of its data.
    """
    try:
        held = prepared(data)
        with opened(held) as image:
            if held.format == "PNG":
                check_png_sums(data)
            else:
                _load(image, held)
    except PictureRefused as refused:
        raise DamagedPicture(refused.text.partition("; ")[0]) from refused
    except Exception as error:  # as above: decoders raise many types
        raise DamagedPicture(reason_of(error)) from error


def read_pixels(data: bytes, allowance: DecodingAllowance) -> PixelSummary:
    """Hashes, colours and transparency of a picture, which is decoded once.

    A large JPEG is decoded at a quarter or an eighth of its size. Raises DamagedPicture, or NotDecoded when the
    allowance is too small.
    """
    if allowance.is_spent:
        raise NotDecoded
    try:
        held = prepared(data)
        if held.format == "PNG":
            check_png_sums(data)
        if not allowance.take(held.cost):
            raise NotDecoded
        with opened(held) as image:
            with decoding_turn(held.width * held.height):
                if image.format in ("JPEG", "MPO"):
                    image.draft("RGB", (128, 128))
                image.load()
                across, down = (max(1, side // _MIN_REDUCED) for side in image.size)
                flat, transparent = reduced(image, across, down)
            turn = TURNS.get(orientation_of(image, data))
            return _summary(flat if turn is None else flat.transpose(turn), transparent)
    except NotDecoded:
        raise
    except PictureRefused as refused:
        raise DamagedPicture(refused.text.partition("; ")[0]) from refused
    except Exception as error:  # as above: decoders raise many types
        raise DamagedPicture(reason_of(error)) from error


def colour_difference(one: Image.Image, other: Image.Image, *, mirrored: bool = False) -> ColourGap:
    """How far two PixelSummary.colours are apart, the first mirrored if so said."""
    first = one.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else one
    channels = ImageChops.difference(first, other).tobytes()
    return colour_gap(first.tobytes(), other.tobytes(), channels)


def _summary(flat: Image.Image, transparent: bool) -> PixelSummary:
    grey = flat.convert("L")
    tiny = grey.resize((9, 9), Image.Resampling.LANCZOS)
    colours = flat.resize(THUMBNAIL_SIZE, Image.Resampling.BOX)
    mirrored = tiny.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    hashes = f"{_difference_hash(tiny):032x}{_difference_hash(mirrored):032x}"
    return PixelSummary(hashes, colours, transparent, statistics_of(grey, colours))


def reduced(image: Image.Image, across: int, down: int) -> tuple[Image.Image, bool]:
    """A copy in RGB on white, that many times smaller, and whether the picture has transparent parts.

    Reduced before its colours are converted where its mode allows that, otherwise strip by strip, so that a second
    copy of 50 megapixels is never made.
    """
    width, height = image.size
    if image.mode in ("RGB", "L", "CMYK", "YCbCr") and "transparency" not in image.info:
        return _in_colour(image if across == down == 1 else image.reduce((across, down))), False
    lines = down * max(1, _TALL_STRIP // down)
    small = Image.new("RGB", (-(-width // across), -(-height // down)))
    transparent = False
    for top in range(0, height, lines):
        strip = image.crop((0, top, width, min(top + lines, height)))
        transparent = transparent or _is_transparent(strip)
        small.paste(_flattened(strip).reduce((across, down)), (0, top // down))
    return small, transparent


def _in_colour(image: Image.Image) -> Image.Image:
    """In RGB; the same picture if it is. 16-bit grey is scaled to 8 bits, which Pillow would clip at 255."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_transparent(image: Image.Image) -> bool:
    if image.mode not in ALPHA_MODES and "transparency" not in image.info:
        return False
    low: Any = image.convert("RGBA").getchannel("A").getextrema()[0]
    return bool(low < 255)


def _flattened(image: Image.Image) -> Image.Image:
    if image.mode in ALPHA_MODES or "transparency" in image.info:
        with_alpha = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(with_alpha, mask=with_alpha.getchannel("A"))
        return ground
    return _in_colour(image)


_CELLS = [9 * row + column for row in range(8) for column in range(8) for _ in range(2)]
_cells, _neighbours = itemgetter(*_CELLS), itemgetter(*(cell + (1, 9)[n % 2] for n, cell in enumerate(_CELLS)))
_AS_DIGITS = bytes.maketrans(b"\0\1", b"01")


def _difference_hash(tiny: Image.Image) -> int:
    """128 bits of a 9x9 picture: whether each pixel is darker than its right neighbour, and than the one below."""
    grey = tiny.tobytes()
    return int(bytes(map(lt, _cells(grey), _neighbours(grey))).translate(_AS_DIGITS), 2)
