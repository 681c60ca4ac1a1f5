"""Small copies of sample pictures in `.scenario/samples/`, each under the SHA-256 of its bytes, read for pages.

The folder lies in a repository that is not trusted: no link is followed, and a copy is shown only if it has the digest
that is asked for and can be decoded.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from math import sqrt

from PIL import Image

from scenario_apply.dataset.image_limits import PictureRefused
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.pillow_images import opened, prepared, reason_of
from scenario_apply.dataset.scan.thumbnails import (
    NoThumbnail,
    NotReadable,
    Shown,
    Thumbnail,
)
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile
from scenario_apply.state.stores.sample_store import SAMPLES_FOLDER

NOT_HERE = NoThumbnail("its small copy is not in .scenario/samples/")
_LARGEST_BYTES = 256 << 10
MOST_BYTES = 16_000
MOST_SIDE = 256
"""Of a copy that is made."""
_QUALITY = 70
_THREADS = 4
_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_sample_thumbnails(root: str, digests: Iterable[str], *, most_bytes: int, most_in_all: int) -> dict[str, Shown]:
    """By digest: the copy, or why it is not shown.

    Copies are shown as they are; where all of them have more than most_in_all, the largest ones are made smaller, none
    of them below most_bytes.
    """
    folder = OwnFolder(base=os.path.realpath(root), below=SAMPLES_FOLDER)
    shown: dict[str, Shown] = {}
    found: dict[str, bytes] = {}
    for digest in dict.fromkeys(digests):
        try:
            found[digest] = _bytes(folder, digest)
        except FileNotFoundError:
            shown[digest] = NOT_HERE
        except NotReadable as error:
            shown[digest] = NoThumbnail(str(error))
        except UnsafeFile:
            shown[digest] = NoThumbnail("in its place is a link, or what is no regular file")
        except OSError as error:
            shown[digest] = NoThumbnail(f"its small copy cannot be read: {error.strerror or error}")
    most = max(most_bytes, _level([*map(len, found.values())], most_in_all))
    allowance = DecodingAllowance()
    with ThreadPoolExecutor(_THREADS) as pool:
        made = pool.map(lambda data: _decoded(data, allowance, most), found.values())
        return shown | dict(zip(found, made, strict=True))


def _level(sizes: list[int], most_in_all: int) -> int:
    """The most bytes of one picture with which all of them have at most most_in_all."""
    left = most_in_all
    for number, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if size > share:
            return share
        left -= size
    return _LARGEST_BYTES


def _bytes(folder: OwnFolder, digest: str) -> bytes:
    if not _DIGEST.fullmatch(digest):
        raise NotReadable("the state names no digest of it")
    data, _ = folder.read(f"{digest}.webp", _LARGEST_BYTES)
    if sha256(data).hexdigest() != digest:
        raise NotReadable("its small copy was changed")
    return data


def _decoded(data: bytes, allowance: DecodingAllowance, most_bytes: int) -> Shown:
    """The copy without whatever else its file holds, once it is known to be a picture; smaller where it has to be."""
    allowance.earn(len(data))
    try:
        held = prepared(data)
        if held.format != "WEBP":
            return NoThumbnail("its small copy is not in WebP")
        if not allowance.take(held.cost):
            return NoThumbnail("the limit on decoding was reached")
        with opened(held) as image:
            image.load()
            if len(held.data) <= most_bytes:
                return Thumbnail(held.data, *image.size)
            return _shrunk(image.convert("RGB"), most_bytes / len(held.data), most_bytes)
    except PictureRefused as refused:
        return NoThumbnail(refused.text.partition("; ")[0])
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        return NoThumbnail(f"it cannot be decoded: {reason_of(error)}")


def _shrunk(image: Image.Image, share: float, most_bytes: int) -> Shown:
    """The picture in about that share of its pixels; usually the first try fits."""
    while (side := sqrt(share)) * min(image.size) >= 1:
        small = image.resize(
            (max(1, int(image.width * side)), max(1, int(image.height * side))), Image.Resampling.HAMMING
        )
        out = io.BytesIO()
        small.save(out, "WEBP", quality=_QUALITY, method=0)
        if out.tell() <= most_bytes:
            return Thumbnail(out.getvalue(), *small.size)
        share *= 0.8
    return NoThumbnail("the page has no room for it")
