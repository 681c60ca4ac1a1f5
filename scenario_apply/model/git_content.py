"""What Git leaves in files that people take for their own content: LFS pointers and conflict markers."""

from __future__ import annotations

import re

_POINTER_START = b"version https://git-lfs.github.com/spec/"
_POINTER = rb"oid sha256:([0-9a-f]{64})\s+size (\d{1,15})(?!\d)"
POINTER_BYTES = 1024
"""A pointer is smaller. Source: git-lfs, docs/spec.md."""
_MARKER = re.compile(r"^(?:<{7}|>{7}|\|{7})(?:[ \t]|\r?$)|^={7}\r?$", re.MULTILINE)
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


def is_pointer(data: bytes) -> bool:
    """Whether bytes are those of a Git LFS pointer. Source: git-lfs, docs/spec.md: `version` is the first key."""
    return data.startswith(_POINTER_START)


def pointed_at(data: bytes) -> tuple[str, int] | None:
    """SHA-256 in lower-case hex, and size in bytes, of the file that a pointer stands for; None if it is no pointer."""
    if len(data) >= POINTER_BYTES or not is_pointer(data):
        return None
    found = re.search(_POINTER, data)
    return None if found is None else (found[1].decode(), int(found[2]))


def conflict_line(text: str) -> int | None:
    """The line, from 1, of the first conflict marker of a merge; None without one. As in `git diff --check`."""
    if not any(marker in text for marker in _MARKERS):
        return None
    found = _MARKER.search(text)
    return None if found is None else text.count("\n", 0, found.start()) + 1
