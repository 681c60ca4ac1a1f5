"""Reads and decodes the pictures of one large dataset in several processes.

Threads decode without the interpreter lock, but wait for it between the steps of each picture, and the rules about
captions would hold it: with processes, this one applies them while the others decode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from PIL import Image

from scenario_apply.dataset.facts import Facts, FileEntry
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.image_similarity import SeenPixels
from scenario_apply.dataset.scan.parallel import Item, Made, in_processes, on_threads
from scenario_apply.dataset.scan.pillow_images import THUMBNAIL_SIZE
from scenario_apply.dataset.scan.scan_progress import ScanProgress

Other = TypeVar("Other")

_AT_ONCE = 8  # pictures, so that all workers end at the same time


class _Read(NamedTuple):
    """What a worker found. facts None: this process has to read the picture. decoded, colours: unless known before.

    spent: pixels of the allowance.
    """

    facts: Facts | None
    spent: int = 0
    decoded: Facts | None = None
    colours: bytes = b""


class PictureProcesses:
    """Reads pictures in so many processes, within the allowance; what they decode is added to seen."""

    def __init__(self, workers: int, seen: SeenPixels, allowance: DecodingAllowance, progress: ScanProgress) -> None:
        self._workers = workers
        self._seen = seen
        self._allowance = allowance
        self._progress = progress

    def read(
        self, read: Callable[[FileEntry], Facts], entries: Sequence[FileEntry], *, meanwhile: Callable[[], Other]
    ) -> tuple[list[Facts], Other]:
        """read(entry) of each, in order, and meanwhile(), which this process calls while the others read.

        read: adds to seen what it decodes. Pictures that exceed a process's part of the allowance are read in this one.
        What a worker decoded that was killed is not counted: at most its part of the allowance.
        """
        others: list[Other] = []

        def run(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
            return in_processes(
                work,
                items,
                workers=self._workers,
                waiting=self._progress.take_from_workers,
                meanwhile=lambda: others.append(meanwhile()),
                most_at_once=_AT_ONCE,
            )

        with self._allowance.lent(self._workers), self._progress.with_workers():
            found = self._progress.counting(run)(lambda entry: self._read_one(read, entry), entries)
        for one in found:
            self._allowance.spend(one.spent)
            if one.decoded is not None:
                self._seen.hashed[one.decoded.sha256] = one.decoded
                self._seen.keep(one.decoded.sha256, Image.frombytes("RGB", THUMBNAIL_SIZE, one.colours))
        left = iter(on_threads(read, [entry for entry, one in zip(entries, found, strict=True) if one.facts is None]))
        facts = [next(left) if one.facts is None else one.facts for one in found]
        return facts, others[0] if others else meanwhile()

    def _read_one(self, read: Callable[[FileEntry], Facts], entry: FileEntry) -> _Read:
        """In a worker."""
        allowance, seen = self._allowance, self._seen
        if allowance.has_refused() or allowance.is_spent:
            return _Read(None)
        before, known = allowance.left, len(seen.hashed)
        facts = read(entry)
        spent = before - allowance.left
        if allowance.has_refused():
            return _Read(None, spent)
        if len(seen.hashed) == known:
            return _Read(facts, spent)
        return _Read(facts, spent, seen.hashed[facts.sha256], seen.thumbnails.pop(facts.sha256).tobytes())
