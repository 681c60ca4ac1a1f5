"""What an export has placed, in .scenario/export: a run that was broken off is continued, and nothing is read twice.

A line of JSON for each folder and picture, written before the file takes its name. The first line is the file's own
inode, so that one which came with a commit is ignored. A picture counts only while its file has the noted bytes.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from scenario_apply.model import codec
from scenario_apply.model.codec import Misfit
from scenario_apply.model.remote import AssetId
from scenario_apply.state.stores.own_files import OwnFolder, own_folder

_NAME = "export"
_LARGEST = 64 << 20


class PlacedPicture(Struct, frozen=True, kw_only=True, tag="picture", tag_field="kind"):
    """file: relative to the root."""

    asset: AssetId
    file: str
    sha256: str
    size: int


class ClaimedFolder(Struct, frozen=True, kw_only=True, tag="folder", tag_field="kind"):
    """A folder that was made for the dataset of that identity."""

    folder: str
    identity: str


class ExportNotes:
    """The notes of one root. Any thread may add to them."""

    def __init__(self, root: str) -> None:
        self._folder: OwnFolder = own_folder(os.path.join(root, ".scenario"), within=root)
        self._lock = threading.Lock()
        self._out = -1
        self.pictures: dict[AssetId, list[PlacedPicture]] = {}
        self.folders: dict[str, str] = {}  # identity -> folder

    @contextmanager
    def opened(self) -> Iterator[ExportNotes]:
        """Reads what earlier runs noted, and stays open for more. Raises OSError."""
        self._folder.ignore_all()
        is_ours = self._read()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._out = self._folder.open(_NAME, flags)
        try:
            if not is_ours:
                os.ftruncate(self._out, 0)
                os.write(self._out, f"{os.fstat(self._out).st_ino}\n".encode())
            yield self
        finally:
            os.close(self._out)
            self._out = -1

    def add(self, note: PlacedPicture | ClaimedFolder) -> None:
        with self._lock:
            os.write(self._out, codec.line(note))
            self._take(note)

    def _take(self, note: PlacedPicture | ClaimedFolder) -> None:
        if isinstance(note, ClaimedFolder):
            self.folders[note.identity] = note.folder
        else:
            self.pictures.setdefault(note.asset, []).append(note)

    def _read(self) -> bool:
        """Whether there are notes of this machine."""
        try:
            content, facts = self._folder.read(_NAME, _LARGEST)
        except FileNotFoundError:
            return False
        origin, *lines = content.split(b"\n")
        if origin != str(facts.st_ino).encode():
            return False
        for line in lines:
            with contextlib.suppress(Misfit):  # the last one may be cut
                self._take(codec.decoded(line, PlacedPicture | ClaimedFolder))
        return True
