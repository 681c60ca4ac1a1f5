"""The same work on many datasets with both cores: two processes for many small ones, two threads for few large ones.

Why not threads alone: reading and hashing a picture of 100 KB takes some 70 µs without the interpreter lock in four
pieces, the Python around it as long with it. Measured on 200 datasets of 20 such pictures: one thread 0.59 s, three
threads 0.80 to 0.95 s (they wait for the lock), two processes 0.33 s.
"""

from __future__ import annotations

import marshal
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

from scenario_apply.dataset.scan.decoding import turns_between_processes

_THREADS = 2  # hashing two files at once takes 1.9 of two cores
_PER_TASK = 4

Item = TypeVar("Item")
Made = TypeVar("Made")


class TaskRunner(Protocol):
    """A way to do the same work on many items: in_this_thread, on_two_threads."""

    def __call__(self, work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]: ...


def in_this_thread(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    return [work(item) for item in items]


def can_fork() -> bool:
    """Only a process of one thread is forked: a lock held by another thread would stay held in the child."""
    return hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1


def in_two_processes(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """[work(item) for item in items], every other item in a forked child. Results must be plain values (marshal).

    A child that dies costs time only: its half is then done here.
    """
    with turns_between_processes(), tempfile.TemporaryFile() as results:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _in_child(work, items[1::2], results.fileno())
        try:
            own = [work(item) for item in items[::2]]
            _, status = os.waitpid(child, 0)
            child = 0
        finally:
            if child:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        others: list[Made] | None = None
        if status == 0:
            results.seek(0)
            with suppress(EOFError, ValueError, TypeError):
                others = marshal.load(results)  # noqa: S302  # written by our own child a moment ago
    if others is None:
        others = [work(item) for item in items[1::2]]
    made = own + others
    made[::2], made[1::2] = own, others
    return made


def _in_child(work: Callable[[Item], Made], items: Sequence[Item], handle: int) -> None:
    """Never returns, runs no exit handler, prints nothing."""
    code = 1
    try:
        with os.fdopen(handle, "wb", closefd=False) as out:
            marshal.dump([work(item) for item in items], out)  # plain, as promised
        code = 0
    finally:
        os._exit(code)


def on_two_threads(work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
    """[work(item) for item in items], for work that leaves the interpreter lock alone for long."""
    if len(items) < 2:
        return [work(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    def run(some: Sequence[Item]) -> list[Made]:
        return [work(item) for item in some]

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="dataset") as pool:
        tasks = [items[at : at + _PER_TASK] for at in range(0, len(items), _PER_TASK)]
        return [made for part in pool.map(run, tasks) for made in part]
