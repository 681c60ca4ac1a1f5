"""Scans datasets: folders are listed, what changed is read, the rest comes from the fingerprint cache.

The pipeline, a dataset at a time: find its folders and list them (sources); a listing that is as it was gives the
cached result, untouched; else pictures that changed are read and hashed (reading), captions are gathered, composed
and judged (dataset/), both cores at it (workers), and the result is cached. Pixels are looked at when asked (deep).
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenario_apply.dataset.scan.fingerprint_cache import Cache
from scenario_apply.dataset.scan.scanner import Scanner
from scenario_apply.dataset.scan.upload_bytes import read_for_upload
from scenario_apply.dataset.types import Dataset
from scenario_apply.manifest.spec import DatasetSpec

if TYPE_CHECKING:
    from scenario_apply.dataset.scan.build_dataset import BuildJob

__all__ = ["read_for_upload", "scan_datasets"]

_AT_ONCE = 250  # datasets made anew together: what bounds the memory of a first scan


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the cycle collector, which finds nothing here and takes a fifth of the time."""
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
    deep: bool = False,
    allow_outside: bool = False,
) -> Mapping[str, Dataset]:
    """Every dataset as it will be sent, with all there is to say about it in Dataset.problems.

    root: the manifest's folder, absolute. types_of: dataset name -> training types that use it. deep: pixels too
    (near duplicates, transparency, damage inside the data). allow_outside: the caller consents that a dataset which
    says `allow_outside_root: true` is read from outside the root. Never raises for contents: a dataset with errors may
    hold part of its pictures. Writes nothing but the cache, and that only when something changed.
    """
    started_ns = time.time_ns()
    cache = Cache(cache_path)
    scanner = Scanner(root=root, cwd=cwd, cache=cache, deep=deep, started_ns=started_ns, allow_outside=allow_outside)
    datasets: dict[str, Dataset] = {}
    pending: dict[str, BuildJob] = {}

    def finish() -> None:
        with uncollected():
            datasets.update(zip(pending, scanner.finish([*pending.values()]), strict=True))
        pending.clear()

    try:
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
    except BaseException:
        cache.abandon()
        raise
    return {name: datasets[name] for name in specs}
