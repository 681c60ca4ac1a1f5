"""Scans datasets: lists folders, reads what changed, and takes the rest from the fingerprint cache.

For each dataset, its folders are listed (sources). If the listing has not changed, the cached result is used.
Otherwise changed pictures are read and hashed (read_images), captions are gathered and composed (captions), the lint
rules run (lint), on all cores (parallel), and the result is cached. A deep scan also decodes pixels.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenario_apply.dataset.scan.depth import Depth
from scenario_apply.dataset.scan.fingerprint_cache import Cache
from scenario_apply.dataset.scan.scanner import Scanner
from scenario_apply.dataset.scan.upload_bytes import read_for_upload
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import DatasetSpec
from scenario_apply.model.remote_urls import NO_REMOTE, RemoteAccess

if TYPE_CHECKING:
    from scenario_apply.dataset.scan.build_dataset import BuildJob
    from scenario_apply.dataset.scan.read_on_workers import PictureWorkers
    from scenario_apply.dataset.scan.scan_progress import ShowScan

__all__ = ["read_for_upload", "scan_datasets"]

_AT_ONCE = 500  # datasets built together, which bounds the memory of a first scan


@contextmanager
def uncollected() -> Iterator[None]:
    """Disables the garbage collector, which finds nothing here and takes a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def scan_datasets(
    specs: Mapping[str, DatasetSpec],
    *,
    root: str,
    cache_path: str | None,
    types_of: Mapping[str, tuple[str, ...]],
    cwd: str,
    depth: Depth = Depth.HEADERS,
    allow_outside: bool = False,
    show: ShowScan | None = None,
    remote: RemoteAccess = NO_REMOTE,
    workers: PictureWorkers | None = None,
) -> Mapping[str, Dataset]:
    """Every dataset as it will be sent, with its lint findings in Dataset.problems.

    root: the manifest's folder, absolute. types_of: dataset name -> training types that use it. depth: whether
    pixels are decoded, too. allow_outside: the caller accepts that datasets with
    `allow_outside_root: true` are read from outside the root. Problems with files do not raise; a dataset with errors
    may lack some of its pictures. show: takes the progress while pictures are read. remote: the URLs that the caller
    consents to read. workers: read the pictures of large cold datasets. Raises ManifestError when one cannot be read.
    Writes only the cache, and only when something changed.
    """
    started_ns = time.time_ns()
    cache = Cache(cache_path)
    scanner = Scanner(
        root=root,
        cwd=cwd,
        cache=cache,
        depth=depth,
        started_ns=started_ns,
        allow_outside=allow_outside,
        specs=specs,
        show=show,
        remote=remote,
        workers=workers,
    )
    datasets: dict[str, Dataset] = {}
    pending: dict[str, BuildJob] = {}

    def finish() -> None:
        with uncollected():
            datasets.update(zip(pending, scanner.finish([*pending.values()]), strict=True))
        pending.clear()

    for name, spec in specs.items():
        begun = scanner.begin(spec, tuple(sorted(types_of.get(name, ()))))
        if isinstance(begun, Dataset):
            datasets[name] = begun
            continue
        pending[name] = begun
        if len(pending) >= _AT_ONCE:
            finish()
    finish()
    cache.save()
    return {name: datasets[name] for name in specs}
