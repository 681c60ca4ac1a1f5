"""Datasets made anew: their pictures read, captions gathered, everything judged. The cold half of a scan.

Imported only when a dataset is not in the cache as it is: the rules and readers behind it take a third of what a warm
scan of a thousand datasets takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scenario_apply.dataset.assemble import Assembled, DatasetInputs, assemble
from scenario_apply.dataset.captions.caption_budget import CaptionBudget
from scenario_apply.dataset.facts import Facts, FileEntry
from scenario_apply.dataset.image_limits import MOST_IMAGES_IN_ALL
from scenario_apply.dataset.scan.cache_records import contents_of, pack, sound_facts
from scenario_apply.dataset.scan.caption_files import reader_below
from scenario_apply.dataset.scan.decoding import DecodingAllowance
from scenario_apply.dataset.scan.fingerprint_cache import Cache, CacheRecord, Damaged
from scenario_apply.dataset.scan.inputs import material_of
from scenario_apply.dataset.scan.parallel import TaskRunner, can_fork, in_this_thread, in_two_processes, on_two_threads
from scenario_apply.dataset.scan.read_images import read_facts
from scenario_apply.dataset.scan.sources import Listing
from scenario_apply.dataset.types import Contents
from scenario_apply.errors import ManifestError
from scenario_apply.manifest.loader.data_guard import DataGuard
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.lint_rules import Finding

# A file changed within this time before a scan may change again without its stat showing it.
_RACY_NS = 2_000_000_000
_FILES_FOR_TWO_PROCESSES = 400  # a fork costs some 10 ms, as much as reading 100 pictures
_BYTES_FOR_THREADS = 4 << 20
_MOST_LOOKED_AT = 20_000  # pictures of a dataset: the service takes a hundred


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildJob:
    """A dataset to be made anew. known: facts that still hold, by file; fresh: pictures to be read.

    looks: facts of an earlier scan by digest: the same bytes look the same, however new the file is.
    """

    spec: DatasetSpec
    types: tuple[str, ...]
    key: str
    signature: str
    listing: Listing
    material: DatasetInputs
    known: dict[str, Facts]
    fresh: list[FileEntry]
    looks: dict[str, Facts]

    @property
    def bytes_to_read(self) -> int:
        return sum(entry.size for entry in self.fresh)


class DatasetBuilder:
    """Makes the datasets of one root. started_ns: the wall clock before anything was listed. deep: look at pixels.

    budget: what the caption templates of each dataset may do.
    """

    def __init__(self, *, root: str, cache: Cache, deep: bool, started_ns: int, budget: CaptionBudget) -> None:
        self._root = root
        self._cache = cache
        self._deep = deep
        self._started_ns = started_ns
        self._budget = budget
        self._allowance = DecodingAllowance()
        self._counted: set[str] = set()  # files whose bytes the allowance has grown by
        self._images = 0
        self._read: dict[tuple[str, bool], Facts] = {}  # by file and permission: shared pictures are read once
        self._looked_at: dict[str, Facts] = {}  # by digest

    def job(self, spec: DatasetSpec, types: tuple[str, ...], listing: Listing, *, key: str, signature: str) -> BuildJob:
        """What is to be done for a dataset: nothing is read yet but what is cached of it."""
        material = material_of(listing, spec, self._root)
        self._count(spec, material)
        old = self._old_facts(self._cache.find(key) or self._cache.like(spec.name))
        known = _still_known(old, material)
        return BuildJob(
            spec=spec,
            types=types,
            key=key,
            signature=signature,
            listing=listing,
            material=material,
            known=known,
            fresh=list({image.file: image for image in material.images if image.file not in known}.values()),
            looks={f.sha256: f for f in old if f.look},
        )

    def _count(self, spec: DatasetSpec, material: DatasetInputs) -> None:
        """Raises ManifestError for more pictures than a command looks at, in all datasets together."""
        self._images += len(material.images)
        if self._images > MOST_IMAGES_IN_ALL:
            raise ManifestError(
                f"the datasets have more than {MOST_IMAGES_IN_ALL} images in all",
                location=spec.place,
                hint="split the manifest, or select a part of it",
                code="too-many-images",
            )
        for image in material.images:
            if image.file not in self._counted:
                self._counted.add(image.file)
                self._allowance.earn(image.size)

    def _old_facts(self, record: CacheRecord | None) -> list[Facts]:
        if record is None:
            return []
        try:
            return sound_facts(self._cache.read_old(record))
        except Damaged:
            return []

    def make(self, jobs: Sequence[BuildJob]) -> list[CacheRecord]:
        """The datasets' records, in order, in the cache."""
        files = sum(len(job.fresh) for job in jobs)
        if files >= _FILES_FOR_TWO_PROCESSES and len(jobs) > 1 and can_fork():
            self._allowance.share()
            made = in_two_processes(self._make, jobs)
        else:
            made = [self._make(job, threads=self._deep or job.bytes_to_read > _BYTES_FOR_THREADS) for job in jobs]
        return [self._cache.add(CacheRecord(*row), contents) for row, contents in made]

    def _make(self, job: BuildJob, *, threads: bool = False) -> tuple[tuple[Any, ...], bytes]:
        """The record of a dataset, as plain values for marshal, and its packed contents."""
        run = on_two_threads if threads else in_this_thread
        facts = dict(job.known)

        def read(entry: FileEntry) -> Facts:
            return self._read_facts(job.listing.guard, entry)

        for fact in run(read, job.fresh):
            twin = job.looks.get(fact.sha256)
            facts[fact.file] = fact if twin is None else fact._replace(look=twin.look, transparent=twin.transparent)
        assembled, deep = self._assemble(job, facts, run)
        record = CacheRecord(
            key=job.key,
            signature=job.signature,
            trusted=not any(self._is_racy(mtime_ns) for mtime_ns in job.listing.mtimes()),
            deep=deep,
            digest=assembled.digest,
            images=len(assembled.pictures),
            pairs=len(assembled.pairs),
            findings=[list(finding) for finding in assembled.findings],
        )
        return tuple(record), pack(assembled, self._is_racy)

    def _assemble(self, job: BuildJob, facts: dict[str, Facts], run: TaskRunner) -> tuple[Assembled, bool]:
        """The dataset, and whether its pixels count: looked at now, or all of them earlier."""
        read = reader_below(job.listing.guard, job.listing.barred)
        seen = all(f.look or f.fault or f.is_lfs_pointer for f in facts.values())
        if not (self._deep or (seen and facts)) or len(facts) > _MOST_LOOKED_AT:
            return assemble(job.spec, job.types, job.material, facts, read, budget=self._budget), False
        from scenario_apply.dataset.scan.image_similarity import look_closer

        closer = look_closer(job.listing.guard, facts, run, self._allowance, self._looked_at)
        material = job.material
        if closer.not_decoded:
            finding = _not_decoded(closer.not_decoded, len(facts))
            material = replace(material, findings=(*material.findings, finding))
        # Where some were left out, the next deep scan goes on with them.
        is_deep = not closer.not_decoded
        return assemble(job.spec, job.types, material, closer.facts, read, closer.difference, self._budget), is_deep

    def _read_facts(self, guard: DataGuard, entry: FileEntry) -> Facts:
        """What one dataset may read, another one may not: so the guard's permission is part of what is known."""
        key = (entry.file, guard.may_leave)
        known = self._read.get(key)
        if known is None or known[1:4] != entry[2:5]:
            known = self._read[key] = read_facts(guard, entry, self._allowance)
        return known

    def _is_racy(self, mtime_ns: int) -> bool:
        return abs(self._started_ns - mtime_ns) < _RACY_NS

    def again(self, record: CacheRecord, spec: DatasetSpec, types: tuple[str, ...], listing: Listing) -> Contents:
        """Contents without the cache. Raises ManifestError dataset-changed when they are not what the record says."""
        material = material_of(listing, spec, self._root)
        facts = {image.file: self._read_facts(listing.guard, image) for image in material.images}
        read = reader_below(listing.guard, listing.barred)
        assembled = assemble(spec, types, material, facts, read, budget=self._budget)
        if assembled.digest != record.digest:
            raise ManifestError(
                f"dataset {spec.name} changed while the command was running",
                location=spec.place,
                hint="run it again",
                code="dataset-changed",
            )
        return contents_of(pack(assembled, self._is_racy))


def _not_decoded(count: int, of: int) -> Finding:
    what = f"not compared: {count} of {of} images; all pictures together unpack to more pixels than one run decodes"
    return Finding("F10", what, hint="scale them down, or run validate again to go on with them")


def _still_known(old: list[Facts], material: DatasetInputs) -> dict[str, Facts]:
    """Facts of files whose stat is as it was, by file."""
    by_file = {facts.file: facts for facts in old if facts.mtime_ns}
    known = {}
    for image in material.images:
        facts = by_file.get(image.file)
        if facts is not None and facts[1:4] == image[2:5]:
            known[image.file] = facts
    return known
