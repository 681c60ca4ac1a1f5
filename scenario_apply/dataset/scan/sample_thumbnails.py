"""Small copies of sample pictures in `.scenario/samples/`, each under the SHA-256 of its bytes, read for pages.

The folder lies in a repository that is not trusted: no link is followed, and a copy is shown only if it has the digest
that is asked for and can be decoded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from hashlib import sha256

from scenario_apply.dataset.image_limits import PictureRefused
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.pillow_images import opened, prepared, reason_of
from scenario_apply.dataset.scan.thumbnails import (
    NoThumbnail,
    NotReadable,
    Shown,
    Thumbnail,
    WantedPicture,
    make_thumbnails,
)
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile
from scenario_apply.state.stores.sample_store import SAMPLES_FOLDER

NOT_HERE = NoThumbnail("its small copy is not in .scenario/samples/")
_LARGEST_BYTES = 256 << 10
MOST_BYTES = 16_000
MOST_SIDE = 256
"""Of a copy that is made."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_sample_thumbnails(root: str, digests: Iterable[str], *, most_bytes: int) -> dict[str, Shown]:
    """By digest: the copy as it is, or made smaller where it has more than most_bytes; or why it is not shown."""
    folder = OwnFolder(base=os.path.realpath(root), below=SAMPLES_FOLDER)
    allowance = DecodingAllowance()
    shown: dict[str, Shown] = {}
    large: dict[str, bytes] = {}
    for digest in dict.fromkeys(digests):
        try:
            data = _bytes(folder, digest)
        except FileNotFoundError:
            shown[digest] = NOT_HERE
        except NotReadable as error:
            shown[digest] = NoThumbnail(str(error))
        except UnsafeFile:
            shown[digest] = NoThumbnail("in its place is a link, or what is no regular file")
        except OSError as error:
            shown[digest] = NoThumbnail(f"its small copy cannot be read: {error.strerror or error}")
        else:
            shown[digest] = _decoded(data, allowance)
            if len(data) > most_bytes and isinstance(shown[digest], Thumbnail):
                large[digest] = data
    wanted = (WantedPicture(digest, "") for digest in large)
    return shown | make_thumbnails(wanted, lambda one: large[one.sha256], most_bytes=most_bytes)


def _bytes(folder: OwnFolder, digest: str) -> bytes:
    if not _DIGEST.fullmatch(digest):
        raise NotReadable("the state names no digest of it")
    data, _ = folder.read(f"{digest}.webp", _LARGEST_BYTES)
    if sha256(data).hexdigest() != digest:
        raise NotReadable("its small copy was changed")
    return data


def _decoded(data: bytes, allowance: DecodingAllowance) -> Shown:
    """The copy without whatever else its file holds, once it is known to be a picture."""
    allowance.earn(len(data))
    try:
        held = prepared(data)
        if held.format != "WEBP":
            return NoThumbnail("its small copy is not in WebP")
        if not allowance.take(held.cost):
            return NoThumbnail("the limit on decoding was reached")
        with opened(held) as image:
            image.load()
            return Thumbnail(held.data, *image.size)
    except PictureRefused as refused:
        return NoThumbnail(refused.text.partition("; ")[0])
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        return NoThumbnail(f"it cannot be decoded: {reason_of(error)}")
