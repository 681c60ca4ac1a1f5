"""Builds datasets that are not in the cache: reads pictures and captions, and runs the lint rules.

Imported only when a dataset has changed: importing the rules and readers takes a third as long as a warm scan of a
thousand datasets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from scenario_apply.dataset.assemble import Assembled, DatasetInputs, Described, assemble, describe
from scenario_apply.dataset.captions.caption_budget import CaptionBudget
from scenario_apply.dataset.facts import Facts, FileEntry
from scenario_apply.dataset.image_limits import MOST_IMAGES_IN_ALL
from scenario_apply.dataset.scan.cache_records import contents_of, pack, sound_facts
from scenario_apply.dataset.scan.caption_files import caption_reader
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.depth import MOST_DECODED_BY_A_PLAN, Depth
from scenario_apply.dataset.scan.fingerprint_cache import Cache, CacheRecord, Damaged
from scenario_apply.dataset.scan.inputs import inputs_of
from scenario_apply.dataset.scan.parallel import (
    TaskRunner,
    can_fork,
    in_processes,
    in_this_thread,
    on_threads,
    usable_cores,
)
from scenario_apply.dataset.scan.read_images import Look, read_facts
from scenario_apply.dataset.scan.remote_objects import located
from scenario_apply.dataset.scan.scan_progress import ScanProgress
from scenario_apply.dataset.scan.sources import Listing
from scenario_apply.dataset.scan.unnamed_pictures import unnamed_pictures
from scenario_apply.dataset.types import Contents
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.loader.open_folders import OpenFolders
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.lint_rules import Finding
from scenario_apply.model.picture_options import UNKNOWN_RECIPE

if TYPE_CHECKING:
    from scenario_apply.dataset.scan.image_similarity import SeenPixels
    from scenario_apply.dataset.scan.read_on_workers import PictureWorkers

# A file that changed this recently may change again without a visible change of its stat.
_RACY_NS = 2_000_000_000
_FILES_FOR_PROCESSES = 400  # starting the processes takes as long as reading some hundred pictures
_DECODED_BY_A_PROCESS = 50  # pictures of one dataset, at least
_BYTES_FOR_THREADS = 4 << 20
_MOST_DECODED = 20_000  # pictures of a dataset; Scenario accepts a hundred


class BuildJob(Struct, frozen=True, kw_only=True):
    """A dataset to build. known: facts that are still valid, by file; fresh: pictures to read.

    hashed: facts with hashes of an earlier scan, by digest: a new file with the same bytes has the same pixels.
    decodes: whether pixels are decoded.
    """

    spec: DatasetSpec
    types: tuple[str, ...]
    key: str
    signature: str
    listing: Listing
    inputs: DatasetInputs
    known: dict[str, Facts]
    fresh: list[FileEntry]
    hashed: dict[str, Facts]
    decodes: bool = False

    @property
    def bytes_to_read(self) -> int:
        return sum(entry.size for entry in self.fresh)


class DatasetBuilder:
    """Builds the datasets of one root. started_ns: the wall clock before listing began.

    budget: the work that the caption templates of each dataset may do. progress: counts the pictures. workers: read
    them elsewhere, where there are many.
    """

    def __init__(
        self,
        *,
        root: str,
        cache: Cache,
        depth: Depth,
        started_ns: int,
        budget: CaptionBudget,
        progress: ScanProgress,
        workers: PictureWorkers | None = None,
    ) -> None:
        self._workers = workers
        self._root = root
        self._cache = cache
        self._depth = depth
        self._may_decode: float = MOST_DECODED_BY_A_PLAN if depth is Depth.FEW_PIXELS else inf
        self._started_ns = started_ns
        self._budget = budget
        self._progress = progress
        self._allowance = DecodingAllowance()
        self._counted: set[str] = set()  # files whose bytes were added to the allowance
        self._images = 0
        self._read: dict[tuple[str, bool], Facts] = {}  # by file and permission, so that shared pictures are read once
        self._seen: SeenPixels | None = None

    def job(self, spec: DatasetSpec, types: tuple[str, ...], listing: Listing, *, key: str, signature: str) -> BuildJob:
        """The work to do for a dataset. Reads only the cache."""
        inputs = inputs_of(listing, spec, self._root)
        if inputs.selection is not None and inputs.selection.unknown:
            unnamed = unnamed_pictures(listing.guard, inputs.selection.unknown)
            inputs = replace(inputs, findings=(*inputs.findings, *unnamed))
        self._count(spec, inputs)
        old = self._old_facts(self._cache.find(key) or self._cache.like(spec.name))
        known = _still_known(old, inputs)
        return BuildJob(
            spec=spec,
            types=types,
            key=key,
            signature=signature,
            listing=listing,
            inputs=inputs,
            known=known,
            fresh=list({image.file: image for image in inputs.images if image.file not in known}.values()),
            hashed={f.sha256: f for f in old if f.hashes},
        )

    def _count(self, spec: DatasetSpec, inputs: DatasetInputs) -> None:
        """Raises ManifestError for more than MOST_IMAGES_IN_ALL pictures in all datasets together."""
        self._images += len(inputs.images)
        if self._images > MOST_IMAGES_IN_ALL:
            raise ManifestError(
                f"the datasets have more than {MOST_IMAGES_IN_ALL} images in total",
                location=spec.place,
                hint="split the manifest, or select a part of it",
                code="too-many-images",
            )
        for image in inputs.images:
            if image.file not in self._counted:
                self._counted.add(image.file)
                self._allowance.earn(image.size)

    def _old_facts(self, record: CacheRecord | None) -> list[Facts]:
        if record is None:
            return []
        try:
            return sound_facts(self._cache.read(record))
        except Damaged:
            return []

    def build(self, jobs: Sequence[BuildJob]) -> list[CacheRecord]:
        """The records of the datasets, in order, after adding them to the cache."""
        jobs = self._with_decoding(jobs)
        for job in jobs:
            self._progress.expect(len(job.inputs.images) if job.decodes else len(job.fresh), _units(job))
        if self._workers is not None:
            from scenario_apply.dataset.scan.read_on_workers import FilesToRead

            asked = [FilesToRead(job.listing.guard.may_leave, job.fresh, decodes=_decodes(job)) for job in jobs]
            self._workers.read(asked, self._root, self._allowance, self._progress)
        workers = min(usable_cores(), len(jobs))
        may_fork = can_fork() and not any(job.listing.virtual.is_remote for job in jobs)
        if workers > 1 and sum(len(job.fresh) for job in jobs) >= _FILES_FOR_PROCESSES and may_fork:
            self._allowance.share(workers)
            with self._progress.with_workers():
                built = in_processes(self._build, jobs, workers=workers, waiting=self._progress.take_from_workers)
        else:
            built = [
                self._build(job, threads=job.decodes or job.bytes_to_read > _BYTES_FOR_THREADS, processes=may_fork)
                for job in jobs
            ]
        return [self._cache.add(record, contents) for record, contents in built]

    def _with_decoding(self, jobs: Sequence[BuildJob]) -> list[BuildJob]:
        """The jobs that decode pixels, as far as the depth asks for it: all of them, or none."""
        if self._depth is Depth.HEADERS:
            return [*jobs]
        new = {image.file for job in jobs for image in job.inputs.images if not _is_decoded(job.known.get(image.file))}
        if len(new) <= self._may_decode:
            self._may_decode -= len(new)
            return [replace(job, decodes=True) for job in jobs]
        skipped = self._may_decode < 0
        self._may_decode = -1  # from here on: what is decoded does not depend on how jobs are grouped
        if skipped:
            return [*jobs]
        first = replace(jobs[0].inputs, findings=(*jobs[0].inputs.findings, _not_compared()))
        return [replace(jobs[0], inputs=first), *jobs[1:]]  # said once

    def _build(self, job: BuildJob, *, threads: bool = False, processes: bool = False) -> tuple[CacheRecord, bytes]:
        """The record of a dataset, and its packed contents. threads, processes: whether this one may use more."""
        run = self._progress.counting(on_threads if threads else in_this_thread)
        with located(job.spec, "images"):
            facts = job.known | job.listing.virtual.known_by_checksum(job.fresh, job.hashed)
            fresh = [entry for entry in job.fresh if entry.file not in facts]
            job.listing.virtual.fetch(job.inputs, fresh)
        decodes = _decodes(job)
        look = self._pixels().look_at if decodes and not job.hashed else None  # a renamed picture is not decoded again
        with OpenFolders(job.listing.guard) as files:

            def read(entry: FileEntry) -> Facts:
                return self._read_facts(files, entry, look, job.hashed if decodes else None)

            def described() -> Described:
                reader = caption_reader(files, job.listing.refused)
                return describe(job.spec, job.types, job.inputs, reader, self._budget)

            workers = min(usable_cores(), len(fresh) // _DECODED_BY_A_PROCESS)
            if workers > 1 and processes and look is not None:
                found, texts = self._read_in_processes(read, fresh, workers, described)
                self._read |= {(fact.file, files.may_leave): fact for fact in found}
            else:
                found, texts = run(read, fresh), described()
        for fact in found:
            twin = job.hashed.get(fact.sha256)
            facts[fact.file] = fact if twin is None else fact.with_pixels_of(twin)
        assembled, depth = self._assemble(job, facts, run, texts)
        record = CacheRecord(
            key=job.key,
            signature=job.signature,
            trusted=not any(self._is_racy(mtime_ns) for mtime_ns in job.listing.mtimes()),
            depth=depth,
            digest=assembled.digest,
            source_digest=assembled.source_digest,
            images=len(assembled.pictures),
            pairs=len(assembled.pairs),
            altered=sum(picture.recipe not in ("", UNKNOWN_RECIPE) for picture in assembled.pictures),
            unknown=sum(picture.recipe == UNKNOWN_RECIPE for picture in assembled.pictures),
            findings=[*assembled.findings],
            conventions=[*assembled.conventions],
        )
        self._progress.ended(_units(job))
        return record, pack(assembled, job.spec.pictures, self._is_racy)

    def _read_in_processes(
        self,
        read: Callable[[FileEntry], Facts],
        entries: Sequence[FileEntry],
        workers: int,
        described: Callable[[], Described],
    ) -> tuple[list[Facts], Described]:
        """Facts of each entry, read in so many processes, and described(), called in this one at the same time."""
        from scenario_apply.dataset.scan.read_in_processes import PictureProcesses

        processes = PictureProcesses(workers, self._pixels(), self._allowance, self._progress)
        return processes.read(read, entries, meanwhile=described)

    def _assemble(
        self, job: BuildJob, facts: dict[str, Facts], run: TaskRunner, described: Described
    ) -> tuple[Assembled, Depth]:
        """The dataset, and the depth of a scan that has nothing left to decode."""
        is_known = all(_is_decoded(f) for f in facts.values())
        if not (job.decodes or (is_known and facts)) or len(facts) > _MOST_DECODED:
            # Of more pictures than any training accepts, no scan decodes the pixels.
            return assemble(job.spec, job.types, job.inputs, facts, described), self._depth
        from scenario_apply.dataset.scan.image_similarity import add_pixel_facts

        pixels = add_pixel_facts(job.listing.guard, facts, run, self._allowance, self._pixels())
        inputs = job.inputs
        if pixels.not_decoded:
            finding = _not_decoded(pixels.not_decoded, len(facts))
            inputs = replace(inputs, findings=(*inputs.findings, finding))
        # If some were not decoded, the next scan of all pixels continues with them.
        depth = Depth.FEW_PIXELS if pixels.not_decoded else Depth.ALL_PIXELS
        return assemble(job.spec, job.types, inputs, pixels.facts, described, pixels.difference), depth

    def _pixels(self) -> SeenPixels:
        if self._seen is None:
            from scenario_apply.dataset.scan.image_similarity import SeenPixels

            self._seen = SeenPixels()
        return self._seen

    def _read_facts(
        self,
        files: OpenFolders,
        entry: FileEntry,
        look: Look | None = None,
        hashed: Mapping[str, Facts] | None = None,
    ) -> Facts:
        """Facts of one file, read once per permission: one dataset may read what another may not.

        hashed: facts whose pixels are known, by digest, where pixels are decoded.
        """
        key = (entry.file, files.may_leave)
        known = self._read.get(key)
        if known is None or known[1:4] != entry[2:5]:
            known = None
            if self._workers is not None:
                seen = None if hashed is None else self._pixels()
                known = self._workers.facts(entry, files.may_leave, self._allowance, seen, hashed or {})
            known = self._read[key] = known or read_facts(files, entry, self._allowance, look)
        return known

    def _is_racy(self, mtime_ns: int) -> bool:
        return abs(self._started_ns - mtime_ns) < _RACY_NS

    def rebuild(self, record: CacheRecord, spec: DatasetSpec, types: tuple[str, ...], listing: Listing) -> Contents:
        """Contents without the cache. Raises ManifestError dataset-changed when they differ from the record."""
        inputs = inputs_of(listing, spec, self._root)
        with OpenFolders(listing.guard) as files:
            facts = {image.file: self._read_facts(files, image) for image in inputs.images}
            read = caption_reader(files, listing.refused)
            assembled = assemble(spec, types, inputs, facts, describe(spec, types, inputs, read, self._budget))
        if assembled.digest != record.digest:
            raise ManifestError(
                f"dataset {spec.name} changed while the command was running",
                location=spec.place,
                hint="run it again",
                code="dataset-changed",
            )
        return contents_of(pack(assembled, spec.pictures, self._is_racy))


def _decodes(job: BuildJob) -> bool:
    """Whether its pixels are decoded: of more pictures than any training accepts, they are not."""
    return job.decodes and len(job.known) + len(job.fresh) <= _MOST_DECODED


def _is_decoded(facts: Facts | None) -> bool:
    """Whether there is nothing to learn from the pixels: they are known, or there are none."""
    return facts is not None and bool(facts.hashes or facts.fault or facts.is_lfs_pointer)


def _units(job: BuildJob) -> int:
    """What the progress counts: pictures to read, and pictures to decode."""
    return len(job.fresh) + (len(job.inputs.images) if job.decodes else 0)


def _not_compared() -> Finding:
    what = f"more than {MOST_DECODED_BY_A_PLAN:,} images are new: their pixels were not checked or compared"
    return Finding("F10", what, hint="scenario-apply validate checks them all, once", severity="info")


def _not_decoded(count: int, of: int) -> Finding:
    what = f"{count} of {of} images were not compared: together they have more pixels than one run decodes"
    return Finding("F10", what, hint="scale them down, or run validate again to continue")


def _still_known(old: list[Facts], inputs: DatasetInputs) -> dict[str, Facts]:
    """Facts of files whose stat has not changed, by file."""
    by_file = {facts.file: facts for facts in old if facts.mtime_ns}
    known = {}
    for image in inputs.images:
        facts = by_file.get(image.file)
        if facts is not None and facts[1:4] == image[2:5]:
            known[image.file] = facts
    return known
