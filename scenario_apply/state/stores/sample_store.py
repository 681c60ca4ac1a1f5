"""The folder of small copies of sample pictures, beside a manifest: `.scenario/samples/`, which Git ignores.

A copy is named by the SHA-256 of its bytes. The folder is a cache: what is missing is downloaded again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from contextlib import suppress
from hashlib import sha256

from scenario_apply.state.stores.atomic import write_atomically
from scenario_apply.state.stores.own_files import OwnFolder, own_folder

SAMPLES_FOLDER = (".scenario", "samples")
_MOST_BYTES = 1 << 20
_COPY = re.compile(r"[0-9a-f]{64}\.webp")


def copy_name(digest: str) -> str:
    """The name of a copy's file. Raises ValueError for what is no SHA-256."""
    name = f"{digest}.webp"
    if not _COPY.fullmatch(name):
        raise ValueError(f"{digest[:80]!r} is no SHA-256")
    return name


class SampleStore:
    """Of one root. Nothing is written or deleted through a link. Methods raise OSError, UnsafeFile among them."""

    def __init__(self, root: str, published: OwnFolder | None = None) -> None:
        """root: the folder .scenario/ is in. published: another folder for copies, which others may read."""
        own = own_folder(root, within=root).within(SAMPLES_FOLDER[0])
        self._ignored = own if published is None else None
        self._folder = own.within(*SAMPLES_FOLDER[1:]) if published is None else published

    @property
    def path(self) -> str:
        return self._folder.path

    def keep(self, data: bytes) -> str:
        """Write a copy, unless it is there; its digest."""
        digest = sha256(data).hexdigest()
        if not self.has(digest):
            if self._ignored is not None:
                self._ignored.ignore_all()
            write_atomically(self._folder, copy_name(digest), data, mode=0o666 if self._ignored is None else 0o600)
        return digest

    def has(self, digest: str) -> bool:
        """Whether the copy is there, and nothing else under its name."""
        return self.read(digest) is not None

    def read(self, digest: str) -> bytes | None:
        """The copy; None where it is not there, something else is under its name, or a state has what is no digest."""
        try:
            data, _ = self._folder.read(copy_name(digest), _MOST_BYTES)
        except (OSError, ValueError):
            return None
        return data if sha256(data).hexdigest() == digest else None

    def path_of(self, digest: str) -> str:
        """Where the copy is, or would be."""
        return os.path.join(self._folder.path, copy_name(digest))

    def sizes(self) -> dict[str, int]:
        """The digests of all copies, with their bytes. Other files are not of this folder's making, and left alone."""
        try:
            names = self._folder.names()
        except FileNotFoundError:
            return {}
        found: dict[str, int] = {}
        for name in sorted(names):
            if _COPY.fullmatch(name):
                with suppress(FileNotFoundError):
                    found[name.removesuffix(".webp")] = self._folder.look(name).st_size
        return found

    def delete(self, digests: Collection[str]) -> None:
        """Take copies away; one that is gone already is no error."""
        for digest in digests:
            with suppress(FileNotFoundError):
                self._folder.unlink(copy_name(digest))
