"""Compares listed datasets with the cache, and has those that differ built."""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING

from scenario_apply.dataset.captions.caption_budget import CaptionBudget
from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.fingerprint_cache import FORMAT, Cache, CacheRecord, Damaged
from scenario_apply.dataset.scan.sources import Listing, Sources
from scenario_apply.dataset.types import Contents, Dataset
from scenario_apply.errors import Diagnostic, Location
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.lint_rules import LINT_VERSION, Finding
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess

if TYPE_CHECKING:
    from scenario_apply.dataset.scan.build_dataset import BuildJob, DatasetBuilder
    from scenario_apply.dataset.scan.read_on_workers import PictureWorkers
    from scenario_apply.dataset.scan.scan_progress import ShowScan


class Scanner:
    """Scans the datasets of one root: begin() each, then finish() those that are not cached."""

    def __init__(
        self,
        *,
        root: str,
        cwd: str,
        cache: Cache,
        depth: Depth,
        started_ns: int,
        allow_outside: bool,
        specs: Mapping[str, DatasetSpec],
        show: ShowScan | None = None,
        remote: RemoteAccess = NO_REMOTE,
        workers: PictureWorkers | None = None,
    ) -> None:
        """started_ns: the wall clock before listing began. specs: all datasets of the run. show: takes the progress.

        allow_outside, remote: as in scan_datasets. workers: read pictures elsewhere.
        """
        self._root = os.path.abspath(root)
        self._cache = cache
        self._depth = depth
        self._started_ns = started_ns
        self._budget = CaptionBudget(specs)
        self._sources = Sources(self._root, allow_outside=allow_outside, remote=remote)
        self._shown = shown_below(self._root, os.path.abspath(cwd))
        self._show = show
        self._workers = workers
        self._built: DatasetBuilder | None = None
        # Other things that results depend on.
        self._tool = (FORMAT, LINT_VERSION, *(find_spec(name) is not None for name in ("pillow_heif", "pyarrow")))

    @property
    def _builder(self) -> DatasetBuilder:
        if self._built is None:
            from scenario_apply.dataset.scan.build_dataset import DatasetBuilder
            from scenario_apply.dataset.scan.scan_progress import ScanProgress

            self._built = DatasetBuilder(
                root=self._root,
                cache=self._cache,
                depth=self._depth,
                started_ns=self._started_ns,
                budget=self._budget,
                progress=ScanProgress(self._show),
                workers=self._workers,
            )
        return self._built

    def begin(self, spec: DatasetSpec, types: tuple[str, ...]) -> Dataset | BuildJob:
        """The cached dataset if nothing changed; otherwise a job for finish()."""
        spec = self._sources.resolved(spec)
        listing = self._list(spec)
        settings = _settings_of(spec)
        permission = listing.guard.may_leave
        cache_part = self._budget.cache_part(spec)
        signature = _digest((self._tool, settings, types, permission, listing.fingerprint(), cache_part))
        # What was read from URLs is kept while a run lacks the consent to read it again.
        lacks_consent = any(finding.code == "remote-dataset" for finding in listing.findings)
        key = f"{spec.name}\n{_digest((*settings[:_SOURCE_SETTINGS], lacks_consent))[:16]}"
        record = self._cache.find(key)
        if record is not None and record.signature == signature and record.trusted and record.depth >= self._depth:
            return self._dataset(record, spec, types)
        return self._builder.job(spec, types, listing, key=key, signature=signature)

    def _list(self, spec: DatasetSpec) -> Listing:
        listing = self._sources.list_all(spec)
        if spec.pairs is not None and (spec.pairs.table is not None or spec.pairs.entries):
            from scenario_apply.dataset.scan.inputs import list_rows

            list_rows(listing, self._sources, spec)
        return listing

    def finish(self, jobs: Sequence[BuildJob]) -> list[Dataset]:
        """Builds the datasets of the jobs and adds them to the cache."""
        if not jobs:
            return []
        records = self._builder.build(jobs)
        return [self._dataset(record, job.spec, job.types) for record, job in zip(records, jobs, strict=True)]

    def _dataset(self, record: CacheRecord, spec: DatasetSpec, types: tuple[str, ...]) -> Dataset:
        return Dataset(
            name=spec.name,
            digest=record.digest,
            source_digest=record.source_digest,
            altered=record.altered,
            unknown=record.unknown,
            options=spec.pictures,
            image_count=record.images,
            pair_count=record.pairs,
            problems=tuple([self._problem(finding, spec) for finding in record.findings]),
            load=self._loader(record, spec, types),
            conventions=tuple(record.conventions),
        )

    def _problem(self, finding: Finding, spec: DatasetSpec) -> Diagnostic:
        if finding.file is None:
            where = spec.place_of(finding.key)
        else:
            where = Location(file=self._shown(finding.file), line=finding.line)
        severity = finding.severity or "error"
        return Diagnostic(code=finding.code, message=finding.what, location=where, hint=finding.hint, severity=severity)

    def _loader(self, record: CacheRecord, spec: DatasetSpec, types: tuple[str, ...]) -> Callable[[], Contents]:
        def load() -> Contents:
            from scenario_apply.dataset.scan.cache_records import contents_of

            try:
                return contents_of(self._cache.read(record))
            except Damaged:
                return self._builder.rebuild(record, spec, types, self._list(spec))

        return load


_SOURCE_SETTINGS = 4  # the first settings, which say where the files are


def _settings_of(spec: DatasetSpec) -> tuple[object, ...]:
    """Every field that the result depends on, as plain values in a fixed order."""
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
        "exclude" in spec.own,
        (captions.kind, captions.path, tuple(captions.entries.items()), captions.suffix, captions.lines),
        (spec.caption, spec.trigger, spec.prefix, spec.suffix, spec.caption_template, spec.instruction),
        (spec.missing, spec.encoding, spec.allow_outside_root, spec.has_repeats),
        tuple(spec.pictures),
        _plain(spec.lint),
    )


def _plain(value: object) -> object:
    """The lint settings as text, sorted by key."""
    return repr(sorted(value.items())) if isinstance(value, dict) and value else ""


def _digest(value: object) -> str:
    # Version 2 of marshal writes equal values as equal bytes; later versions record shared references.
    return sha256(marshal.dumps(value, 2)).hexdigest()  # type: ignore[arg-type]  # plain values only


def shown_below(root: str, cwd: str) -> Callable[[str], str]:
    """File names as the user would type them: relative to the working directory when below it."""
    if root == cwd:
        prefix = ""
    elif root.startswith(cwd.rstrip(os.sep) + os.sep):
        prefix = root[len(cwd.rstrip(os.sep)) + 1 :] + "/"
    else:
        prefix = root + "/"

    def shown(file: str) -> str:
        return os.path.normpath(prefix + file) if file.startswith("..") else prefix + file

    return shown
