"""What runs the tasks of a fleet: executors of concurrent.futures, by name. A process pool is the default.

Nothing else of the package knows which one it is. A task that died with its worker raises from its future; a pool that
broke raises BrokenExecutor and is opened again.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from scenario_apply.errors import UsageError
from scenario_apply.fleet.worker_process import end_with

PROCESSES = "processes"


@contextmanager
def open_engine(name: str, *, workers: int, preload: str | None = None) -> Iterator[Executor]:
    """An executor that runs up to so many tasks at once; what has not begun by the end of the context is cancelled.

    preload: a module that every worker needs; it is imported once, before the first task. Raises UsageError for an
    engine that is not known.
    """
    if name != PROCESSES:
        raise UsageError(f"there is no engine {name!r}", hint=f"use --engine {PROCESSES}")
    pool = ProcessPoolExecutor(workers, mp_context=_context(preload), initializer=end_with, initargs=(os.getpid(),))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _context(preload: str | None) -> multiprocessing.context.BaseContext:
    """Workers are forked from a server that imported everything once and runs no thread."""
    context = multiprocessing.get_context("forkserver")
    if preload is not None:
        context.set_forkserver_preload([preload])
    return context
