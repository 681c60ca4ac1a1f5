"""What is known of the weights in a folder: weights.json, beside the files.

Files that are there, with their digest, and exports that were begun: the intent is written before the request leaves,
so that a run that is killed neither exports twice nor downloads again what it has. No address is ever written.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from scenario_apply.errors import ScenarioApplyError
from scenario_apply.model import codec
from scenario_apply.model.address import Address
from scenario_apply.model.codec import Count, Misfit
from scenario_apply.model.remote import JobId, ModelId
from scenario_apply.state.stores.own_files import OwnFolder, UnsafeFile, temporary_name

RECORD_NAME = "weights.json"
FORMAT_VERSION = "1.0"

_LARGEST = 8 << 20
FILE_NAME = r"\A[A-Za-z0-9_][A-Za-z0-9_.,+-]{0,199}\Z"
"""Names of files that an export writes: none is hidden, and none leads out of the folder."""

FileName = Annotated[str, Meta(pattern=FILE_NAME)]
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class WeightsError(ScenarioApplyError):
    """Weights that cannot be exported, or a folder that they cannot be written to."""

    code = "weights"


class WeightsKey(NamedTuple):
    """By what exported weights are known. training: launched_at of it. epoch None: the service's choice."""

    model_id: ModelId
    training: str | None
    epoch: str | None


class HeldWeights(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file in the folder. size: bytes; at: when it was downloaded. job_id: of the export that made it."""

    address: Address
    version: Count
    model_id: ModelId
    training: str | None = None
    epoch: str | None = None
    file: FileName
    sha256: Digest
    size: Count
    at: str
    job_id: JobId

    @property
    def key(self) -> WeightsKey:
        return WeightsKey(self.model_id, self.training, self.epoch)


class BegunWeights(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An export that was begun. at: of the intent. job_id None: whether the request was carried out is unknown.

    etag, size: what the server said of the file, whose beginning is in the .part file.
    """

    address: Address
    version: Count
    model_id: ModelId
    training: str | None = None
    epoch: str | None = None
    at: str
    job_id: JobId | None = None
    etag: str = ""
    size: Count | None = None

    @property
    def key(self) -> WeightsKey:
        return WeightsKey(self.model_id, self.training, self.epoch)


class WeightsNotes(Struct, frozen=True, kw_only=True):
    """The whole of weights.json."""

    format_version: str = FORMAT_VERSION
    weights: tuple[HeldWeights, ...] = ()
    begun: tuple[BegunWeights, ...] = ()


class WeightsRecord:
    """weights.json of a folder. Every change is on the disk when the method returns. Raises WeightsError, OSError."""

    def __init__(self, folder: OwnFolder) -> None:
        self.folder = folder
        self._held: dict[WeightsKey, HeldWeights] = {}
        self._begun: dict[WeightsKey, BegunWeights] = {}

    @contextmanager
    def opened(self) -> Iterator[WeightsRecord]:
        """Reads it, and keeps every other export out of the folder."""
        with self.folder.opened(create=True) as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                where = self.folder.path
                raise WeightsError(f"another export is writing to {where}", hint="wait until it has ended") from error
            except OSError:
                pass  # a file system without locks
            self._read()
            yield self

    def held(self, key: WeightsKey) -> HeldWeights | None:
        return self._held.get(key)

    def begun(self, key: WeightsKey) -> BegunWeights | None:
        return self._begun.get(key)

    def job_ids(self) -> set[JobId]:
        """Jobs of every export that is noted."""
        begun = {one.job_id for one in self._begun.values() if one.job_id is not None}
        return begun | {one.job_id for one in self._held.values()}

    def owner_of(self, file: str) -> WeightsKey | None:
        """Whose file has that name."""
        return next((key for key, one in self._held.items() if one.file.casefold() == file.casefold()), None)

    def begin(self, note: BegunWeights) -> None:
        self._begun[note.key] = note
        self._write()

    def give_up(self, key: WeightsKey) -> None:
        """The export came to nothing."""
        if self._begun.pop(key, None) is not None:
            self._write()

    def keep(self, note: HeldWeights) -> None:
        """Written before the file takes its name."""
        self._begun.pop(note.key, None)
        self._held[note.key] = note
        self._write()

    def _read(self) -> None:
        path = os.path.join(self.folder.path, RECORD_NAME)
        try:
            content, _ = self.folder.read(RECORD_NAME, _LARGEST)
        except FileNotFoundError:
            return
        except UnsafeFile as error:
            raise WeightsError(str(error.strerror), hint=error.hint) from error
        hint = f"restore {path}, or name another folder, into which everything is exported again"
        try:
            notes = codec.decoded(content, WeightsNotes)
        except Misfit as misfit:
            raise WeightsError(f"{path} cannot be read: {misfit}", hint=hint) from misfit
        if notes.format_version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
            raise WeightsError(f"{path} was written by a newer release: {notes.format_version[:20]}")
        self._held = {one.key: one for one in notes.weights}
        self._begun = {one.key: one for one in notes.begun}

    def _write(self) -> None:
        notes = WeightsNotes(weights=tuple(self._held.values()), begun=tuple(self._begun.values()))
        temporary = temporary_name(RECORD_NAME)
        try:
            descriptor = self.folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            with os.fdopen(descriptor, "wb") as out:
                out.write(codec.document(notes))
                out.flush()
                os.fsync(out.fileno())
            self.folder.rename(temporary, RECORD_NAME)
            self.folder.sync()
        except BaseException:
            with suppress(OSError):
                self.folder.unlink(temporary)
            raise
