"""One run over datasets: what is listed is compared with the cache, and what differs is made anew."""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING

from scenario_apply.core.dataset.assemble import Assembled, Material, assemble
from scenario_apply.core.dataset.facts import Entry, Facts
from scenario_apply.core.dataset.rules import LINT_VERSION
from scenario_apply.core.dataset.types import Contents, Dataset
from scenario_apply.core.manifest.spec import DatasetSpec
from scenario_apply.effects.files.cache import FORMAT, Cache, Damaged, Record
from scenario_apply.effects.files.material import list_dataset, material_of, reader_below
from scenario_apply.effects.files.reading import read_facts
from scenario_apply.effects.files.records import contents_of, known_facts, pack
from scenario_apply.effects.files.sources import Listing, Sources
from scenario_apply.errors import ManifestError, Place, Problem

if TYPE_CHECKING:
    from concurrent.futures import Future

    from scenario_apply.effects.files.workers import Workers

# A file changed within this time before a scan may change again without its stat showing it.
_RACY_NS = 2_000_000_000


@dataclass(slots=True, kw_only=True)
class Job:
    """A dataset whose pictures are being read. known: facts that still hold, by file."""

    spec: DatasetSpec
    types: tuple[str, ...]
    key: str
    signature: str
    listing: Listing
    material: Material
    known: dict[str, Facts]
    reading: list[Future[list[Facts]]]


class Scanner:
    """Scans the datasets of one root. begin() each, then finish() what it did not know already."""

    def __init__(self, *, root: str, cwd: str, cache: Cache, workers: Workers, deep: bool, started_ns: int) -> None:
        """started_ns: the wall clock before anything was listed."""
        self._root = os.path.abspath(root)
        self._cache = cache
        self._workers = workers
        self._deep = deep
        self._started_ns = started_ns
        self._sources = Sources(self._root)
        self._read = reader_below(self._root)
        self._shown = _shown_below(self._root, os.path.abspath(cwd))
        # What results depend on besides files and manifests.
        self._tool = (FORMAT, LINT_VERSION, find_spec("pillow_heif") is not None)

    def begin(self, spec: DatasetSpec, types: tuple[str, ...]) -> Dataset | Job:
        """The dataset where nothing changed since it was cached; else a job, its pictures being read already."""
        listing, rows = list_dataset(self._sources, spec, self._read)
        words = _words_of(spec)
        signature = _digest((self._tool, words, types, listing.fingerprint()))
        key = f"{spec.name} {_digest(words[:_SOURCE_WORDS])[:16]}"
        record = self._cache.find(key)
        if record is not None and record.signature == signature and record.trusted and record.deep >= self._deep:
            return self._dataset(record, spec, types)
        material = material_of(listing, rows, spec, self._root)
        known = self._still_known(record, material)
        fresh = list({image.file: image for image in material.images if image.file not in known}.values())
        reading = self._workers.map(self._read_facts, fresh) if fresh else []
        return Job(
            spec=spec,
            types=types,
            key=key,
            signature=signature,
            listing=listing,
            material=material,
            known=known,
            reading=reading,
        )

    def _read_facts(self, entry: Entry) -> Facts:
        return read_facts(self._root, entry)

    def _still_known(self, record: Record | None, material: Material) -> dict[str, Facts]:
        if record is None:
            return {}
        try:
            old = known_facts(self._cache.read_old(record), racy_ns=_RACY_NS)
        except Damaged:
            return {}
        known = {}
        for image in material.images:
            facts = old.get(image.file)
            if facts is not None and facts[1:4] == image[2:5]:
                known[image.file] = facts
        return known

    def finish(self, job: Job) -> Dataset:
        """Waits for the pictures, puts the dataset together, caches it."""
        facts = job.known
        for future in job.reading:
            for fact in future.result():
                facts[fact.file] = fact
        assembled = self._assemble(job.spec, job.types, job.material, facts)
        record = Record(
            key=job.key,
            signature=job.signature,
            trusted=not any(self._is_racy(mtime_ns) for mtime_ns in job.listing.mtimes()),
            deep=self._deep,
            digest=assembled.digest,
            images=len(assembled.pictures),
            pairs=len(assembled.pairs),
            findings=[list(finding) for finding in assembled.findings],
        )
        stored = self._cache.add(record, pack(assembled, self._started_ns))
        return self._dataset(stored, job.spec, job.types)

    def _assemble(
        self, spec: DatasetSpec, types: tuple[str, ...], material: Material, facts: dict[str, Facts]
    ) -> Assembled:
        if not self._deep:
            return assemble(spec, types, material, facts, self._read)
        from scenario_apply.effects.files.looking import look_closer

        facts, difference = look_closer(self._root, material.images, facts, self._workers)
        return assemble(spec, types, material, facts, self._read, difference)

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
        return contents_of(pack(assembled, self._started_ns))


# The first words say where the files are, the others what to make of them.
_SOURCE_WORDS = 6


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
