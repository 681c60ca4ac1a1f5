"""Reads the pictures of large cold datasets on the workers of an engine, 500 files a task.

A task is plain data; a worker opens the same paths with the same guard. Its findings are used as if the pictures had
been read here, one after the other: with the same facts, the same order and the same part of the decoding allowance.
What a worker cannot read, does not see as it was listed, or lost, is read here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple

from PIL import Image

from scenario_apply.dataset.facts import Facts, FileEntry
from scenario_apply.dataset.scan.decoding import DecodingAllowance, take_turns_on_this_machine
from scenario_apply.dataset.scan.image_similarity import SeenPixels
from scenario_apply.dataset.scan.pillow_images import THUMBNAIL_SIZE
from scenario_apply.dataset.scan.read_images import read_facts
from scenario_apply.dataset.scan.scan_progress import ScanProgress
from scenario_apply.dataset.scan.virtual_files import VirtualFiles
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.manifest.loader.open_folders import OpenFolders

FILES_OF_A_TASK = 500
FILES_FOR_AN_ENGINE = 1_000
"""Starting an engine takes as long as reading some hundred pictures."""

_WITH_COLOURS = 2_000  # of a dataset, the last ones: SeenPixels keeps no more
_TRIES = 2

OpenEngine = Callable[[], AbstractContextManager[Executor]]


class FilesToRead(NamedTuple):
    """Pictures of one dataset. may_leave: as DataGuard's. decodes: whether their pixels are decoded, too."""

    may_leave: bool
    files: Sequence[FileEntry]
    decodes: bool


class Shard(NamedTuple):
    """One task. root: absolute, the same on every worker. pixels: how many may be decoded.

    colours: whether thumbnails are needed.
    """

    root: str
    may_leave: bool
    files: list[tuple[str, str, int, int, int]]
    decodes: bool
    colours: bool
    pixels: int


class WorkerRead(NamedTuple):
    """What a worker found. facts None: it has to be read here. decoded: the facts with what the pixels show.

    opened, decoding: pixels of the allowance, for the file to be understood, and for its pixels.
    """

    facts: Facts | None
    opened: int = 0
    decoding: int = 0
    decoded: Facts | None = None
    colours: bytes = b""


class PictureWorkers:
    """What the workers of an engine read. open_engine: called when there are FILES_FOR_AN_ENGINE cold files.

    tell: takes a sentence when a worker was lost, or does not see the same files.
    """

    def __init__(self, open_engine: OpenEngine, tell: Callable[[str], None]) -> None:
        self._open_engine = open_engine
        self._tell = tell
        self._found: dict[tuple[str, bool], WorkerRead] = {}

    def read(
        self, asked: Sequence[FilesToRead], root: str, allowance: DecodingAllowance, progress: ScanProgress
    ) -> None:
        """Has the files read that are files of the disk, if they are many. Raises what opening the engine raises."""
        wanted = [one._replace(files=[entry for entry in one.files if "://" not in entry.file]) for one in asked]
        count = sum(len(one.files) for one in wanted)
        if count < FILES_FOR_AN_ENGINE:
            return
        share = FILES_OF_A_TASK / count
        shards = [shard for one in wanted for shard in _shards(one, root, allowance.part(min(1.0, share)))]
        progress.expect(0, count)
        with self._open_engine() as engine:
            self._run(engine, shards, progress)

    def _run(self, engine: Executor, shards: Sequence[Shard], progress: ScanProgress) -> None:
        running: dict[Future[list[WorkerRead]], tuple[Shard, int]] = {}
        for shard in shards:
            running[_submitted(engine, shard)] = shard, 1
        lost = unseen = 0
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                shard, tries = running.pop(future)
                try:
                    found = future.result()
                except BrokenExecutor:
                    lost += len(shard.files) if tries == 1 else 0
                    if tries < _TRIES:
                        running[_submitted(engine, shard)] = shard, tries + 1
                        continue
                    found = []
                for row, one in zip(shard.files, found, strict=False):
                    self._found[row[1], shard.may_leave] = one
                unseen += sum(one.facts is None for one in found)
                progress.count(len(shard.files))
        if lost:
            self._tell(f"{lost:,} images were read again: the worker that read them died")
        if unseen:
            self._tell(f"{unseen:,} images were read here: no worker could read them as they were listed")

    def facts(
        self,
        entry: FileEntry,
        may_leave: bool,
        allowance: DecodingAllowance,
        seen: SeenPixels | None,
        hashed: Mapping[str, Facts],
    ) -> Facts | None:
        """Facts of one file as if it was read now, and what its pixels show added to seen; None: it has to be read.

        allowance: of this scan. seen: where pixels are decoded. hashed: facts whose pixels are known, by digest.
        """
        found = self._found.pop((entry.file, may_leave), None)
        if found is None or found.facts is None or found.facts[1:4] != entry[2:5]:
            return None
        if found.opened and not allowance.take(found.opened):
            return None
        decoded = found.decoded
        if seen is None or decoded is None or decoded.sha256 in seen.hashed or decoded.sha256 in hashed:
            return found.facts
        if allowance.take(found.decoding):
            seen.hashed[decoded.sha256] = decoded
            if found.colours:
                seen.keep(decoded.sha256, Image.frombytes("RGB", THUMBNAIL_SIZE, found.colours))
        return found.facts


def _submitted(engine: Executor, shard: Shard) -> Future[list[WorkerRead]]:
    """An engine that is gone is like a worker that died."""
    try:
        return engine.submit(read_shard, shard)
    except BrokenExecutor as error:
        future: Future[list[WorkerRead]] = Future()
        future.set_exception(error)
        return future


def _shards(asked: FilesToRead, root: str, pixels: int) -> Iterator[Shard]:
    """pixels: of a whole shard."""
    rows = [(*entry,) for entry in asked.files]
    for at in range(0, len(rows), FILES_OF_A_TASK):
        part = rows[at : at + FILES_OF_A_TASK]
        colours = at + FILES_OF_A_TASK > len(rows) - _WITH_COLOURS
        yield Shard(root, asked.may_leave, part, asked.decodes, colours, pixels * len(part) // FILES_OF_A_TASK)


def read_shard(shard: Shard) -> list[WorkerRead]:
    """On a worker: what it found of each file, in order."""
    take_turns_on_this_machine()
    guard = DataGuard(shard.root, may_leave=shard.may_leave, others=VirtualFiles())
    with OpenFolders(guard) as files:
        reader = _ShardReader(shard, files)
        return [reader.read(FileEntry(*row)) for row in shard.files]


class _ShardReader:
    def __init__(self, shard: Shard, files: OpenFolders) -> None:
        self._shard = shard
        self._files = files
        self._allowance = DecodingAllowance(shard.pixels)
        self._seen = SeenPixels()
        self._left_at_look = 0

    def read(self, entry: FileEntry) -> WorkerRead:
        allowance = self._allowance
        if allowance.has_refused() or allowance.is_spent or not self._is_as_listed(entry):
            return WorkerRead(None)
        before = self._left_at_look = allowance.left
        facts = read_facts(self._files, entry, allowance, self._look if self._shard.decodes else None)
        if allowance.has_refused() or facts.fault == "F01":
            return WorkerRead(None)
        opened = before - (self._left_at_look if self._shard.decodes else allowance.left)
        decoding = self._left_at_look - allowance.left if self._shard.decodes else 0
        thumbnail = self._seen.thumbnails.pop(facts.sha256, None)
        if thumbnail is None:
            return WorkerRead(facts, before - allowance.left)
        colours = thumbnail.tobytes() if self._shard.colours else b""
        return WorkerRead(facts, opened, decoding, self._seen.hashed[facts.sha256], colours)

    def _look(self, data: bytes, facts: Facts, allowance: DecodingAllowance) -> None:
        self._left_at_look = allowance.left
        self._seen.look_at(data, facts, allowance)

    def _is_as_listed(self, entry: FileEntry) -> bool:
        """Whether size and time are those that were listed: another machine may hold other files at the same path."""
        with suppress(OSError):
            found = os.stat(os.path.join(self._shard.root, entry.file))
            return (found.st_size, found.st_mtime_ns) == (entry.size, entry.mtime_ns)
        return ".zip/" in entry.file.lower()
