"""Reads one picture that a sample edits and that is in no dataset: as guarded as the pictures of a dataset are."""

from __future__ import annotations

import os
import posixpath

from scenario_apply.dataset.facts import FileEntry
from scenario_apply.dataset.scan.barriers import refusal_finding
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.read_images import read_facts
from scenario_apply.dataset.types import Image
from scenario_apply.manifest.loader.data_guard import Barred, DataGuard

LARGEST_REFERENCE = 50 << 20
"""Bytes of a file that is read for it."""


class ReferenceRefused(Exception):
    """A file that cannot be a reference picture: why, in words, with a hint or none."""

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(why)
        self.hint = hint


def read_reference(root: str, file: str) -> Image:
    """The picture, as it is sent. file: relative to the root, POSIX. Raises ReferenceRefused.

    A Git LFS pointer gives the digest and size of the picture that it stands for.
    """
    guard, full = DataGuard(root), posixpath.normpath(posixpath.join(root, file))
    try:
        if (barrier := guard.barrier_as_written(full)) is not None:
            raise Barred(barrier)
        with guard.opened(file) as opened:
            size = os.fstat(opened.fileno()).st_size
    except Barred as error:
        found = refusal_finding(error.barrier, file)
        raise ReferenceRefused(found.what, "choose a picture below the manifest's folder") from error
    except FileNotFoundError as error:
        raise ReferenceRefused(f"{file} does not exist", "the path is relative to the manifest's folder") from error
    except OSError as error:
        raise ReferenceRefused(f"{file} cannot be read: {error.strerror}") from error
    if size > LARGEST_REFERENCE:
        raise ReferenceRefused(f"{file} has {size >> 20} MB; at most {LARGEST_REFERENCE >> 20} are read")
    entry = FileEntry(path=posixpath.basename(file), file=file, size=size, mtime_ns=0, identity=0)
    facts = read_facts(guard, entry, DecodingAllowance())
    if facts.fault:
        raise ReferenceRefused(f"{file} is no picture that can be sent: {facts.fault_text}")
    return Image(
        path=entry.path,
        file=file,
        sha256=facts.sha256,
        size_bytes=facts.size,
        mime=facts.mime,
        width=facts.width,
        height=facts.height,
        caption=None,
        is_lfs_pointer=facts.is_lfs_pointer,
    )
