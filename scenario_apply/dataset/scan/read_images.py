"""Reads each picture file once: its digest, its header, and whether it is complete."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from scenario_apply.dataset.facts import FORMAT_OF_SUFFIX, MIME_OF_FORMAT, Facts, FileEntry
from scenario_apply.dataset.image_headers import Header, read_header
from scenario_apply.dataset.image_limits import PictureRefused, check_pixels
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.sniff import not_an_image
from scenario_apply.model.file_names import name_of, suffix_of
from scenario_apply.model.git_content import POINTER_BYTES, pointed_at

if TYPE_CHECKING:
    from scenario_apply.dataset.image_headers import Data
    from scenario_apply.manifest.loader.open_folders import FileOpener

_IN_MEMORY_BYTES = 16 << 20  # larger files are mapped and hashed in pieces
_PIECE_BYTES = 1 << 20
_NO_DIGEST = sha256(b"").hexdigest()


Look = Callable[[bytes, Facts, DecodingAllowance], None]


def read_facts(files: FileOpener, entry: FileEntry, allowance: DecodingAllowance, look: Look | None = None) -> Facts:
    """Facts of one picture file. Problems with the file do not raise; they are in Facts.fault.

    The stat in the result is the entry's, taken before the read, so a file that grew meanwhile is read again next
    time. allowance: for decoding files without an end marker, to see whether they are complete. look: takes the
    bytes as well, unless the file is so large that it is mapped.
    """
    try:
        fd = files.open(entry.file)
    except OSError as error:
        return _unreadable(entry, error)
    try:
        if entry.size > _IN_MEMORY_BYTES:
            with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data:
                return _facts(entry, data, _digest_in_pieces(data), allowance)
        held = _read_all(fd, entry.size)
        facts = _facts(entry, held, sha256(held).hexdigest(), allowance)
        if look is not None:
            look(held, facts, allowance)
        return facts
    except (OSError, ValueError) as error:  # ValueError: truncated to nothing before it was mapped
        return _unreadable(entry, error)
    finally:
        os.close(fd)


def _read_all(fd: int, size: int) -> bytes:
    """Read in one call if the size has not changed; a file that grew is read to its end."""
    data = os.read(fd, size + 1)
    if len(data) == size:
        return data
    pieces = [data]
    while piece := os.read(fd, _PIECE_BYTES):
        pieces.append(piece)
    return b"".join(pieces)


def _digest_in_pieces(data: mmap.mmap) -> str:
    digest = sha256()
    for at in range(0, len(data), _PIECE_BYTES):
        digest.update(data[at : at + _PIECE_BYTES])
    return digest.hexdigest()


def _facts(entry: FileEntry, data: Data, digest: str, allowance: DecodingAllowance) -> Facts:
    try:
        header = read_header(data)
        if header is not None:
            check_pixels(header.width, header.height)
            if header.whole:
                return _from_header(entry, header, digest)
    except PictureRefused as refused:
        return _faulty(entry, refused.code, refused.fault_text(name_of(entry.file)), digest)
    if len(data) < POINTER_BYTES and (pointed := pointed_at(data[:])) is not None:
        return _lfs(entry, *pointed)
    if why := not_an_image(data[:1024], name=entry.file):
        code, text = why
        return _faulty(entry, code, text, digest)
    from scenario_apply.dataset.scan.pillow_images import probe

    return probe(data[:], entry, digest, allowance, suspicious=header is not None)


def _from_header(entry: FileEntry, header: Header, digest: str) -> Facts:
    width, height = header.width, header.height
    if header.orientation > 4:
        width, height = height, width
    return Facts(
        *entry[1:],
        digest,
        header.format,
        MIME_OF_FORMAT[header.format],
        width,
        height,
        header.mode,
        header.depth,
        header.alpha,
        header.animated,
        header.orientation,
        transparent=None if header.alpha else False,
        metadata=header.metadata,
        profile=header.profile,
    )


def _lfs(entry: FileEntry, digest: str, size: int) -> Facts:
    """Digest and size of the picture that the pointer refers to; the stat is that of the pointer."""
    format_ = FORMAT_OF_SUFFIX.get(suffix_of(entry.file), "")
    return Facts(
        entry.file,
        size,
        entry.mtime_ns,
        entry.identity,
        digest,
        format_,
        MIME_OF_FORMAT.get(format_, "application/octet-stream"),
        is_lfs_pointer=True,
    )


def _faulty(entry: FileEntry, code: str, text: str, digest: str) -> Facts:
    format_ = FORMAT_OF_SUFFIX.get(suffix_of(entry.file), "")
    mime = MIME_OF_FORMAT.get(format_, "application/octet-stream")
    return Facts(*entry[1:], digest, "", mime, fault=code, fault_text=text)


def _unreadable(entry: FileEntry, error: Exception) -> Facts:
    why = getattr(error, "strerror", None) or str(error)
    if isinstance(error, FileNotFoundError):
        why = "the link has no target" if not entry.identity else "it was deleted"
    return _faulty(entry, "F01", f"cannot be read: {why}", _NO_DIGEST)
