"""The files of one exported picture: downloaded beside their place, checked, placed under a name that nothing has."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from scenario_apply.apply.export.export_notes import ExportNotes, PlacedPicture
from scenario_apply.dataset.scan.remote_objects import RemoteFailed, Sink
from scenario_apply.dataset.sniff import is_heif, is_picture, not_an_image
from scenario_apply.errors import Interrupted
from scenario_apply.model.file_names import IMAGE_SUFFIXES, stem_of, suffix_of
from scenario_apply.model.remote import AssetId
from scenario_apply.model.secret import Secret
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, is_temporary, own_folder, temporary_name

MOST_BYTES = 256 << 20
"""Of one picture. What the service takes in one request is below 6 MB; larger ones go in parts."""

_TEMPORARY = ".0123456789abcdef.tmp"
_PIECE = 1 << 20
_HEAD = 1024
_ENDINGS = ((b"\x89PNG", ".png"), (b"\xff\xd8", ".jpg"), (b"GIF8", ".gif"), (b"RIFF", ".webp"), (b"BM", ".bmp"))


class PictureTarget(NamedTuple):
    """A picture of the service and every place that it is to have. stems: relative to the root, without endings."""

    asset: AssetId
    name: str
    stems: tuple[str, ...]


class NotPlaced(Exception):
    """Why a picture is not in its place. may_pass: another try may succeed."""

    def __init__(self, why: str, *, may_pass: bool = False) -> None:
        super().__init__(why)
        self.may_pass = may_pass


class PictureSource(Protocol):
    """Where bytes come from by their address: WebReader. Raises RemoteFailed, FileNotFoundError."""

    def fetch(self, url: str, tag: str, out: Sink, most: int) -> None: ...


class PictureFiles:
    """Places pictures below a root. Any thread may use it. stop: once set, downloads end with Interrupted."""

    def __init__(self, root: str, notes: ExportNotes, stop: threading.Event) -> None:
        self._root = root
        self._notes = notes
        self._stop = stop

    def held(self, target: PictureTarget) -> bool:
        """Whether every place has the picture by an earlier run: what is missing of it is copied from the others."""
        known: dict[str, PlacedPicture] = {}
        for note in self._notes.pictures.get(target.asset, ()):
            stem = note.file[: len(note.file) - len(suffix_of(note.file))]
            if stem in target.stems and self._has(note):
                known[stem] = note
        if not known:
            return False
        if missing := [stem for stem in target.stems if stem not in known]:
            first = next(iter(known.values()))
            folder, name = self._place(first.file)
            self._copies(folder, name, missing, target, first)
        return True

    def download(self, target: PictureTarget, address: Secret, source: PictureSource) -> int:
        """The bytes that were read. Raises NotPlaced, Interrupted."""
        folder, name = self._place(target.stems[0])
        temporary = temporary_name(name)
        try:
            return self._download(target, address, source, folder, temporary)
        except RemoteFailed as error:
            raise NotPlaced(error.message, may_pass=True) from None  # its cause holds the signed address
        except FileNotFoundError:
            raise NotPlaced("the service has no bytes of it any more", may_pass=True) from None
        except UnsafeFile as error:
            raise NotPlaced(str(error.strerror)) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise  # every other file would fail, too
            raise NotPlaced(f"it cannot be written: {error.strerror or error}") from error
        finally:
            with suppress(OSError):
                folder.unlink(temporary)

    def clear(self, targets: Iterable[PictureTarget]) -> None:
        """Takes away what a killed run left half downloaded."""
        by_folder: dict[str, set[str]] = {}
        for target in targets:
            for folder, name in map(self._place, target.stems):
                by_folder.setdefault(folder.path, set()).add(name)
        for path, names in by_folder.items():
            folder = own_folder(path, within=self._root)
            with suppress(OSError):
                for found in folder.names():
                    of = found[: -len(_TEMPORARY)]
                    if is_temporary(found, of) and not names.isdisjoint((of, stem_of(of))):
                        folder.unlink(found)

    def _download(
        self, target: PictureTarget, address: Secret, source: PictureSource, folder: OwnFolder, temporary: str
    ) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(folder.open(temporary, flags, 0o666, create_folder=True), "wb") as out:
            sink = _HashingSink(out, self._stop)
            source.fetch(address.reveal(), "", sink, MOST_BYTES)
            out.flush()
            os.fsync(out.fileno())
        ending = ending_of(target.name, sink.head)
        note = PlacedPicture(
            asset=target.asset, file=target.stems[0] + ending, sha256=sink.digest.hexdigest(), size=sink.size
        )
        self._copies(folder, temporary, target.stems, target, note)
        return sink.size

    def _copies(
        self, folder: OwnFolder, held: str, stems: Sequence[str], target: PictureTarget, note: PlacedPicture
    ) -> None:
        """Gives bytes that lie in a folder their places. note: of one of them."""
        ending = suffix_of(note.file)
        for stem in stems:
            one = replace(note, file=stem + note.file[len(note.file) - len(ending) :])
            self._notes.add(one)
            there, name = self._place(one.file)
            source, is_copy = held, False
            if there.path != folder.path or not held.endswith(".tmp"):
                source, is_copy = temporary_name(name), True
                self._copy(folder, held, there, source)
            try:
                there.link(source, name)
            except FileExistsError:
                if not self._has(one):
                    raise NotPlaced(f"{one.file} exists with another content, and is not overwritten") from None
            finally:
                if is_copy:
                    with suppress(OSError):
                        there.unlink(source)

    def _copy(self, folder: OwnFolder, name: str, there: OwnFolder, new: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with (
            os.fdopen(folder.open(name, os.O_RDONLY), "rb") as source,
            os.fdopen(there.open(new, flags, 0o666, create_folder=True), "wb") as out,
        ):
            while piece := source.read(_PIECE):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())

    def _has(self, note: PlacedPicture) -> bool:
        """Whether the file is there with the noted bytes."""
        folder, name = self._place(note.file)
        digest = sha256()
        try:
            with os.fdopen(folder.open(name, os.O_RDONLY), "rb") as file:
                if os.fstat(file.fileno()).st_size != note.size:
                    return False
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except OSError:
            return False
        return digest.hexdigest() == note.sha256

    def _place(self, file: str) -> tuple[OwnFolder, str]:
        folder, name = os.path.split(os.path.join(self._root, file))
        return own_folder(folder, within=self._root), name


def ending_of(name: str, head: bytes) -> str:
    """The ending of a picture's file: that of its name where it has one, else that of its bytes. head: its first KiB.

    Raises NotPlaced for bytes that are no picture.
    """
    if (what := not_an_image(head, name="what the service sends")) is not None:
        raise NotPlaced(what[1].partition(";")[0])
    if not is_picture(head[:32]):
        raise NotPlaced("what the service sends is no picture")
    ending = name[len(name) - len(suffix_of(name)) :]
    if ending.lower() in IMAGE_SUFFIXES:
        return ending
    if head[4:8] == b"ftyp":
        return ".heic" if is_heif(head) else ".avif"
    return next((found for start, found in _ENDINGS if head.startswith(start)), ".tif")


class _HashingSink:
    """Writes pieces of a file and knows its size, digest and beginning."""

    def __init__(self, out: Sink, stop: threading.Event) -> None:
        self.digest = sha256()
        self.size = 0
        self.head = b""
        self._out = out
        self._stop = stop

    def write(self, piece: bytes, /) -> object:
        if self._stop.is_set():
            raise Interrupted("interrupted")
        if len(self.head) < _HEAD:
            self.head += piece[: _HEAD - len(self.head)]
        self.digest.update(piece)
        self.size += len(piece)
        return self._out.write(piece)
