"""One run over datasets: what is listed is compared with the cache, and what differs is made anew."""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from typing import Any

from scenario_apply.core.dataset.assemble import Assembled, Material, assemble
from scenario_apply.core.dataset.facts import Entry, Facts
from scenario_apply.core.dataset.rules import LINT_VERSION
from scenario_apply.core.dataset.types import Contents, Dataset
from scenario_apply.core.manifest.spec import DatasetSpec
from scenario_apply.effects.files.cache import FORMAT, Cache, Damaged, Record
from scenario_apply.effects.files.material import list_dataset, material_of
from scenario_apply.effects.files.reading import read_facts
from scenario_apply.effects.files.records import contents_of, pack, sound_facts
from scenario_apply.effects.files.sources import Listing, Sources
from scenario_apply.effects.files.texts import reader_below
from scenario_apply.effects.files.workers import Run, can_fork, in_this_thread, in_two_processes, on_two_threads
from scenario_apply.errors import ManifestError, Place, Problem

# A file changed within this time before a scan may change again without its stat showing it.
_RACY_NS = 2_000_000_000
_FILES_FOR_TWO_PROCESSES = 400  # a fork costs some 10 ms, as much as reading 100 pictures
_BYTES_FOR_THREADS = 4 << 20


@dataclass(slots=True, kw_only=True)
class Job:
    """A dataset to be made anew. known: facts that still hold, by file; fresh: pictures to be read.

    looks: facts of an earlier scan by digest: the same bytes look the same, however new the file is.
    """

    spec: DatasetSpec
    types: tuple[str, ...]
    key: str
    signature: str
    listing: Listing
    material: Material
    known: dict[str, Facts]
    fresh: list[Entry]
    looks: dict[str, Facts]

    @property
    def bytes_to_read(self) -> int:
        return sum(entry.size for entry in self.fresh)


class Scanner:
    """Scans the datasets of one root. begin() each, then finish() what it did not know already."""

    def __init__(self, *, root: str, cwd: str, cache: Cache, deep: bool, started_ns: int) -> None:
        """started_ns: the wall clock before anything was listed."""
        self._root = os.path.abspath(root)
        self._cache = cache
        self._deep = deep
        self._started_ns = started_ns
        self._sources = Sources(self._root)
        self._read = reader_below(self._root)
        self._shown = _shown_below(self._root, os.path.abspath(cwd))
        # What results depend on besides files and manifests.
        self._tool = (FORMAT, LINT_VERSION, find_spec("pillow_heif") is not None)

    def begin(self, spec: DatasetSpec, types: tuple[str, ...]) -> Dataset | Job:
        """The dataset where nothing changed since it was cached; else a job for finish()."""
        listing, rows = list_dataset(self._sources, spec, self._read)
        words = _words_of(spec)
        signature = _digest((self._tool, words, types, listing.fingerprint()))
        key = f"{spec.name}\n{_digest(words[:_SOURCE_WORDS])[:16]}"
        record = self._cache.find(key)
        if record is not None and record.signature == signature and record.trusted and record.deep >= self._deep:
            return self._dataset(record, spec, types)
        material = material_of(listing, rows, spec, self._root)
        old = self._old_facts(record or self._cache.like(spec.name))
        known = self._still_known(old, material)
        fresh = list({image.file: image for image in material.images if image.file not in known}.values())
        return Job(
            spec=spec,
            types=types,
            key=key,
            signature=signature,
            listing=listing,
            material=material,
            known=known,
            fresh=fresh,
            looks={f.sha256: f for f in old if f.look},
        )

    def _read_facts(self, entry: Entry) -> Facts:
        return read_facts(self._root, entry)

    def _old_facts(self, record: Record | None) -> list[Facts]:
        if record is None:
            return []
        try:
            return sound_facts(self._cache.read_old(record))
        except Damaged:
            return []

    def _still_known(self, old: list[Facts], material: Material) -> dict[str, Facts]:
        """Facts of files whose stat is as it was, by file."""
        by_file = {facts.file: facts for facts in old if facts.mtime_ns}
        known = {}
        for image in material.images:
            facts = by_file.get(image.file)
            if facts is not None and facts[1:4] == image[2:5]:
                known[image.file] = facts
        return known

    def finish(self, jobs: Sequence[Job]) -> list[Dataset]:
        """Reads what has to be read, puts the datasets together, caches them."""
        files = sum(len(job.fresh) for job in jobs)
        if files >= _FILES_FOR_TWO_PROCESSES and len(jobs) > 1 and can_fork():
            made = in_two_processes(self._make, jobs)
        else:
            made = [self._make(job, threads=job.bytes_to_read > _BYTES_FOR_THREADS or self._deep) for job in jobs]
        datasets = []
        for job, (row, contents) in zip(jobs, made, strict=True):
            stored = self._cache.add(Record(*row), contents)
            datasets.append(self._dataset(stored, job.spec, job.types))
        return datasets

    def _make(self, job: Job, *, threads: bool = False) -> tuple[tuple[Any, ...], bytes]:
        """The record of a dataset, as plain values for marshal, and its packed contents."""
        run = on_two_threads if threads else in_this_thread
        facts = dict(job.known)
        for fact in run(self._read_facts, job.fresh):
            twin = job.looks.get(fact.sha256)
            facts[fact.file] = fact if twin is None else fact._replace(look=twin.look, transparent=twin.transparent)
        assembled, deep = self._assemble(job, facts, run)
        record = Record(
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

    def _assemble(self, job: Job, facts: dict[str, Facts], run: Run) -> tuple[Assembled, bool]:
        """The dataset, and whether its pixels count: looked at now, or all of them earlier."""
        seen = all(f.look or f.fault or f.is_lfs_pointer for f in facts.values())
        if not (self._deep or (seen and facts)):
            return assemble(job.spec, job.types, job.material, facts, self._read), False
        from scenario_apply.effects.files.looking import look_closer

        facts, difference = look_closer(self._root, facts, run)
        return assemble(job.spec, job.types, job.material, facts, self._read, difference), True

    def _is_racy(self, mtime_ns: int) -> bool:
        return abs(self._started_ns - mtime_ns) < _RACY_NS

    def _dataset(self, record: Record, spec: DatasetSpec, types: tuple[str, ...]) -> Dataset:
        return Dataset(
            name=spec.name,
            digest=record.digest,
            image_count=record.images,
            pair_count=record.pairs,
            problems=tuple([self._problem(row, spec) for row in record.findings]),
            load=self._loader(record, spec, types),
        )

    def _problem(self, row: list[str | int | None], spec: DatasetSpec) -> Problem:
        code, what, file, line, mend, severity = row
        where = spec.place if file is None else Place(file=self._shown(str(file)), line=line)  # type: ignore[arg-type]  # rows are Findings
        return Problem(code=str(code), what=str(what), where=where, mend=mend, severity=severity)  # type: ignore[arg-type]  # as above

    def _loader(self, record: Record, spec: DatasetSpec, types: tuple[str, ...]) -> Callable[[], Contents]:
        def load() -> Contents:
            try:
                return contents_of(self._cache.read(record))
            except Damaged:
                return self._again(record, spec, types)

        return load

    def _again(self, record: Record, spec: DatasetSpec, types: tuple[str, ...]) -> Contents:
        """Contents without the cache: somebody deleted or replaced it while this run was going on."""
        listing, rows = list_dataset(self._sources, spec, self._read)
        material = material_of(listing, rows, spec, self._root)
        facts = {image.file: self._read_facts(image) for image in material.images}
        assembled = assemble(spec, types, material, facts, self._read)
        if assembled.digest != record.digest:
            raise ManifestError(
                f"dataset {spec.name} changed while the command was running",
                where=spec.place,
                mend="run it again",
                code="dataset-changed",
            )
        return contents_of(pack(assembled, self._is_racy))


# The first words say where the files are, the others what to make of them.
_SOURCE_WORDS = 4


def _words_of(spec: DatasetSpec) -> tuple[object, ...]:
    """Every field a result depends on, as plain values in a fixed order."""
    captions, pairs = spec.captions, spec.pairs
    source = None
    if pairs is not None:
        entries = tuple(tuple(sorted(entry.items())) for entry in pairs.entries)
        source = (pairs.folder, pairs.suffixes, pairs.table, entries)
    return (
        spec.images,
        spec.before,
        spec.after,
        source,
        spec.recursive,
        spec.exclude,
        (captions.kind, captions.path, tuple(captions.entries.items()), captions.suffix, captions.lines),
        (spec.caption, spec.trigger, spec.prefix, spec.suffix, spec.caption_template, spec.instruction),
        (spec.missing, spec.encoding, spec.allow_outside_root),
        _plain(spec.lint),
    )


def _plain(value: object) -> object:
    """A JSON value for marshal: maps by sorted keys."""
    return repr(sorted(value.items())) if isinstance(value, dict) and value else ""


def _digest(value: object) -> str:
    # Version 2 of marshal writes equal values as equal bytes: later ones note which objects are shared.
    return sha256(marshal.dumps(value, 2)).hexdigest()  # type: ignore[arg-type]  # plain values only


def _shown_below(root: str, cwd: str) -> Callable[[str], str]:
    """File names as the user would type them: relative to where the command runs when below it."""
    if root == cwd:
        prefix = ""
    elif root.startswith(cwd.rstrip(os.sep) + os.sep):
        prefix = root[len(cwd.rstrip(os.sep)) + 1 :] + "/"
    else:
        prefix = root + "/"

    def shown(file: str) -> str:
        return os.path.normpath(prefix + file) if file.startswith("..") else prefix + file

    return shown
