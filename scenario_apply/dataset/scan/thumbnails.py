"""Small copies of pictures for pages: read under the same guards and decoded under the same limits as in a scan.

The same bytes, budget and versions of Pillow and libwebp give the same copy.
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from math import sqrt
from typing import NamedTuple

from PIL import Image

from scenario_apply.dataset.image_limits import PictureRefused
from scenario_apply.dataset.pixel_data import PixelData
from scenario_apply.dataset.scan.barriers import refusal_finding
from scenario_apply.dataset.scan.decoding import DecodingAllowance, decoding_turn
from scenario_apply.dataset.scan.pillow_images import TURNS, opened, orientation_of, prepared, reason_of, reduced
from scenario_apply.dataset.scan.virtual_files import VirtualFiles
from scenario_apply.manifest.loader.data_guard import Barred, DataGuard
from scenario_apply.model.git_content import POINTER_BYTES, pointed_at

LARGEST_SIDE = 800
"""Pixels of the longest side. A page shows it small, and whole where it is enlarged."""
_SMALLEST_SIDE = 48
_LARGEST_FILE_BYTES = 100 << 20
_BYTES_A_PIXEL = 0.12  # of a photograph at the first quality
_QUALITY, _LOWER_QUALITY = 78, 66  # the lower one for what needs many bytes
_METHOD = 2  # of libwebp, 0 to 6: more take longer, and save three per cent
_MOST_THREADS = 4


class WantedPicture(NamedTuple):
    """sha256: of the file's bytes, in hex. file: relative to the root. may_leave: its dataset may lie outside of it."""

    sha256: str
    file: str
    may_leave: bool = False


class Thumbnail(NamedTuple):
    """A WebP picture, upright, on white where the original is transparent. width, height: in pixels."""

    data: bytes
    width: int
    height: int


class NoThumbnail(NamedTuple):
    """why: a few words that continue "not shown: "."""

    why: str


Shown = Thumbnail | NoThumbnail
Reader = Callable[[WantedPicture], bytes]
"""The bytes of a picture. Raises NotReadable."""


class NotReadable(Exception):
    """The text continues "not shown: "."""


def make_thumbnails(
    wanted: Iterable[WantedPicture], read: Reader, *, most_bytes: int, most_side: int = LARGEST_SIDE
) -> dict[str, Shown]:
    """By digest, in the order wanted: each picture in at most most_bytes, or why it has no thumbnail.

    A picture whose bytes have another digest is not shown. wanted: each is read before the next one is taken from it.
    most_side: pixels of the longest side.
    """
    allowance = DecodingAllowance()
    made: dict[str, Shown] = {}
    threads = max(1, min(_MOST_THREADS, os.cpu_count() or 1))
    with ThreadPoolExecutor(threads) as pool:
        begun: deque[tuple[str, Future[Shown]]] = deque()
        seen: set[str] = set()
        for picture in wanted:
            if picture.sha256 in seen:
                continue
            seen.add(picture.sha256)
            if len(begun) > 2 * threads:  # so that few files are in memory
                digest, future = begun.popleft()
                made[digest] = future.result()
            found = _held(picture, read, allowance)
            if isinstance(found, NoThumbnail):
                made[picture.sha256] = found
            else:
                begun.append((picture.sha256, pool.submit(_thumbnail, *found, most_bytes, most_side)))
        made |= {digest: future.result() for digest, future in begun}
    return made


def disk_reader(root: str, virtual: VirtualFiles | None = None) -> Reader:
    """Reads what a scan of that root may read. virtual: opens files in zip files and behind URLs."""
    others = virtual or VirtualFiles()
    guards = {may_leave: DataGuard(root, may_leave=may_leave, others=others) for may_leave in (False, True)}

    def read(picture: WantedPicture) -> bytes:
        try:
            with guards[picture.may_leave].opened(picture.file) as file:
                data = file.read(_LARGEST_FILE_BYTES + 1)
        except Barred as error:
            raise NotReadable(refusal_finding(error.barrier, "it").what) from error
        except FileNotFoundError as error:
            raise NotReadable("the file is gone") from error
        except OSError as error:
            raise NotReadable(f"the file cannot be read: {error.strerror or error}") from error
        if len(data) > _LARGEST_FILE_BYTES:
            raise NotReadable(f"the file is larger than {_LARGEST_FILE_BYTES >> 20} MB")
        return data

    return read


def _held(picture: WantedPicture, read: Reader, allowance: DecodingAllowance) -> NoThumbnail | tuple[bytes, PixelData]:
    """The file, and the part of it that is decoded."""
    try:
        data = read(picture)
        if len(data) < POINTER_BYTES and pointed_at(data) is not None:
            return NoThumbnail("not pulled from Git LFS")
        if sha256(data).hexdigest() != picture.sha256:
            return NoThumbnail("the file has changed since the plan was made")
        allowance.earn(len(data))
        held = prepared(data)
    except NotReadable as error:
        return NoThumbnail(str(error))
    except PictureRefused as refused:
        return NoThumbnail(refused.text.partition("; ")[0])
    except Exception as error:  # UnidentifiedImageError, and what its parsers raise on damage
        return NoThumbnail(f"it cannot be decoded: {reason_of(error)}")
    if not allowance.take(held.cost):
        return NoThumbnail("the limit on decoding was reached")
    return data, held


def _thumbnail(data: bytes, held: PixelData, most_bytes: int, most_side: int) -> Shown:
    try:
        with opened(held) as image:
            side = min(most_side, _likely_side(*image.size, most_bytes))
            with decoding_turn(held.width * held.height):
                if image.format in ("JPEG", "MPO"):
                    image.draft("RGB", (2 * side, 2 * side))
                image.load()
                times = max(1, max(image.size) // (2 * side))
                small, _ = reduced(image, times, times)
            turn = TURNS.get(orientation_of(image, data))
            return _fitted(small if turn is None else small.transpose(turn), side, most_bytes)
    except PictureRefused as refused:
        return NoThumbnail(refused.text.partition("; ")[0])
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        return NoThumbnail(f"it cannot be decoded: {reason_of(error)}")


def _likely_side(width: int, height: int, most_bytes: int) -> int:
    """Pixels of the longest side of a copy that so many bytes are likely to hold."""
    longest = max(width, height)
    square = most_bytes / _BYTES_A_PIXEL * longest / min(width, height)
    return max(1, min(LARGEST_SIDE, longest, int(sqrt(square))))


def _fitted(image: Image.Image, side: int, most_bytes: int) -> Shown:
    """Encoded in at most so many bytes, each try as much smaller as the one before was too large."""
    longest = max(image.size)
    least = min(_SMALLEST_SIDE, longest)
    quality = _QUALITY
    while True:
        small = image.resize(_size(image, side), Image.Resampling.HAMMING)  # as good at this, in a third of the time
        out = io.BytesIO()
        small.save(out, "WEBP", quality=quality, method=_METHOD)
        if out.tell() <= most_bytes:
            return Thumbnail(out.getvalue(), *small.size)
        if side <= least:
            return NoThumbnail("the page has no room for it")
        side = max(least, min(side - 1, int(side * max(0.5, sqrt(most_bytes / out.tell()) * 0.95))))
        quality = _LOWER_QUALITY


def _size(image: Image.Image, side: int) -> tuple[int, int]:
    longest = max(image.size)
    return max(1, round(image.width * side / longest)), max(1, round(image.height * side / longest))
